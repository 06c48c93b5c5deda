/** A revision as functions of design documents see it. */
import { documentText } from "./document-text.js";
import { pathOf, type RevisionNode, revOf } from "./revisions/tree.js";
import type { ShownRevision } from "./show-document.js";

/** Of a document's history, as CouchDB's query server has it. */
const shownRevisions = 20;

/** JSON text, with stubs of attachments. */
export function textForFunction({ document, index, value }: ShownRevision, meta: [string, unknown][] = []): string {
  const { id, record } = document;
  const node = record.tree[index] as RevisionNode;
  const { start, hashes } = pathOf(record.tree, index);
  const revisions: [string, unknown] = ["_revisions", { start, ids: hashes.slice(0, shownRevisions) }];
  return documentText({ id, rev: revOf(node), deleted: node.deleted, value, meta: [revisions, ...meta] }).toString();
}
