/**
 * Counters that changed without a new change record: after a compaction or a purge. They count until a change comes behind their
 * sequence, whose record has its own; the purge sequence stands here only, and stays good.
 */
import type { Counters } from "./sequence-entry.js";
import type { Progress } from "./update-log.js";

export function encodeCounters(progress: Progress): Buffer {
  return Buffer.from(JSON.stringify(progress));
}

export function decodeCounters(bytes: Buffer): Progress {
  return JSON.parse(bytes.toString()) as Progress;
}

/** How far a database has come: by its last change record, and by what a compaction or purge left. */
export function latestProgress(
  written: { readonly seq: number; readonly counters: Counters },
  stored: Progress | undefined,
): Progress {
  if (!stored) return written;
  if (stored.seq >= written.seq) return stored;
  return stored.purgeSeq === undefined ? written : { ...written, purgeSeq: stored.purgeSeq };
}
