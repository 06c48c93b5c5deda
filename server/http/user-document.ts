/** A document of `_users` for its owner: the winner, without its secrets, and nothing of former revisions. */
import { CouchError } from "../../protocol/errors.js";
import { documentText } from "../documents/document-text.js";
import { type RevisionNode, revOf } from "../documents/revisions/tree.js";
import { pickWinner } from "../documents/show-document.js";
import { visibleUserDocument } from "../gateway/user-documents.js";
import { type DatabaseCall, json, type Reply } from "./call.js";
import { etagOf, hasEtag } from "./etag.js";

/** @throws CouchError not_found */
export function readUserDocument(call: DatabaseCall, id: string): Reply {
  const { database, identity, query } = call;
  const { document, index, value } = pickWinner(database, database.find(id));
  const rev = revOf(document.record.tree[index] as RevisionNode);
  const asked = query.rev();
  if (asked !== undefined && asked !== rev) throw new CouchError("not_found", "missing");
  const headers = { ETag: etagOf(rev) };
  if (hasEtag(call.headers, headers.ETag)) return { status: 304, headers };
  const text = documentText({ id: document.id, rev, deleted: false, value: { body: value.body, attachments: [] } });
  return json(visibleUserDocument(JSON.parse(text.toString()), identity), 200, headers);
}
