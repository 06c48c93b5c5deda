/** Rows of `_changes`. Each is stored as JSON text with its sequence, and spliced. */
import { generationOf, hashOf } from "../../protocol/ids.js";
import { ByteWriter } from "../documents/bytes.js";
import type { Database, StoredDocument } from "../documents/database.js";
import { quote } from "../documents/document-text.js";
import { findRevision, leavesOf, type RevisionNode, revOf } from "../documents/revisions/tree.js";
import { idOfRow, revOfRow, type SequenceEntry } from "../documents/sequence-entry.js";
import { type ShownRevision, type ShowOptions, showRevision } from "../documents/show-document.js";
import { type Fields, writeFields } from "../query/mango/fields.js";
import type { ChangesQuery } from "./changes-query.js";

/** What all rows of a feed have in common. */
export interface RowOptions {
  readonly database: Database;
  readonly query: ChangesQuery;
  /** What of the documents is shown; undefined: all. */
  readonly fields: Fields | undefined;
}

/** What a filter found in a change. */
export interface Wanted {
  readonly document: StoredDocument;
  /** With `style=all_docs`, of a document with several leaves: those that the filter wants, best first. */
  readonly leaves: readonly number[] | undefined;
}

const closingBrace = 0x7d;

/**
 * Appends the row that is the `index`th of its feed; `wanted` is what its filter found in it. Synchronous unless attachment bytes
 * must be read from files.
 */
export function writeChange(
  out: ByteWriter,
  { database, query, fields }: RowOptions,
  entry: SequenceEntry,
  index: number,
  wanted?: Wanted,
): void | Promise<void> {
  const { show, allLeaves, seqInterval } = query;
  out.latin1(index % seqInterval === 0 ? `{"seq":"${database.seqText(entry.seq)}",` : '{"seq":null,');
  const withLeaves = allLeaves && entry.severalLeaves;
  const document = wanted?.document ?? (show || withLeaves ? database.find(idOfRow(entry.row)) : undefined);
  if (withLeaves && document) out.utf8(leavesRow(document, wanted?.leaves ?? leavesInOrder(document), entry));
  else out.raw(entry.row);
  if (!show) return void out.byte(closingBrace);
  out.latin1(',"doc":');
  const shown = document && revisionOfRow(database, document, entry);
  if (!shown) return void out.latin1("null}");
  const showing = fields ? showFields(out, database, shown, show, fields) : showRevision(out, database, shown, show);
  if (showing) return showing.then(() => void out.byte(closingBrace));
  out.byte(closingBrace);
}

function showFields(
  out: ByteWriter,
  database: Database,
  shown: ShownRevision,
  show: ShowOptions,
  fields: Fields,
): void | Promise<void> {
  const whole = new ByteWriter(shown.value.body.length + 512);
  const showing = showRevision(whole, database, shown, show);
  const pick = (): void => writeFields(out, whole.view(), fields);
  return showing ? showing.then(pick) : pick();
}

/** Every leaf, best first, as winners would be chosen. */
export function leavesInOrder({ record: { tree } }: StoredDocument): readonly number[] {
  const leaves = leavesOf(tree).reverse();
  const isDeleted = (index: number): boolean => (tree[index] as RevisionNode).deleted;
  return [...leaves.filter((index) => !isDeleted(index)), ...leaves.filter(isDeleted)];
}

/** The row with several leaves. */
function leavesRow({ id, record: { tree } }: StoredDocument, leaves: readonly number[], entry: SequenceEntry): string {
  const changes = leaves.map((index) => `{"rev":${quote(revOf(tree[index] as RevisionNode))}}`).join(",");
  return `"id":${quote(id)},"changes":[${changes}]${entry.deleted ? ',"deleted":true' : ""}`;
}

/** The revision that the row names, even when the document was edited since the row was read. */
export function revisionOfRow(
  database: Database,
  document: StoredDocument,
  { seq, row }: SequenceEntry,
): ShownRevision | undefined {
  const { record } = document;
  let index = record.winner;
  if (record.seq !== seq) {
    const rev = revOfRow(row);
    index = findRevision(record.tree, generationOf(rev), hashOf(rev));
  }
  const value = index < 0 ? undefined : database.value(document, index);
  return value && { document, index, value };
}
