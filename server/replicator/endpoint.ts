/** A source or target as a request or a `_replicator` document names it: `"name"`, `"https://..."` or `{url, auth, headers}`. */
import { CouchError } from "../../protocol/errors.js";

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** A database elsewhere, or here by its URL. */
export interface UrlEndpoint {
  readonly kind: "url";
  /** Without user information, with a slash at its end. */
  readonly url: string;
  readonly credentials: Credentials | undefined;
  /** Further headers of every request, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A database of this server by its name. */
export interface NamedEndpoint {
  readonly kind: "name";
  readonly name: string;
}

export type Endpoint = UrlEndpoint | NamedEndpoint;

type Json = Readonly<Record<string, unknown>>;

/** Names that a request cannot set: they belong to the connection, or would let one peer speak for another. */
const connectionHeaders = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it refuses
const headerValue = /^[^\u0000-\u0008\u000a-\u001f\u007f]*$/;

/** @throws CouchError invalid_replication */
export function parseEndpoint(value: unknown): Endpoint {
  if (typeof value === "string") {
    if (/^https?:\/\//i.test(value)) return urlEndpoint(value, {});
    if (value === "") throw invalid("endpoint has an invalid url");
    return { kind: "name", name: value };
  }
  if (!isObject(value) || typeof value["url"] !== "string") throw invalid("endpoint has an invalid url");
  const { url } = value;
  if (/^https?:\/\//i.test(url)) return urlEndpoint(url, value);
  if (url === "" || url.includes("://")) throw invalid("endpoint has an invalid url");
  return { kind: "name", name: url };
}

function urlEndpoint(text: string, { headers, auth }: Json): UrlEndpoint {
  if (!URL.canParse(text)) throw invalid("endpoint has an invalid url");
  const url = new URL(text);
  const fromUrl = url.username ? { username: decoded(url.username), password: decoded(url.password) } : undefined;
  url.username = "";
  url.password = "";
  url.hash = "";
  if (url.search !== "") throw invalid("endpoint has an invalid url");
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return {
    kind: "url",
    url: url.href,
    credentials: parseAuth(auth) ?? fromUrl,
    headers: parseHeaders(headers),
  };
}

function parseAuth(auth: unknown): Credentials | undefined {
  if (auth === undefined || auth === null) return undefined;
  const basic = isObject(auth) ? auth["basic"] : undefined;
  if (!isObject(basic)) throw invalid("`auth` must be an object with `basic`");
  const { username, password } = basic;
  if (typeof username !== "string" || typeof password !== "string") {
    throw invalid("`auth.basic` must have `username` and `password`");
  }
  return { username, password };
}

function parseHeaders(headers: unknown): Readonly<Record<string, string>> {
  if (headers === undefined || headers === null) return {};
  if (!isObject(headers)) throw invalid("`headers` must be an object");
  const parsed: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (typeof value !== "string" || !headerName.test(name) || !headerValue.test(value)) {
      throw invalid("`headers` holds something that is no header");
    }
    if (connectionHeaders.has(lower)) throw invalid(`The header ${lower} cannot be set.`);
    parsed[lower] = value;
  }
  return parsed;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function invalid(reason: string): CouchError {
  return new CouchError("invalid_replication", reason);
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Text in which every URL has lost its name and password, whatever else it is. */
export function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/?#\s]*@/g, "//");
}
