/** `/{db}/_design/{ddoc}/_update/{func}[/{docid}]`: a function makes a document of a request, and an answer. */
import { CouchError } from "../../../protocol/errors.js";
import { isLocalDocId, type RevId } from "../../../protocol/ids.js";
import { scanDocument } from "../../documents/json/json-text.js";
import { editOrigin, parseDocument, toRevision } from "../../documents/parse-document.js";
import { findDesignDocument } from "../../query/design-function.js";
import type { DatabaseCall, Reply } from "../call.js";
import { checkDocumentSize } from "../document-limits.js";
import { namedFunction, requestText } from "../function-call.js";
import { findForFunction } from "../function-document.js";
import { functionReply } from "../function-response.js";
import { escapeSegment } from "../locations.js";
import { takeInlineAttachments } from "../multipart-document.js";
import { refuseForeignOrigin } from "../same-origin.js";
import { writeDocument } from "../write-documents.js";
import { storeLocal } from "./local-document.js";

export async function update(call: DatabaseCall): Promise<Reply> {
  const { database, params, services } = call;
  const { source } = namedFunction(call, "updates");
  if (call.method === "GET" || call.method === "HEAD") {
    throw new CouchError("method_not_allowed", "Update functions do not allow GET");
  }
  refuseForeignOrigin(call);
  const id = params["*"];
  const doc = id === undefined ? null : findForFunction(call, id);
  const req = await requestText(call, id);
  const answer = await services.sandbox.update({ database: database.name, function: source, doc, req });
  if (answer.doc === null) return functionReply(answer.response);
  const written = await write(call, answer.doc);
  return functionReply(answer.response, {
    status: 201,
    headers: { "X-Couch-Update-NewRev": written.rev, "X-Couch-Id": escapeSegment(written.id) },
  });
}

/** As any other edit: who may, what the database's validation says and whether it is a conflict. @throws CouchError */
async function write(call: DatabaseCall, text: string): Promise<{ readonly id: string; readonly rev: string }> {
  const parsed = parseDocument(scanDocument(Buffer.from(text)));
  const { id } = parsed;
  if (id === undefined) throw new CouchError("illegal_docid", "Document id must not be empty");
  checkDocumentSize(call, parsed, id);
  if (isLocalDocId(id)) return { id, rev: await storeLocal(call, id, parsed, parsed.rev) };
  const revision = toRevision(parsed, id, editOrigin(parsed), await takeInlineAttachments(call, parsed));
  return { id, rev: (await writeDocument(call, revision)).rev as RevId };
}

/** @throws CouchError update_error, not_found */
export function updateWithoutName({ database, params }: DatabaseCall): never {
  findDesignDocument(database, params["ddoc"] as string);
  throw new CouchError("update_error");
}
