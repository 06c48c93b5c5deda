/**
 * Cross-origin requests: an app on another origin may sync with cookies or bearer tokens when the operator lists its origin.
 * Requests without an `Origin` header pay one look-up and nothing more.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Reply } from "./call.js";

export interface CorsRules {
  readonly enabled: boolean;
  /** Origins that may call: exact ones, or all with `*`. "localhost" stands for every port of this machine's own names. */
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  /** Headers that a client may send. */
  readonly headers: readonly string[];
}

const exposed =
  "content-type, cache-control, accept-ranges, content-range, etag, location, server, x-couch-request-id, x-couch-update-newrev, x-couchdb-body-time";
const localhost = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;
/** Ten minutes: the longest that every browser grants. */
const preflightSeconds = "600";

export type CorsHeaders = Readonly<Record<string, string>>;

/** Headers of an answer to this caller; undefined when the request is not cross-origin or its origin is not allowed. */
export function corsHeaders(headers: IncomingHttpHeaders, rules: CorsRules): CorsHeaders | undefined {
  const { origin } = headers;
  if (origin === undefined || !rules.enabled || !isAllowed(origin, rules.origins)) return undefined;
  return {
    // The origin itself and never `*`: browsers send no cookies to a wildcard.
    "Access-Control-Allow-Origin": origin,
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Expose-Headers": exposed,
    Vary: "Origin",
  };
}

/** The answer to a browser that asks before it sends; undefined for any other request. */
export function preflight(method: string, headers: IncomingHttpHeaders, rules: CorsRules): Reply | undefined {
  if (method !== "OPTIONS" || headers["access-control-request-method"] === undefined) return undefined;
  const cors = corsHeaders(headers, rules);
  if (!cors) return undefined;
  return {
    status: 204,
    headers: {
      ...cors,
      "Access-Control-Allow-Methods": rules.methods.join(", "),
      "Access-Control-Allow-Headers": rules.headers.join(", "),
      "Access-Control-Max-Age": preflightSeconds,
    },
  };
}

function isAllowed(origin: string, allowed: readonly string[]): boolean {
  return allowed.some(
    (entry) => entry === "*" || entry === origin || (entry === "localhost" && localhost.test(origin)),
  );
}
