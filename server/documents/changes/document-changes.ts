/**
 * The latest changes of chosen documents, from the documents' own records: a short list of ids costs the same in a small database
 * and in a large one.
 */
import type { Database, StoredDocument } from "../database.js";
import { changeRow, rowText, type SequenceEntry } from "../sequence-entry.js";

export interface DocumentChangesRange {
  readonly since: number;
  /** Later changes are left out: records are not read from one snapshot, and a reader goes on behind this sequence. */
  readonly upTo: number;
  readonly descending?: boolean;
}

/** Point reads before others get their turn. */
const turnSize = 500;

/** Changes of the documents of these ids, in the order of the feed. */
export async function changesOfIds(
  database: Database,
  ids: ReadonlySet<string>,
  range: DocumentChangesRange,
): Promise<readonly SequenceEntry[]> {
  const changes: SequenceEntry[] = [];
  let read = 0;
  for (const id of ids) {
    const document = database.find(id);
    if (document && isWithin(document, range)) changes.push(changeOf(document));
    if (++read % turnSize === 0) await new Promise(setImmediate);
  }
  return inOrder(changes, range);
}

/** Changes of the design documents, in the order of the feed. */
export async function changesOfDesignDocuments(
  database: Database,
  range: DocumentChangesRange,
): Promise<readonly SequenceEntry[]> {
  const changes: SequenceEntry[] = [];
  for await (const documents of database.documents({ from: "_design/", to: "_design0" })) {
    for (const document of documents) if (isWithin(document, range)) changes.push(changeOf(document));
  }
  return inOrder(changes, range);
}

function isWithin({ record: { seq } }: StoredDocument, { since, upTo }: DocumentChangesRange): boolean {
  return seq > since && seq <= upTo;
}

function inOrder(changes: SequenceEntry[], { descending = false }: DocumentChangesRange): readonly SequenceEntry[] {
  return changes.sort((a, b) => (descending ? b.seq - a.seq : a.seq - b.seq));
}

function changeOf({ id, record: { tree, winner, seq } }: StoredDocument): SequenceEntry {
  const row = changeRow(id, tree, winner);
  return { seq, deleted: row.deleted, severalLeaves: row.severalLeaves, row: Buffer.from(rowText(row)) };
}
