/** The answer that is an attachment: whole, in part, in several parts, or known already. */
import type { AttachmentInfo } from "../documents/attachments/attachment-info.js";
import type { ByteRange } from "../documents/attachments/blob-store.js";
import { newBoundary } from "../documents/attachments/multipart-writer.js";
import { streamAttachment } from "../documents/attachments/read-attachment.js";
import type { Database } from "../documents/database.js";
import { acceptedEncodings } from "./accepted-encodings.js";
import { attachmentEtag, attachmentHeaders } from "./attachment-headers.js";
import { contentRange, parseRange } from "./byte-range.js";
import type { DatabaseCall, Reply } from "./call.js";
import { hasEtag } from "./etag.js";

/** @throws CouchError not_acceptable, bad_request, requested_range_not_satisfiable */
export function attachmentReply(call: DatabaseCall, info: AttachmentInfo): Reply {
  const { database, headers: asked } = call;
  const etag = attachmentEtag(info);
  if (hasEtag(asked, etag)) return { status: 304, headers: { ETag: etag } };
  const accepted = acceptedEncodings(asked["accept-encoding"]);
  const headers = attachmentHeaders(info);
  if (info.encoding !== undefined) {
    if (!accepted.gzip) {
      // No length: that of the decoded bytes is what a client once said it was, and a wrong one would garble the connection.
      return reply(call, 200, headers, () => streamAttachment(database, info, true));
    }
    headers["Content-Encoding"] = info.encoding;
    headers["Content-Length"] = String(info.storedLength);
    return reply(call, 200, headers, () => database.attachment(info));
  }
  const ranges = sameContent(asked["if-range"], etag) ? parseRange(asked.range, info.length) : undefined;
  if (ranges === undefined) {
    headers["Content-Length"] = String(info.length);
    return reply(call, 200, headers, () => database.attachment(info));
  }
  const [range, ...more] = ranges as [ByteRange, ...ByteRange[]];
  if (more.length > 0) return rangesReply(call, info, ranges, headers["Content-Type"] as string);
  headers["Content-Range"] = contentRange(range, info.length);
  headers["Content-Length"] = String(range.end - range.start + 1);
  return reply(call, 206, headers, () => database.attachment(info, range));
}

/** Nothing is opened for a `HEAD`. */
function reply(
  { method }: DatabaseCall,
  status: number,
  headers: Readonly<Record<string, string>>,
  open: () => Exclude<Reply["body"], undefined>,
): Reply {
  return { status, headers, body: method === "HEAD" ? nothing() : open() };
}

async function* nothing(): AsyncIterable<Uint8Array> {}

/** A part of another content than the client has the beginning of would be worse than all of the new one. */
function sameContent(ifRange: string | string[] | undefined, etag: string): boolean {
  return ifRange === undefined || ifRange === etag;
}

function rangesReply(call: DatabaseCall, info: AttachmentInfo, ranges: readonly ByteRange[], type: string): Reply {
  const boundary = newBoundary();
  const headers = { "Content-Type": `multipart/byteranges; boundary="${boundary}"` };
  return reply(call, 206, headers, () => rangesBody(call.database, info, type, ranges, boundary));
}

async function* rangesBody(
  database: Database,
  info: AttachmentInfo,
  type: string,
  ranges: readonly ByteRange[],
  boundary: string,
): AsyncIterable<Uint8Array> {
  for (const range of ranges) {
    const lines = [`--${boundary}`, `Content-Type: ${type}`, `Content-Range: ${contentRange(range, info.length)}`];
    yield Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
    yield* database.attachment(info, range) as AsyncIterable<Uint8Array>;
    yield Buffer.from("\r\n");
  }
  yield Buffer.from(`--${boundary}--`);
}
