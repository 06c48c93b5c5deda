/**
 * Writes multipart bodies byte for byte as CouchDB lays them out: a document followed by its attachments
 * (multipart/related), and several revisions one after the other (multipart/mixed), whose parts may be of the first kind.
 */
import { randomBytes } from "node:crypto";

export interface AttachmentPart {
  readonly name: string;
  readonly contentType: string;
  /** Bytes that `read` gives: the compressed length where `encoding` is gzip. */
  readonly length: number;
  readonly encoding?: "gzip";
  read(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** A document's JSON text, in which each attachment says `"follows": true`, and these attachments in the same order. */
export interface RelatedDocument {
  readonly json: Uint8Array;
  readonly attachments: readonly AttachmentPart[];
}

/** One revision of a multipart/mixed answer: a document, or JSON text that tells why there is none. */
export type MixedPart =
  | ({ readonly kind: "document"; readonly headers?: Readonly<Record<string, string>> } & RelatedDocument)
  | { readonly kind: "error"; readonly json: Uint8Array };

export type Chunks = AsyncGenerator<Uint8Array, void, void>;

export function newBoundary(): string {
  return randomBytes(16).toString("hex");
}

export function multipartType(subtype: "related" | "mixed", boundary: string): string {
  return `multipart/${subtype}; boundary="${boundary}"`;
}

/** The body of a `multipart/related` answer or request. */
export async function* relatedBody(document: RelatedDocument, boundary: string): Chunks {
  yield Buffer.from(`--${boundary}\r\nContent-Type: application/json\r\n\r\n`);
  yield document.json;
  for (const attachment of document.attachments) {
    yield Buffer.from(attachmentHead(attachment, boundary));
    yield* attachment.read();
  }
  yield Buffer.from(`\r\n--${boundary}--`);
}

/** How many bytes `relatedBody` will give: its Content-Length. */
export function relatedLength(document: RelatedDocument, boundary: string): number {
  const frame = `--${boundary}\r\nContent-Type: application/json\r\n\r\n\r\n--${boundary}--`;
  return document.attachments.reduce(
    (sum, attachment) => sum + Buffer.byteLength(attachmentHead(attachment, boundary)) + attachment.length,
    frame.length + document.json.length,
  );
}

/** The body of a `multipart/mixed` answer to `open_revs`. */
export async function* openRevsBody(parts: AsyncIterable<MixedPart> | Iterable<MixedPart>, boundary: string): Chunks {
  let before = "";
  for await (const part of parts) {
    yield Buffer.from(`${before}--${boundary}\r\n`);
    yield* mixedPart(part);
    before = "\r\n";
  }
  yield Buffer.from(`${before}--${boundary}--`);
}

/**
 * The body of a multipart answer to `_bulk_get`: other line ends than `open_revs` has, and none at all without parts.
 * A document's `X-Doc-Id` and `X-Rev-Id` are its `headers`; CouchDB sends them only where attachments follow.
 */
export async function* bulkGetBody(parts: AsyncIterable<MixedPart> | Iterable<MixedPart>, boundary: string): Chunks {
  let empty = true;
  for await (const part of parts) {
    yield Buffer.from(`\r\n--${boundary}\r\n`);
    yield* mixedPart(part);
    empty = false;
  }
  if (!empty) yield Buffer.from(`\r\n--${boundary}--\r\n`);
}

async function* mixedPart(part: MixedPart): Chunks {
  if (part.kind === "error") {
    yield Buffer.from('Content-Type: application/json; error="true"\r\n\r\n');
    yield part.json;
  } else if (part.attachments.length === 0) {
    yield Buffer.from("Content-Type: application/json\r\n\r\n");
    yield part.json;
  } else {
    const inner = newBoundary();
    const headers = Object.entries(part.headers ?? {}).map(([name, value]) => `${name}: ${oneLine(value)}\r\n`);
    yield Buffer.from(`${headers.join("")}Content-Type: ${multipartType("related", inner)}\r\n\r\n`);
    yield* relatedBody(part, inner);
  }
}

function attachmentHead({ name, contentType, length, encoding }: AttachmentPart, boundary: string): string {
  const lines = [
    `\r\n--${boundary}`,
    `Content-Disposition: attachment; filename="${oneLine(name).replaceAll('"', "%22")}"`,
    `Content-Type: ${oneLine(contentType)}`,
    `Content-Length: ${length}`,
  ];
  if (encoding !== undefined) lines.push(`Content-Encoding: ${encoding}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Names and types are anything their writer liked: a line end in one would end the header and begin another. */
function oneLine(text: string): string {
  return text.replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
