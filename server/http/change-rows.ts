/** Rows of `_changes`. Each is stored as JSON text with its sequence, and spliced. */
import { ByteWriter } from "../documents/bytes.js";
import { leavesInOrder, revisionOfRow } from "../documents/changes/changed-revisions.js";
import type { Database, StoredDocument } from "../documents/database.js";
import { quote } from "../documents/document-text.js";
import { type RevisionNode, revOf } from "../documents/revisions/tree.js";
import { idOfRow, type SequenceEntry } from "../documents/sequence-entry.js";
import { type ShownRevision, type ShowOptions, showRevision } from "../documents/show-document.js";
import type { Wanted } from "../query/changes/changes-filter.js";
import { type Fields, writeFields } from "../query/mango/fields.js";
import type { ChangesQuery } from "./changes-query.js";

/** What all rows of a feed have in common. */
export interface RowOptions {
  readonly database: Database;
  readonly query: ChangesQuery;
  /** What of the documents is shown; undefined: all. */
  readonly fields: Fields | undefined;
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

/** The row with several leaves. */
function leavesRow({ id, record: { tree } }: StoredDocument, leaves: readonly number[], entry: SequenceEntry): string {
  const changes = leaves.map((index) => `{"rev":${quote(revOf(tree[index] as RevisionNode))}}`).join(",");
  return `"id":${quote(id)},"changes":[${changes}]${entry.deleted ? ',"deleted":true' : ""}`;
}
