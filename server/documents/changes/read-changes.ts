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

/**
 * The changes behind a sequence, read at once: for a handful, an iterator's trips through the thread pool are most of the time.
 * @param last the highest sequence that there may be
 */
export function readFewChanges(
  store: Store,
  keys: DatabaseKeys,
  { since, last }: { readonly since: number; readonly last: number },
): readonly SequenceEntry[] {
  // From one moment: a document whose change moves on between two reads would be missed at both places.
  const snapshot = store.snapshot();
  const found: SequenceEntry[] = [];
  for (let seq = since + 1; seq <= last; seq++) {
    const value = snapshot.get(keys.sequence(seq));
    if (value) found.push(decodeSequenceEntry(seq, value));
  }
  void snapshot.close();
  return found;
}

/** How many changes there are after a sequence. */
export async function countChanges(store: Store, keys: DatabaseKeys, since: number): Promise<number> {
  let count = 0;
  const range = { from: keys.sequence(since + 1), to: keys.sequences.to, values: false, step: 2000 };
  for await (const entries of store.range(range)) count += entries.length;
  return count;
}
