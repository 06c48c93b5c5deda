/** Counters that changed without a new sequence (after a compaction): valid until the next change's record, which has its own. */
import type { Progress } from "./update-log.js";

export function encodeCounters(progress: Progress): Buffer {
  return Buffer.from(JSON.stringify(progress));
}

export function decodeCounters(bytes: Buffer): Progress {
  return JSON.parse(bytes.toString()) as Progress;
}
