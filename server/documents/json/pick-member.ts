/** Reads single members out of canonical text without parsing the rest. */
import { canonicalJson } from "./canonical-json.js";

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;

/**
 * The value of one top-level member, parsed, or undefined when there is none of that name.
 * `body` must be a canonical JSON object, such as `scanDocument` gives: nothing is checked again.
 */
export function pickMember(body: Buffer, name: string): unknown {
  const text = memberText(body, name);
  return text && JSON.parse(text.toString());
}

/** The text of that member, in the memory of `body`. */
export function memberText(body: Buffer, name: string): Buffer | undefined {
  if (!name.isWellFormed()) return undefined;
  const wanted = canonicalJson(Buffer.from(JSON.stringify(name)));
  let i = 1;
  while (body[i] === quote) {
    const colon = stringEnd(body, i);
    const end = valueEnd(body, colon + 1);
    const found = colon - i === wanted.length && body.compare(wanted, 0, wanted.length, i, colon) === 0;
    if (found) return body.subarray(colon + 1, end);
    i = end + 1;
  }
  return undefined;
}

/** The texts of the elements of a canonical JSON array, in its memory. */
export function elementTexts(array: Buffer): readonly Buffer[] {
  const texts: Buffer[] = [];
  // The last element ends at the closing bracket, an empty array with its second byte.
  for (let i = 1; i < array.length - 1; ) {
    const end = valueEnd(array, i);
    texts.push(array.subarray(i, end));
    i = end + 1;
  }
  return texts;
}

/** The index behind the string that begins at `index`. */
export function stringEnd(body: Buffer, index: number): number {
  let i = index + 1;
  while (i < body.length && body[i] !== quote) i += body[i] === backslash ? 2 : 1;
  return i + 1;
}

/** Where the value at `index` ends: at the comma, the brace or the bracket of what is around it. */
export function valueEnd(body: Buffer, index: number): number {
  let depth = 0;
  let i = index;
  while (i < body.length) {
    const c = body[i] as number;
    if (c === quote) {
      i = stringEnd(body, i);
      continue;
    }
    // `[` and `{` differ from their closing brackets, and from all else outside strings, in these bits.
    const bracket = c | 0x20;
    if (bracket === 0x7b) depth++;
    else if (bracket === 0x7d && --depth < 0) return i;
    if (c === comma && depth === 0) return i;
    i++;
  }
  return i;
}
