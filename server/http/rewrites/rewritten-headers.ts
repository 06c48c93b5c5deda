/** The headers of a request that a function rewrote. */
import type { IncomingHttpHeaders } from "node:http";

export interface SentHeaders {
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
}

/**
 * Who asks, from where, and how the connection works is not for a function to say: the rewritten request is the same caller's.
 */
const fixed =
  /^(authorization|proxy-.*|cookie|x-auth-couchdb-.*|host|origin|connection|content-length|content-encoding|transfer-encoding|x-http-method-override|__proto__)$/;

/** The function's in place of those of the same name. */
export function withHeaders(sent: SentHeaders, own: Readonly<Record<string, string>>): SentHeaders {
  let { headers, rawHeaders } = sent;
  for (const [spelled, value] of Object.entries(own)) {
    const name = spelled.toLowerCase();
    if (fixed.test(name)) continue;
    headers = { ...headers, [name]: value };
    rawHeaders = [...without(rawHeaders, name), spelled, value];
  }
  return { headers, rawHeaders };
}

/** Of a body that is here as it will be read: decompressed, and as long as it is. */
export function withBody({ headers, rawHeaders }: SentHeaders, body: Buffer | undefined): SentHeaders {
  const { "content-length": _length, "content-encoding": _encoding, "transfer-encoding": _transfer, ...rest } = headers;
  const raw = ["content-length", "content-encoding", "transfer-encoding"].reduce(without, rawHeaders);
  if (!body) return { headers: rest, rawHeaders: raw };
  const length = String(body.length);
  return { headers: { ...rest, "content-length": length }, rawHeaders: [...raw, "Content-Length", length] };
}

function without(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_, index) => rawHeaders[index - (index % 2)]?.toLowerCase() !== name);
}
