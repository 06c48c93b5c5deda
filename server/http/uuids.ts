/** Ids for documents that come without one, by CouchDB's four algorithms. */
import { randomBytes, randomInt } from "node:crypto";
import { type DocId, parseDocId } from "../../protocol/ids.js";

export interface UuidRules {
  readonly algorithm: "sequential" | "random" | "utc_random" | "utc_id";
  /** The end of ids of `utc_id`. */
  readonly utcIdSuffix: string;
}

export function newUuid({ algorithm, utcIdSuffix }: UuidRules): string {
  if (algorithm === "random") return randomBytes(16).toString("hex");
  if (algorithm === "utc_random") return newMicroseconds() + randomBytes(9).toString("hex");
  if (algorithm === "utc_id") return newMicroseconds() + utcIdSuffix;
  return nextInSequence();
}

export function newDocId(rules: UuidRules): DocId {
  return parseDocId(newUuid(rules));
}

const largestStep = 0xffe;
const lastCount = 0xfff000;

let prefix = "";
let count = lastCount;

/**
 * 26 random hexadecimal digits followed by 6 that count up in random steps: neighbours in time are neighbours in the store, which is
 * what makes inserting them cheap.
 */
function nextInSequence(): string {
  if (count >= lastCount) {
    prefix = randomBytes(13).toString("hex");
    count = randomInt(largestStep);
  }
  count += randomInt(1, largestStep);
  return prefix + count.toString(16).padStart(6, "0");
}

let lastMicroseconds = 0;

/** 14 hexadecimal digits of microseconds since 1970; never the same twice, whatever becomes of the clock. */
function newMicroseconds(): string {
  const now = Math.floor((performance.timeOrigin + performance.now()) * 1000);
  lastMicroseconds = Math.max(now, lastMicroseconds + 1);
  return lastMicroseconds.toString(16).padStart(14, "0");
}
