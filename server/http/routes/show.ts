/** `/{db}/_design/{ddoc}/_show/{func}[/{docid}]`: a document, or none, as a function makes an answer of it. */
import { createHash } from "node:crypto";
import { CouchError } from "../../../protocol/errors.js";
import { findDesignDocument } from "../../query/design-function.js";
import type { DatabaseCall, Reply } from "../call.js";
import { etagOf, hasEtag } from "../etag.js";
import { type NamedFunction, namedFunction, requestText } from "../function-call.js";
import { findForFunction } from "../function-document.js";
import { functionReply } from "../function-response.js";

export async function show(call: DatabaseCall): Promise<Reply> {
  const { database, params, services } = call;
  const named = namedFunction(call, "shows");
  const id = params["*"];
  const doc = id === undefined ? null : findForFunction(call, id);
  const etag = etagOf(tagOf(call, named, doc));
  if (hasEtag(call.headers, etag)) return { status: 304, headers: { ETag: etag } };
  const req = await requestText(call, id);
  const response = await services.sandbox.show({ database: database.name, function: named.source, doc, req });
  return functionReply(response, { headers: { ETag: etag, Vary: "Accept" } });
}

/** Known before the function runs, and so not the function's to choose: what it is made of, for whom, and in which form. */
function tagOf({ database, headers, identity }: DatabaseCall, { designDocument }: NamedFunction, doc: string | null) {
  const caller = [identity.name, identity.roles];
  const parts = [database.number, designDocument.id, designDocument.rev, doc, headers.accept, caller];
  return createHash("md5").update(JSON.stringify(parts)).digest("base64url");
}

/** @throws CouchError show_error, not_found */
export function showWithoutName({ database, params }: DatabaseCall): never {
  findDesignDocument(database, params["ddoc"] as string);
  throw new CouchError("show_error");
}
