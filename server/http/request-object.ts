/**
 * `req`: what a function of a design document is told of a request. A white list, with the members that CouchDB has: a stranger's
 * code learns who asks for what, and never what they prove it with.
 */
import type { DatabaseCall } from "./call.js";
import { databaseInfo } from "./database-info.js";
import { isMember } from "./is-member.js";
import { parseJsonParameter, type Query } from "./query.js";
import { shownHeaders } from "./shown-headers.js";
import { newUuid } from "./uuids.js";

export interface RequestSubject {
  /** The document that the path names. */
  readonly id?: string | undefined;
  /** The body as it came. */
  readonly body?: string | undefined;
}

/** @throws CouchError bad_request for a key in the query that is no JSON */
export async function requestObject(
  call: DatabaseCall,
  { id, body }: RequestSubject = {},
): Promise<Record<string, unknown>> {
  return {
    info: await databaseInfo(call.database),
    id: id ?? null,
    uuid: newUuid(call.services.config.uuids),
    form: isForm(call) ? Object.fromEntries(new URLSearchParams(body)) : {},
    ...rewriteRequestObject(call, body),
  };
}

/** What a `rewrites` function is told: less, since the request has not come to its document yet. @throws CouchError bad_request */
export function rewriteRequestObject(call: DatabaseCall, body: string | undefined): Record<string, unknown> {
  const { database, identity, url } = call;
  const mark = url.indexOf("?");
  const question = mark < 0 ? undefined : url.slice(mark + 1);
  const path = pathParts(url);
  return {
    method: call.method === "HEAD" ? "GET" : call.method,
    // With the question behind the last segment.
    requested_path: question === undefined ? path : [...path.slice(0, -1), `${path.at(-1)}?${decoded(question)}`],
    path,
    raw_path: url,
    query: shownQuery(call.query),
    headers: shownHeaders(call.rawHeaders),
    // CouchDB writes the atom that stands for none.
    body: body ?? "undefined",
    peer: call.address,
    cookie: {},
    userCtx: { db: database.name, name: identity.name, roles: identity.roles },
    secObj: isMember(call) ? database.security() : {},
  };
}

/** Parts of the path of a URL, decoded; slashes that divide nothing are passed over. */
export function pathParts(url: string): readonly string[] {
  const [path = ""] = url.split("?", 1);
  return path
    .split("/")
    .filter((part) => part !== "")
    .map(decoded);
}

/** These are shown as the values that they are the JSON of. */
const jsonParameters = new Set(["key", "startkey", "endkey", "descending"]);

function shownQuery(query: Query): Record<string, unknown> {
  return Object.fromEntries(
    [...query].map(([name, value]) => [name, jsonParameters.has(name) ? parseJsonParameter(value) : value]),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isForm({ headers, method }: DatabaseCall): boolean {
  if (method !== "POST" && method !== "PUT") return false;
  return headers["content-type"]?.startsWith("application/x-www-form-urlencoded") ?? false;
}
