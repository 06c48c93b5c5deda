/** The headers of an answer that is an attachment. */
import type { AttachmentInfo } from "../documents/attachments/attachment-info.js";
import { etagOf } from "./etag.js";

/** Types that a browser would show as a page of this server: HTML, SVG and all other XML. */
const active = /^(text\/(html|xml|xsl)|application\/xml|[^;]*\+xml)\s*(;|$)/i;
const unprintable = /[^\t\x20-\x7e\x80-\xff]/;

/** The MD5 of the stored bytes. */
export function attachmentEtag({ digest }: AttachmentInfo): string {
  return etagOf(digest.slice("md5-".length));
}

/** What is true of every answer about this attachment, whole or in part. */
export function attachmentHeaders(info: AttachmentInfo): Record<string, string> {
  return {
    "Accept-Ranges": info.encoding ? "none" : "bytes",
    // Whoever may write an attachment must not act as those who look at it: no scripts, an origin of its own, no page at all.
    "Content-Security-Policy": "sandbox",
    ...(active.test(info.contentType) ? { "Content-Disposition": "attachment" } : {}),
    "Content-Type": typeOf(info),
    ETag: attachmentEtag(info),
  };
}

/** A replicated document can name any text as a type: a line end in it would begin another header. */
function typeOf({ contentType }: AttachmentInfo): string {
  return unprintable.test(contentType) ? "application/octet-stream" : contentType;
}
