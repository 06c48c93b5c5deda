/**
 * Sequences as clients see them: `N-EPOCH`. The epoch names one life of a data directory. It changes when the directory was
 * restored from a backup; from then on the numbers after the backup are given out a second time, and a client that saw the first
 * ones must go back to the last point that both lives share, or it would silently miss changes.
 */
import { CouchError } from "../../protocol/errors.js";
import type { Seq } from "../../protocol/ids.js";

/** Where an epoch begins in one database: its first sequence. In order; the first one begins at 1. */
export interface EpochStart {
  readonly epoch: string;
  readonly first: number;
}

const seqText = /^(\d{1,15})(?:-([0-9a-z]{1,32}))?$/;

export function formatSeq(seq: number, epoch: string): Seq {
  return `${seq}-${epoch}` as Seq;
}

/**
 * The sequence after which a client that has seen `text` must read on.
 * @param starts the epochs of the database, oldest first
 * @param last the last sequence of the database
 * @throws CouchError bad_request when it is no sequence at all
 */
export function resolveSeq(text: string, starts: readonly EpochStart[], last: number): number {
  const match = seqText.exec(text);
  if (!match) throw new CouchError("bad_request", `Malformed sequence supplied in 'since' parameter.`);
  const seq = Number(match[1]);
  const epoch = match[2];
  if (epoch === undefined) return seq;
  const index = starts.findIndex((start) => start.epoch === epoch);
  // An epoch that this database never had: nothing is shared, so everything is read again.
  if (index < 0) return 0;
  const next = starts[index + 1];
  return Math.min(seq, next ? next.first - 1 : last);
}
