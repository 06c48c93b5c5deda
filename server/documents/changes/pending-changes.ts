/**
 * How many changes come after a sequence: `pending` of a feed. A client that reads a large database in pages asks after each one;
 * counting anew every time would make the pages ever dearer. So what is known of earlier pages is kept while nothing is written.
 */
import type { Database } from "../database.js";

interface Known {
  readonly updateSeq: number;
  /** Changes after a sequence. */
  readonly counts: Map<number, number>;
}

/** Readers of one database that are under way at the same time. */
const keptCounts = 64;
const kept = new WeakMap<Database, Known>();

/** How a reader came to the sequence that it asks about. */
export interface ReadSoFar {
  readonly since: number;
  /** The database's last sequence when reading began. */
  readonly updateSeq: number;
  /** Changes read since then, wanted or not. */
  readonly changes: number;
}

/** Changes after `seq`. */
export async function pendingAfter(database: Database, seq: number, read?: ReadSoFar): Promise<number> {
  const { updateSeq } = database;
  if (seq >= updateSeq) return 0;
  const known = countAfter(database, seq) ?? (read?.updateSeq === updateSeq ? countBehind(database, read) : undefined);
  const count = known ?? (await database.countChanges(seq));
  if (database.updateSeq === updateSeq) keep(database, seq, count);
  return count;
}

function countAfter(database: Database, seq: number): number | undefined {
  if (seq === 0) {
    // Every document is in the feed once.
    const { documents, deletedDocuments } = database.log.committed.counters;
    return documents + deletedDocuments;
  }
  const known = kept.get(database);
  return known?.updateSeq === database.updateSeq ? known.counts.get(seq) : undefined;
}

function countBehind(database: Database, { since, changes }: ReadSoFar): number | undefined {
  const before = countAfter(database, since);
  return before === undefined ? undefined : Math.max(0, before - changes);
}

function keep(database: Database, seq: number, count: number): void {
  const { updateSeq } = database;
  let known = kept.get(database);
  if (known?.updateSeq !== updateSeq) {
    known = { updateSeq, counts: new Map() };
    kept.set(database, known);
  }
  const { counts } = known;
  counts.set(seq, count);
  if (counts.size > keptCounts) counts.delete(counts.keys().next().value as number);
}
