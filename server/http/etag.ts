/** Entity tags: revisions of documents and digests, in quotes. */
import type { IncomingHttpHeaders } from "node:http";

export function etagOf(tag: string): string {
  return `"${tag}"`;
}

/** True when the client has this one already. CouchDB compares literally: `*` and tags without quotes match nothing. */
export function hasEtag(headers: IncomingHttpHeaders, etag: string): boolean {
  return headers["if-none-match"]?.split(/,\s*/).includes(etag) ?? false;
}
