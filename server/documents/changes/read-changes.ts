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

/** The changes in a short range, read at once: for a handful, an iterator's trips through the thread pool are most of the time. */
export function readFewChanges(
  store: Store,
  keys: DatabaseKeys,
  { since, upTo }: { readonly since: number; readonly upTo: number },
): readonly SequenceEntry[] {
  const found: SequenceEntry[] = [];
  for (let seq = since + 1; seq <= upTo; seq++) {
    const value = store.get(keys.sequence(seq));
    if (value) found.push(decodeSequenceEntry(seq, value));
  }
  return found;
}

/** How many changes there are after a sequence. */
export async function countChanges(store: Store, keys: DatabaseKeys, since: number): Promise<number> {
  let count = 0;
  const range = { from: keys.sequence(since + 1), to: keys.sequences.to, values: false, step: 2000 };
  for await (const entries of store.range(range)) count += entries.length;
  return count;
}
