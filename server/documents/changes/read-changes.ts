/** Reading the changes of a database from its records by sequence. */
import type { DatabaseKeys } from "../../storage/keys.js";
import type { Store } from "../../storage/store.js";
import { decodeSequenceEntry, type SequenceEntry } from "../sequence-entry.js";

export interface ChangesRange {
  /** Changes after this sequence. */
  readonly since: number;
  /** And up to this one; all when not given. */
  readonly upTo?: number;
  /** Newest first. */
  readonly descending?: boolean;
  /** Changes per step. */
  readonly step?: number;
}

/** The changes in a range, in steps, from one snapshot: each document once, at its latest sequence. */
export async function* readChanges(
  store: Store,
  keys: DatabaseKeys,
  { since, upTo, descending = false, step }: ChangesRange,
): AsyncIterable<readonly SequenceEntry[]> {
  const from = keys.sequence(since + 1);
  const to = upTo === undefined ? keys.sequences.to : keys.sequence(upTo + 1);
  for await (const entries of store.range({ from, to, reverse: descending, ...(step ? { step } : {}) })) {
    yield entries.map(({ key, value }) => decodeSequenceEntry(keys.seqOf(key), value));
  }
}

/** How many changes there are after a sequence. */
export async function countChanges(store: Store, keys: DatabaseKeys, since: number): Promise<number> {
  let count = 0;
  const range = { from: keys.sequence(since + 1), to: keys.sequences.to, values: false, step: 2000 };
  for await (const entries of store.range(range)) count += entries.length;
  return count;
}
