/** The body of an answer of a view, piece by piece as it is pulled. */
import { setImmediate } from "node:timers/promises";
import { CouchError } from "../../protocol/errors.js";
import type { DocId, RevId } from "../../protocol/ids.js";
import { generationOf, hashOf } from "../../protocol/ids.js";
import { ByteWriter } from "../documents/bytes.js";
import type { Database } from "../documents/database.js";
import { findRevision, type RevisionNode } from "../documents/revisions/tree.js";
import { type ShownRevision, type ShowOptions, showRevision } from "../documents/show-document.js";
import type { DatabaseIndex } from "../query/indexes/database-index.js";
import type { IndexTree } from "../query/views/index-tree.js";
import { queryRows } from "../query/views/range-query.js";
import { queryReduced, type ReducedRow } from "../query/views/reduce-query.js";
import type { View } from "../query/views/view-group.js";
import type { IndexVersion } from "../query/views/view-index.js";
import type { ViewRow } from "../query/views/view-row.js";
import { listAnswers } from "./list-rows.js";
import type { ViewRequest } from "./view-request.js";

/** Bytes gathered before they are handed to the socket. */
const chunkSize = 64 * 1024;

/** Without a newline at its end. The index is read as it is when the answer begins. */
export async function* viewAnswer(index: DatabaseIndex, view: View, request: ViewRequest): AsyncGenerator<Buffer> {
  const version = index.hold();
  try {
    yield* answerOf(index.database, version, view, request);
  } finally {
    await version.release();
  }
}

/** Several answers in one, about the same version of the index. */
export async function* viewAnswers(
  index: DatabaseIndex,
  view: View,
  requests: readonly ViewRequest[],
): AsyncGenerator<Buffer> {
  const version = index.hold();
  try {
    yield* listAnswers(requests.map((request) => answerOf(index.database, version, view, request)));
  } finally {
    await version.release();
  }
}

function answerOf(
  database: Database,
  { trees, progress }: IndexVersion,
  view: View,
  request: ViewRequest,
): AsyncGenerator<Buffer> {
  const tree = trees[view.tree] as IndexTree;
  const updateSeq = request.updateSeq ? `"update_seq":"${database.seqText(progress.updateSeq)}",` : "";
  return request.isReduced
    ? reducedAnswer(tree, view, request, updateSeq)
    : rowsAnswer(database, tree, request, updateSeq);
}

async function* rowsAnswer(
  database: Database,
  tree: IndexTree,
  { query, show }: ViewRequest,
  updateSeq: string,
): AsyncGenerator<Buffer> {
  const { totalRows, offset, rows } = await queryRows(tree, query);
  const out = new ByteWriter(4096).utf8(`{"total_rows":${totalRows},"offset":${offset},${updateSeq}"rows":[`);
  let separator = "\n";
  for await (const ofLeaf of rows) {
    for (const row of ofLeaf) {
      out.latin1(separator).latin1("{").raw(row.json);
      separator = ",\n";
      if (show) {
        const writing = writeDocumentOf(out.latin1(',"doc":'), database, row, show);
        if (writing) await writing;
      }
      out.latin1("}");
      if (out.length < chunkSize) continue;
      yield out.take();
      // A long answer lets other requests have their turn.
      await setImmediate();
    }
  }
  yield out.latin1("\n]}").view();
}

async function* reducedAnswer(
  tree: IndexTree,
  view: View,
  { query }: ViewRequest,
  updateSeq: string,
): AsyncGenerator<Buffer> {
  const out = new ByteWriter(4096).utf8(`{${updateSeq}"rows":[`);
  let separator = "\n";
  if (view.reduce) {
    for await (const rows of queryReduced(tree, view.reduce.which, view.reduce.reducer, query)) {
      for (const row of rows) {
        out.utf8(separator + textOfReduced(row));
        separator = ",\n";
      }
      if (out.length < chunkSize) continue;
      yield out.take();
      await setImmediate();
    }
  }
  yield out.latin1("\n]}").view();
}

/** A function that fails on some rows fails in its row, as in CouchDB; `_stats` fails the whole answer. @throws CouchError invalid_value */
function textOfReduced(row: ReducedRow): string {
  if ("value" in row) return `{"key":${row.key},"value":${row.value}}`;
  if (row.error === "invalid_value") throw new CouchError("invalid_value", row.reason);
  return `{"key":${row.key},"error":${JSON.stringify(row.error)},"reason":${JSON.stringify(row.reason)}}`;
}

/** The document of a row, or the one that its value names: `{"_id": ...}`, `{"_rev": ...}`, or both. Synchronous unless files are read. */
function writeDocumentOf(out: ByteWriter, database: Database, row: ViewRow, show: ShowOptions): void | Promise<void> {
  const shown = documentOf(database, row);
  if (!shown) return void out.latin1("null");
  return showRevision(out, database, shown, show);
}

export function documentOf(database: Database, row: Pick<ViewRow, "id" | "value">): ShownRevision | undefined {
  const { id = row.id, rev } = linkIn(row.value);
  const document = id === null ? undefined : database.find(id);
  if (!document) return undefined;
  const { tree, winner } = document.record;
  const index = rev === undefined ? winner : findRevision(tree, generationOf(rev), hashOf(rev));
  const node: RevisionNode | undefined = tree[index];
  if (!node || (rev === undefined && node.deleted)) return undefined;
  const value = database.value(document, index);
  return value && { document, index, value };
}

interface Link {
  /** Undefined: the document that emitted the row; null: none. */
  readonly id?: DocId | null | undefined;
  readonly rev?: RevId | undefined;
}

const noLink: Link = {};

function linkIn(value: string): Link {
  if (!value.startsWith("{") || !(value.includes('"_id"') || value.includes('"_rev"'))) return noLink;
  const { _id: id, _rev: rev } = JSON.parse(value) as { readonly _id?: unknown; readonly _rev?: unknown };
  return {
    id: typeof id === "string" || id === null ? (id as DocId | null) : undefined,
    rev: typeof rev === "string" ? (rev as RevId) : undefined,
  };
}
