/**
 * Documents together with the bytes of their attachments: a `multipart/related` request body, read part by part, and the answers
 * that are laid out so. Bytes stream between the socket and the store; only the JSON is held in memory.
 */
import type { Readable } from "node:stream";
import { CouchError } from "../../protocol/errors.js";
import type { RevId } from "../../protocol/ids.js";
import { type Follower, followersOf, takeNext } from "../documents/attachments/following-parts.js";
import type { TakenContent } from "../documents/attachments/intake.js";
import { type MultipartPart, multipartBoundary, readMultipart } from "../documents/attachments/multipart-reader.js";
import {
  bulkGetBody,
  type MixedPart,
  multipartType,
  newBoundary,
  openRevsBody,
  type RelatedDocument,
  relatedBody,
  relatedLength,
} from "../documents/attachments/multipart-writer.js";
import { ByteWriter } from "../documents/bytes.js";
import type { Database } from "../documents/database.js";
import { scanDocument } from "../documents/json/json-text.js";
import { type ParsedDocument, parseDocument } from "../documents/parse-document.js";
import { type RevisionNode, revOf } from "../documents/revisions/tree.js";
import { type ShownRevision, type ShowOptions, showRevision, wantsBytes } from "../documents/show-document.js";
import { bodyStream } from "./body.js";
import { type DatabaseCall, jsonText, type Reply } from "./call.js";
import { checkDocumentSize, jsonLimit } from "./document-limits.js";
import type { BulkGetResult } from "./routes/bulk-get.js";

/** A document as it came, and the bytes of its attachments, taken in. */
export interface IncomingDocument {
  readonly parsed: ParsedDocument;
  /** By attachment name. */
  readonly contents: ReadonlyMap<string, TakenContent>;
}

/**
 * The body of a `PUT` with `Content-Type: multipart/related`.
 * @throws CouchError bad_request, bad_content_type, document_too_large, attachment_too_large, too_large, content_md5_mismatch
 */
export async function readMultipartDocument(call: DatabaseCall): Promise<IncomingDocument> {
  const boundary = multipartBoundary(call.headers["content-type"] ?? "");
  if (boundary === undefined) throw new CouchError("bad_request", "The multipart type names no boundary.");
  const { maxHttpRequestSize } = call.services.config.limits;
  if (Number(call.headers["content-length"] ?? 0) > maxHttpRequestSize) throw requestTooLarge(maxHttpRequestSize);
  const parts = readMultipart(bodyStream(call), boundary);
  try {
    const first = await parts.next();
    if (first.done) throw new CouchError("bad_request", "The multipart body has no parts.");
    const parsed = parseDocument(scanDocument(await readJsonPart(call, first.value)));
    checkDocumentSize(call, parsed, "");
    const contents = new Map(await takeInline(call, parsed));
    await takeParts(call, parsed, parts, contents);
    return { parsed, contents };
  } finally {
    await parts.return();
  }
}

/**
 * The attachments that a JSON document carries inside.
 * @throws CouchError bad_request when it promises parts, which a JSON body cannot have; attachment_too_large
 */
export async function takeInlineAttachments(
  call: DatabaseCall,
  parsed: ParsedDocument,
): Promise<ReadonlyMap<string, TakenContent>> {
  const follower = parsed.attachments.find(({ source }) => source.kind === "follows");
  if (follower) {
    throw new CouchError("bad_request", `The attachment ${follower.name} cannot follow: the request is not multipart.`);
  }
  return await takeInline(call, parsed);
}

/** The answer to a reader of one revision who wants the bytes of its attachments and takes `multipart/related`. */
export function multipartDocumentReply(
  { database }: DatabaseCall,
  shown: ShownRevision,
  options: ShowOptions,
  headers: Readonly<Record<string, string>>,
): Reply {
  const document = related(database, shown, options);
  if (document.attachments.length === 0) return jsonText(Buffer.from(document.json), 200, headers);
  const boundary = newBoundary();
  const length = String(relatedLength(document, boundary));
  return {
    status: 200,
    headers: { ...headers, "Content-Type": multipartType("related", boundary), "Content-Length": length },
    body: relatedBody(document, boundary),
  };
}

/** The answer to `open_revs` for a reader who takes `multipart/mixed`. */
export function openRevsReply(
  { database }: DatabaseCall,
  items: readonly (ShownRevision | { readonly missing: RevId })[],
  options: ShowOptions,
): Reply {
  const boundary = newBoundary();
  return mixedReply("mixed", boundary, openRevsBody(openRevsParts(database, items, options), boundary));
}

