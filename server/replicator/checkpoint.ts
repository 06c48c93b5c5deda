/**
 * Checkpoints: how far earlier sessions of the same replication came, kept as `_local/{replication id}` on both sides. Only what both
 * sides tell alike is believed: a side that was restored from a backup has lost sessions, and goes back to the last one in common.
 */
import { isDeepStrictEqual } from "node:util";
import type { PeerSeq } from "./peer.js";
import type { Statistics } from "./statistics.js";

export interface HistoryEntry extends Readonly<Partial<Statistics>> {
  readonly session_id: string;
  readonly start_time?: string;
  readonly end_time?: string;
  readonly start_last_seq?: PeerSeq;
  readonly end_last_seq?: PeerSeq;
  readonly recorded_seq?: PeerSeq;
}

export interface Checkpoint {
  readonly session_id: string;
  readonly source_last_seq: PeerSeq;
  readonly replication_id_version: number;
  readonly history: readonly HistoryEntry[];
}

export interface Ancestry {
  /** Where the source is to be read from. */
  readonly since: PeerSeq;
  /** Sessions that both sides know, the latest first. */
  readonly history: readonly HistoryEntry[];
}

/** The version of CouchDB's recipe for ids whose shape this is. */
export const replicationIdVersion = 4;
/** Sessions that a checkpoint remembers, as in CouchDB. */
export const maxHistory = 50;
/** Before the first change. */
export const lowestSeq: PeerSeq = 0;

/** Whatever it holds: another program may have written it. */
export function parseCheckpoint(document: Readonly<Record<string, unknown>> | undefined): Checkpoint | undefined {
  if (!document || typeof document["session_id"] !== "string") return undefined;
  const history = Array.isArray(document["history"]) ? document["history"].filter(isEntry) : [];
  return {
    session_id: document["session_id"],
    source_last_seq: (document["source_last_seq"] ?? lowestSeq) as PeerSeq,
    replication_id_version: Number(document["replication_id_version"] ?? replicationIdVersion),
    history,
  };
}

function isEntry(value: unknown): value is HistoryEntry {
  return typeof value === "object" && value !== null && typeof (value as HistoryEntry).session_id === "string";
}

/**
 * The last point that both sides tell of. Where they tell of one session differently, one was written and the other not yet, or one was
 * restored from a backup that was made in the middle of it: the earlier point is the safe one.
 */
export function commonAncestry(source: Checkpoint | undefined, target: Checkpoint | undefined): Ancestry {
  const known = new Map((target?.history ?? []).map((entry) => [entry.session_id, entry]));
  for (const [index, entry] of (source?.history ?? []).entries()) {
    const theirs = known.get(entry.session_id);
    const since = theirs && earlier(entry.recorded_seq, theirs.recorded_seq);
    if (since !== undefined) return { since, history: source?.history.slice(index) ?? [] };
  }
  return { since: lowestSeq, history: [] };
}

/** Sequences are opaque, but all servers begin them with a number that grows. Undefined: which is earlier cannot be told. */
function earlier(one: PeerSeq | undefined, other: PeerSeq | undefined): PeerSeq | undefined {
  if (one === undefined || other === undefined || isDeepStrictEqual(one, other)) return one ?? other;
  const [a, b] = [numberOf(one), numberOf(other)];
  if (Number.isNaN(a) || Number.isNaN(b)) return undefined;
  return a <= b ? one : other;
}

function numberOf(seq: PeerSeq): number {
  return Number.parseInt(String(Array.isArray(seq) ? seq[0] : seq), 10);
}

/** With the session's own entry in front, in place of the one that it wrote before. */
export function nextCheckpoint(history: readonly HistoryEntry[], entry: HistoryEntry): Checkpoint {
  const before = history.filter(({ session_id }) => session_id !== entry.session_id);
  return {
    session_id: entry.session_id,
    source_last_seq: entry.recorded_seq ?? lowestSeq,
    replication_id_version: replicationIdVersion,
    history: [entry, ...before].slice(0, maxHistory),
  };
}
