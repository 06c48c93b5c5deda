/** The members of a canonical JSON object as text, in order: `JSON.parse` moves names that look like array indexes to the front. */
import { stringEnd, valueEnd } from "./pick-member.js";

const quote = 0x22;

export interface MemberText {
  readonly name: string;
  /** The value's own text. */
  readonly value: Buffer;
}

/** `text` must be a canonical JSON object: nothing is checked again. */
export function membersOf(text: Buffer): readonly MemberText[] {
  const members: MemberText[] = [];
  for (let i = 1; text[i] === quote; ) {
    const colon = stringEnd(text, i);
    const end = valueEnd(text, colon + 1);
    members.push({ name: JSON.parse(text.toString("utf8", i, colon)) as string, value: text.subarray(colon + 1, end) });
    i = end + 1;
  }
  return members;
}

export function objectText(members: readonly MemberText[]): Buffer {
  const parts = members.flatMap(({ name, value }, i) => [
    Buffer.from(`${i > 0 ? "," : ""}${JSON.stringify(name)}:`),
    value,
  ]);
  return Buffer.concat([Buffer.from("{"), ...parts, Buffer.from("}")]);
}