/** The answer to `_bulk_get` for a reader who takes multipart and no JSON. */
export function bulkGetMultipart(
  { database }: DatabaseCall,
  results: Iterable<BulkGetResult>,
  subtype: "mixed" | "related",
): Reply {
  const boundary = newBoundary();
  return mixedReply(subtype, boundary, bulkGetBody(bulkGetParts(database, results), boundary));
}

// Reading

async function readJsonPart(call: DatabaseCall, { headers, body }: MultipartPart): Promise<Buffer> {
  if (headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase() !== "application/json") {
    throw new CouchError("bad_content_type", "Content-Type must be application/json");
  }
  const limit = jsonLimit(call);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) throw requestTooLarge(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function takeInline(
  call: DatabaseCall,
  { attachments }: ParsedDocument,
): Promise<ReadonlyMap<string, TakenContent>> {
  const contents = new Map<string, TakenContent>();
  const limit = call.services.config.limits.maxAttachmentSize;
  for (const { name, contentType, encoding, source } of attachments) {
    if (source.kind !== "inline") continue;
    contents.set(name, await call.database.takeAttachment(source.data, { contentType, encoding, limit }));
  }
  return contents;
}

/** Every promised part, in the order of the promises unless a part names its file. */
async function takeParts(
  call: DatabaseCall,
  parsed: ParsedDocument,
  parts: AsyncIterable<MultipartPart>,
  contents: Map<string, TakenContent>,
): Promise<void> {
  const waiting: Follower[] = followersOf(parsed);
  const { maxAttachmentSize, maxHttpRequestSize } = call.services.config.limits;
  let left = maxHttpRequestSize;
  for await (const part of parts) {
    const attachment = takeNext(waiting, part);
    const { name, contentType, encoding, source } = attachment;
    if (source.length === undefined) throw new CouchError("bad_request", `The attachment ${name} needs a length.`);
    if (source.length > left) throw requestTooLarge(maxHttpRequestSize);
    left -= source.length;
    const content = await call.database.takeAttachment(part.body, {
      contentType,
      encoding,
      contentMd5: source.md5,
      expectedLength: source.length,
      limit: maxAttachmentSize,
    });
    contents.set(name, { ...content, length: source.decodedLength ?? content.length });
  }
  const [missing] = waiting;
  if (missing) throw new CouchError("bad_request", `The attachment ${missing.name} did not follow.`);
}

function requestTooLarge(limit: number): CouchError {
  return new CouchError("too_large", `The request body may have at most ${limit} bytes.`);
}

// Answering

/**
 * As in CouchDB a multipart answer brings the bytes whatever `attachments` says (unless `atts_since` excludes them), and brings them as
 * stored: the JSON tells of their encoding, so that nobody compresses for the second time what travels from store to store.
 */
function related(database: Database, shown: ShownRevision, options: ShowOptions): RelatedDocument {
  const show = { ...options, attachments: true, follows: true, attEncodingInfo: true };
  const out = new ByteWriter(shown.value.body.length + 1024);
  showRevision(out, database, shown, show);
  const attachments = shown.value.attachments.filter(wantsBytes(shown, show)).map((info) => ({
    name: info.name,
    contentType: info.contentType,
    length: info.storedLength,
    ...(info.encoding ? { encoding: info.encoding } : {}),
    read: (): Readable => database.attachment(info),
  }));
  return { json: out.take(), attachments };
}

function* openRevsParts(
  database: Database,
  items: readonly (ShownRevision | { readonly missing: RevId })[],
  options: ShowOptions,
): Generator<MixedPart> {
  for (const item of items) {
    if ("missing" in item) yield { kind: "error", json: Buffer.from(JSON.stringify(item)) };
    else yield { kind: "document", ...related(database, item, options) };
  }
}

function* bulkGetParts(database: Database, results: Iterable<BulkGetResult>): Generator<MixedPart> {
  for (const { items, show } of results) {
    for (const item of items) {
      if ("document" in item) {
        const rev = revOf(item.document.record.tree[item.index] as RevisionNode);
        const headers = { "X-Doc-Id": item.document.id, "X-Rev-Id": rev };
        yield { kind: "document", headers, ...related(database, item, show) };
      } else {
        yield { kind: "error", json: Buffer.from(JSON.stringify(item)) };
      }
    }
  }
}

function mixedReply(subtype: "mixed" | "related", boundary: string, body: AsyncIterable<Uint8Array>): Reply {
  return { status: 200, headers: { "Content-Type": multipartType(subtype, boundary) }, body };
}
