/**
 * Counters that changed without a new change record: after a compaction or a purge. They count until a change comes behind their
 * sequence, whose record has its own; the purge sequence stands here only, and stays good.
 */
import type { DatabaseKeys } from "../storage/keys.js";
import type { Store } from "../storage/store.js";
import { countersOfEntry, noCounters } from "./sequence-entry.js";
import type { Progress } from "./update-log.js";

export function encodeCounters(progress: Progress): Buffer {
  return Buffer.from(JSON.stringify(progress));
}

export function decodeCounters(bytes: Buffer): Progress {
  return JSON.parse(bytes.toString()) as Progress;
}

/** How far a database has come, by what is on disk. */
export async function readProgress(store: Pick<Store, "first" | "get">, keys: DatabaseKeys): Promise<Progress> {
  const last = await store.first({ ...keys.sequences, reverse: true });
  const written: Progress = last
    ? { seq: keys.seqOf(last.key), counters: countersOfEntry(last.value) }
    : { seq: 0, counters: noCounters };
  const bytes = store.get(keys.meta("counters"));
  if (!bytes) return written;
  const stored = decodeCounters(bytes);
  if (stored.seq >= written.seq) return stored;
  return stored.purgeSeq === undefined ? written : { ...written, purgeSeq: stored.purgeSeq };
}
