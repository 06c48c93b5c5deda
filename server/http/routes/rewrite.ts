/** `/{db}/_design/{ddoc}/_rewrite/{path}`: the design document says which other request is meant, and that one is answered. */
import { Readable } from "node:stream";
import { CouchError } from "../../../protocol/errors.js";
import { pickMember } from "../../documents/json/json-text.js";
import {
  type DesignDocument,
  findDesignDocument,
  functionSource,
  requireJavaScript,
} from "../../query/design-function.js";
import type { DatabaseCall, Reply } from "../call.js";
import { bodyBytes } from "../function-call.js";
import { functionReply } from "../function-response.js";
import { pathParts, rewriteRequestObject } from "../request-object.js";
import { applyRules } from "../rewrites/apply-rules.js";
import { parseFunctionRewrite } from "../rewrites/function-rewrite.js";
import { withBody, withHeaders } from "../rewrites/rewritten-headers.js";
import { type DesignPath, rewrittenUrl } from "../rewrites/rewritten-url.js";
import { parseRules } from "../rewrites/rules.js";
import { isSafe, refuseForeignOrigin } from "../same-origin.js";

export async function rewrite(call: DatabaseCall): Promise<Reply> {
  if (!isSafe(call.method)) refuseForeignOrigin(call);
  const base = { db: call.params["db"] as string, ddoc: call.params["ddoc"] as string };
  const designDocument = findDesignDocument(call.database, base.ddoc);
  const rewrites = pickMember(designDocument.body, "rewrites");
  if (Array.isArray(rewrites)) return await byRules(call, base, rewrites);
  if (typeof rewrites === "string") return await byFunction(call, base, designDocument, rewrites);
  throw new CouchError("rewrite_error");
}

/** `/{db}/_design/{ddoc}/_rewrite`, before what the rules are about. */
const partsBefore = 4;

async function byRules(call: DatabaseCall, base: DesignPath, rewrites: readonly unknown[]): Promise<Reply> {
  const { method, query, url } = call;
  const subject = { method: method === "HEAD" ? "GET" : method, parts: pathParts(url).slice(partsBefore), query };
  const applied = applyRules(parseRules(rewrites), subject);
  if (!applied) throw new CouchError("not_found", "missing");
  return await call.rewritten({ method, url: rewrittenUrl(base, applied.segments, applied.query) });
}

async function byFunction(
  call: DatabaseCall,
  base: DesignPath,
  designDocument: DesignDocument,
  source: string,
): Promise<Reply> {
  requireJavaScript(designDocument);
  const sent = await bodyBytes(call);
  const wanted = await call.services.sandbox.rewrite({
    database: call.database.name,
    function: functionSource(designDocument, source),
    req: JSON.stringify(rewriteRequestObject(call, sent?.toString())),
  });
  if (wanted === null) throw new CouchError("rewrite_error");
  const question = call.url.slice(call.url.indexOf("?") + 1 || call.url.length);
  const rewrite = parseFunctionRewrite(wanted, { method: call.method, question, base });
  if (rewrite.kind === "answer") return functionReply(rewrite.response);
  const body = rewrite.body === undefined ? sent : Buffer.from(rewrite.body);
  return await call.rewritten({
    method: rewrite.method,
    url: rewrite.url,
    ...withBody(withHeaders(call, rewrite.headers), body),
    request: Readable.from(body ? [body] : []),
  });
}
