/** Entity tags: revisions of documents and digests, in quotes. */
import type { IncomingHttpHeaders } from "node:http";

export function etagOf(tag: string): string {
  return `"${tag}"`;
}

/**
 * True when the client has this one already. CouchDB compares literally, but for the `W/` that proxies put in front: `*` and tags
 * without quotes match nothing.
 */
export function hasEtag(headers: IncomingHttpHeaders, etag: string): boolean {
  const known = headers["if-none-match"]?.split(/,\s*/) ?? [];
  return known.includes(etag) || known.includes(`W/${etag}`);
}
