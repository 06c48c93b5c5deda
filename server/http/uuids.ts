/**
 * Ids for documents that come without one: 26 random hexadecimal digits followed by 6 that count up in random steps, CouchDB's
 * "sequential" algorithm. Neighbours in time are neighbours in the store, which is what makes inserting them cheap.
 */
import { randomBytes, randomInt } from "node:crypto";
import { type DocId, parseDocId } from "../../protocol/ids.js";

const largestStep = 0xffe;
const lastCount = 0xfff000;

let prefix = "";
let count = lastCount;

export function newUuid(): string {
  if (count >= lastCount) {
    prefix = randomBytes(13).toString("hex");
    count = randomInt(largestStep);
  }
  count += randomInt(1, largestStep);
  return prefix + count.toString(16).padStart(6, "0");
}

export function newDocId(): DocId {
  return parseDocId(newUuid());
}
