/**
 * How many undeleted documents stand before an id: `offset` of a listing that begins there. It takes a count of what is before, so
 * the last counts are kept while nothing is written: a client that reads page after page pays for each document once.
 */
import type { Database } from "./database.js";

interface Mark {
  readonly id: string;
  /** The id as the store orders it. */
  readonly bytes: Buffer;
  /** Undeleted documents before it. */
  readonly before: number;
}

interface Marks {
  readonly updateSeq: number;
  /** In no order. */
  readonly marks: Mark[];
}

/** Readers of one database that are under way at the same time. */
const keptMarks = 32;
const kept = new WeakMap<Database, Marks>();

/** Undeleted documents whose ids come before `id`. */
export async function documentsBefore(database: Database, id: string): Promise<number> {
  const { updateSeq } = database;
  const nearest = nearestMark(database, Buffer.from(id));
  if (nearest?.id === id) return nearest.before;
  const between = await database.countDocuments({ from: nearest?.id, to: id });
  const before = (nearest?.before ?? 0) + between;
  if (database.updateSeq === updateSeq) markOffset(database, updateSeq, id, before);
  return before;
}

/** Notes what a listing found out; `updateSeq` is the database's last sequence when the listing began. */
export function markOffset(database: Database, updateSeq: number, id: string, before: number): void {
  if (database.updateSeq !== updateSeq) return;
  let known = kept.get(database);
  if (known?.updateSeq !== updateSeq) {
    known = { updateSeq, marks: [] };
    kept.set(database, known);
  }
  known.marks.push({ id, bytes: Buffer.from(id), before });
  if (known.marks.length > keptMarks) known.marks.shift();
}

/** The mark at the id, or the last one before it. */
function nearestMark(database: Database, bytes: Buffer): Mark | undefined {
  const known = kept.get(database);
  if (known?.updateSeq !== database.updateSeq) return undefined;
  let nearest: Mark | undefined;
  for (const mark of known.marks) {
    if (mark.bytes.compare(bytes) <= 0 && (!nearest || mark.bytes.compare(nearest.bytes) > 0)) nearest = mark;
  }
  return nearest;
}
