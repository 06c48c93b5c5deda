/** The headers that a function of a design document may give its answer. */
import { CouchError } from "../../protocol/errors.js";

/**
 * What they say, the server says, or nobody: how the connection works, how long the body is, cookies of the whole site (a cookie is
 * how somebody is logged in as somebody else), which origins may read, policies that a browser keeps beyond this answer.
 */
const reserved =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-length|set-cookie2?|access-control-.*|x-content-type-options|server|date|x-couch-request-id|x-couchdb-body-time|clear-site-data|strict-transport-security|service-worker-allowed|alt-svc|expect-ct|public-key-pins.*|nel|report-to|reporting-endpoints|accept-ch|origin-agent-cluster)$/i;

const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
/** Line ends begin another header, or another answer. */
const unprintable = /[^\t\x20-\x7e\x80-\xff]/;

/** Names as the server spells those that it sets itself, too: nothing is said twice. */
const spellings = new Map(
  ["Content-Type", "Content-Security-Policy", "Cache-Control", "ETag", "Vary", "Location"].map((name) => [
    name.toLowerCase(),
    name,
  ]),
);

/** Reserved ones are left out. @throws CouchError external_response_error for what is no header at all */
export function functionHeaders(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new CouchError("external_response_error", "Invalid data from a function: `headers` must be an object.");
  }
  const headers: Record<string, string> = {};
  for (const [name, member] of Object.entries(value)) {
    if (!token.test(name)) throw invalidHeader(name, "is not a name that a header can have");
    if (reserved.test(name)) continue;
    headers[spellings.get(name.toLowerCase()) ?? name] = headerText(name, member);
  }
  return headers;
}

/** Beyond ASCII as UTF-8, which is how CouchDB sends it. */
function headerText(name: string, member: unknown): string {
  if (typeof member !== "string" && typeof member !== "number" && typeof member !== "boolean") {
    throw invalidHeader(name, "must be a text");
  }
  const text = Buffer.from(String(member)).toString("latin1");
  if (unprintable.test(text)) throw invalidHeader(name, "has characters that a header cannot have");
  return text;
}

function invalidHeader(name: string, what: string): CouchError {
  const shown = JSON.stringify(name.slice(0, 100));
  return new CouchError("external_response_error", `Invalid data from a function: the header ${shown} ${what}.`);
}
