/**
 * `req`: what a function of a design document is told of a request. A white list, with the members that CouchDB has: a stranger's
 * code learns who asks for what, and never what they prove it with.
 */
import type { DatabaseCall } from "./call.js";
import { databaseInfo } from "./database-info.js";
import { newUuid } from "./uuids.js";

export interface RequestSubject {
  /** The document that the path names. */
  readonly id?: string;
  /** The body as it came. */
  readonly body?: string;
}

export async function requestObject(
  call: DatabaseCall,
  { id, body }: RequestSubject = {},
): Promise<Record<string, unknown>> {
  const { database, identity, request, services } = call;
  const url = request.url as string;
  const mark = url.indexOf("?");
  const question = mark < 0 ? undefined : url.slice(mark + 1);
  const path = url
    .slice(1, mark < 0 ? undefined : mark)
    .split("/")
    .map(decoded);
  return {
    info: await databaseInfo(database),
    id: id ?? null,
    uuid: newUuid(services.config.uuids),
    method: call.method,
    // With the question behind the last segment.
    requested_path: question === undefined ? path : [...path.slice(0, -1), `${path.at(-1)}?${decoded(question)}`],
    path,
    raw_path: url,
    query: Object.fromEntries(call.query),
    headers: shownHeaders(request.rawHeaders),
    // CouchDB writes the atom that stands for none.
    body: body ?? "undefined",
    peer: call.address,
    form: isForm(call) ? Object.fromEntries(new URLSearchParams(body)) : {},
    cookie: {},
    userCtx: { db: database.name, name: identity.name, roles: identity.roles },
    secObj: database.security(),
  };
}

const secret = /^(authorization|proxy-authorization|cookie|x-auth-couchdb-.*)$/i;

/** Names as CouchDB spells them: `X-Mine`, however the client did. */
function shownHeaders(raw: readonly string[]): Record<string, string> {
  const shown: Record<string, string> = {};
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    if (secret.test(name)) continue;
    const spelled = name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
    const value = raw[index + 1] as string;
    shown[spelled] = Object.hasOwn(shown, spelled) ? `${shown[spelled]}, ${value}` : value;
  }
  return shown;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isForm({ headers }: DatabaseCall): boolean {
  return headers["content-type"]?.startsWith("application/x-www-form-urlencoded") ?? false;
}
