/** `/{db}/_design/{ddoc}/_list/{func}/[{other-ddoc}/]{view}`: the rows of a view, as a function makes an answer of them. */
import { CouchError } from "../../../protocol/errors.js";
import { findDesignDocument } from "../../query/design-function.js";
import { parseJsonBody, requireJson } from "../body.js";
import type { DatabaseCall, Reply } from "../call.js";
import { whole } from "../chunked-reply.js";
import { bodyBytes, namedFunction } from "../function-call.js";
import { functionReply } from "../function-response.js";
import { openListSource } from "../list-source.js";
import { requestObject } from "../request-object.js";
import { answerOfAllDocs } from "./all-docs.js";
import { answerOfView } from "./view.js";

export async function list(call: DatabaseCall): Promise<Reply> {
  const { database, method, params, services } = call;
  const { source } = namedFunction(call, "lists");
  if (method === "POST") requireJson(call);
  const body = await bodyBytes(call);
  const asked = method === "POST" ? parseJsonBody(body ?? Buffer.alloc(0)) : undefined;
  const ddoc = params["other"] ?? (params["ddoc"] as string);
  const view = params["view"] as string;
  const isAllDocs = view === "_all_docs";
  if (isAllDocs) findDesignDocument(database, ddoc);
  const req = JSON.stringify(await requestObject(call, { body: body?.toString() }));
  const answer = isAllDocs ? answerOfAllDocs(call, asked) : await answerOfView(call, { ddoc, view }, asked);
  const { head, rows } = await openListSource(answer);
  const listed = await services.sandbox.list({ database: database.name, function: source, head, req, rows });
  // As CouchDB: of nothing there is nothing to be said.
  if (!listed.start) return { status: 200, ownCaching: true };
  try {
    // A function that fails before much was sent gets a proper error as its answer.
    return { ...functionReply(listed.start), body: await whole(listed.body[Symbol.asyncIterator]()) };
  } catch (error) {
    listed.body.destroy();
    throw error;
  }
}

/** @throws CouchError list_error, not_found */
export function listWithoutView({ database, params }: DatabaseCall): never {
  findDesignDocument(database, params["ddoc"] as string);
  throw new CouchError("list_error");
}
