/** Rows of `_changes`. Each is stored as JSON text with its sequence, and spliced. */
import { generationOf, hashOf } from "../../protocol/ids.js";
import type { ByteWriter } from "../documents/bytes.js";
import type { Database, StoredDocument } from "../documents/database.js";
import { quote } from "../documents/document-text.js";
import { findRevision, leavesOf, type RevisionNode, revOf } from "../documents/revisions/tree.js";
import { idOfRow, revOfRow, type SequenceEntry } from "../documents/sequence-entry.js";
import { type ShownRevision, showRevision } from "../documents/show-document.js";
import type { ChangesQuery } from "./changes-query.js";

const closingBrace = 0x7d;

/** Appends the row that is the `index`th of its feed. Synchronous unless attachment bytes must be read from files. */
export function writeChange(
  out: ByteWriter,
  database: Database,
  query: ChangesQuery,
  entry: SequenceEntry,
  index: number,
): void | Promise<void> {
  const { show, allLeaves, seqInterval } = query;
  out.latin1(index % seqInterval === 0 ? `{"seq":"${database.seqText(entry.seq)}",` : '{"seq":null,');
  const withLeaves = allLeaves && entry.severalLeaves;
  const document = show || withLeaves ? database.find(idOfRow(entry.row)) : undefined;
  if (withLeaves && document) out.utf8(leavesRow(document, entry));
  else out.raw(entry.row);
  if (!show) return void out.byte(closingBrace);
  out.latin1(',"doc":');
  const shown = document && revisionOfRow(database, document, entry);
  if (!shown) return void out.latin1("null}");
  const showing = showRevision(out, database, shown, show);
  if (showing) return showing.then(() => void out.byte(closingBrace));
  out.byte(closingBrace);
}

/** The row with every leaf: best first, as winners would be chosen. */
function leavesRow({ id, record: { tree } }: StoredDocument, entry: SequenceEntry): string {
  const leaves = leavesOf(tree)
    .map((index) => tree[index] as RevisionNode)
    .reverse();
  const ordered = [...leaves.filter(({ deleted }) => !deleted), ...leaves.filter(({ deleted }) => deleted)];
  const changes = ordered.map((node) => `{"rev":${quote(revOf(node))}}`).join(",");
  return `"id":${quote(id)},"changes":[${changes}]${entry.deleted ? ',"deleted":true' : ""}`;
}

/** The revision that the row names, even when the document was edited since the row was read. */
function revisionOfRow(
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
