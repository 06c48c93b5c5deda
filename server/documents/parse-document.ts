/**
 * From a scanned document to a revision on its way in: the special members are checked, in CouchDB's words, and attachments that
 * came inline are taken in.
 */
import { CouchError } from "../../protocol/errors.js";
import {
  type DocId,
  generationOf,
  hashOf,
  isLocalDocId,
  maxGeneration,
  parseDocId,
  parseRevId,
  type RevId,
} from "../../protocol/ids.js";
import type { TakenContent } from "./attachments/intake.js";
import type { IncomingAttachment, IncomingRevision, RevisionOrigin } from "./incoming-revision.js";
import type { ScannedDocument } from "./json/json-text.js";
import type { RevisionPath } from "./revisions/tree.js";

/** An attachment as the document names it. */
export interface NamedAttachment {
  readonly name: string;
  readonly contentType: string;
  readonly revpos: number | undefined;
  readonly encoding: "gzip" | undefined;
  /** Where its bytes are: kept from an ancestor, here, or in a later part of a multipart body. */
  readonly source: { readonly kind: "stub" } | { readonly kind: "inline"; readonly data: Buffer } | FollowingSource;
}

/** What the document promises of a part that follows it. */
export interface FollowingSource {
  readonly kind: "follows";
  /** Bytes of the part. */
  readonly length: number | undefined;
  /** Bytes that they decode to, when they come encoded. */
  readonly decodedLength: number | undefined;
  /** Base64 of the MD5 of the part. */
  readonly md5: string | undefined;
}

export interface ParsedDocument {
  /** Undefined when the document does not name itself. */
  readonly id: DocId | undefined;
  readonly rev: RevId | undefined;
  /** `_revisions`, which counts for more than `_rev`; of local documents, which have none, it says nothing. */
  readonly history: RevisionPath | undefined;
  readonly deleted: boolean;
  readonly body: Buffer;
  readonly attachments: readonly NamedAttachment[];
}

/** Members that answers carry and that a client may send back: they say nothing. */
const ignored = /^_(revs_info|conflicts|deleted_conflicts|local_seq|access)$/;
const defaultContentType = "application/octet-stream";

/**
 * @param path the id that the request's path names, where the document need not name itself
 * @throws CouchError doc_validation, illegal_docid, bad_request
 */
export function parseDocument({ special, body }: ScannedDocument, path?: DocId): ParsedDocument {
  let id: DocId | undefined;
  let rev: RevId | undefined;
  let deleted = false;
  let attachments: readonly NamedAttachment[] = [];
  for (const name in special) {
    const value = special[name];
    if (name === "_id") id = parseDocId(value);
    else if (name === "_rev") rev = parseRevId(value);
    else if (name === "_deleted") deleted = parseDeleted(value);
    else if (name === "_revisions") checkHistory(value);
    else if (name === "_attachments") attachments = parseAttachments(value);
    else if (!ignored.test(name)) throw badMember(name);
  }
  const history = isLocalDocId(path ?? id ?? "")
    ? undefined
    : historyOf(special["_revisions"] as Revisions | undefined);
  return { id, rev, history, deleted, body, attachments };
}

/** How a document becomes a revision of a given id; `contents` holds what was taken in, by attachment name. */
export function toRevision(
  parsed: ParsedDocument,
  id: DocId,
  origin: RevisionOrigin,
  contents: ReadonlyMap<string, TakenContent>,
): IncomingRevision {
  const attachments = parsed.attachments.map(({ name, contentType, revpos, source }): IncomingAttachment => {
    if (source.kind === "stub") return { kind: "stub", name, revpos };
    const content = contents.get(name);
    if (!content) throw new CouchError("bad_request", `The attachment ${name} did not follow.`);
    return { kind: "new", name, contentType, content, revpos };
  });
  return { id, origin, deleted: parsed.deleted, body: parsed.body, attachments };
}

/** An edit on top of the revision that the document names. */
export function editOrigin(parsed: ParsedDocument): RevisionOrigin {
  const { history, rev } = parsed;
  if (!history) return { kind: "edit", parent: rev && storable(rev) };
  return { kind: "edit", parent: `${history.start}-${history.hashes[0]}` as RevId, mustExist: true };
}

/** A revision that another server made. @throws CouchError bad_request when the document does not say which */
export function replicatedOrigin(parsed: ParsedDocument): RevisionOrigin {
  const rev = parsed.rev && storable(parsed.rev);
  const path = parsed.history ?? (rev && { start: generationOf(rev), hashes: [hashOf(rev)] });
  if (!path) {
    throw new CouchError("bad_request", "When `new_edits: false`, the document needs `_rev` or `_revisions` specified");
  }
  if (path.start < 1) throw new CouchError("bad_request", "Invalid rev format");
  return { kind: "replicated", path };
}

/** What may enter a tree and the keys of bodies. @throws CouchError bad_request */
function storable(rev: RevId): RevId {
  // Greater generations are no exact numbers: a child could not be told from its parent. NUL divides id and revision in keys.
  if (generationOf(rev) > maxGeneration || rev.includes("\0"))
    throw new CouchError("bad_request", "Invalid rev format");
  return rev;
}

function badMember(name: string): CouchError {
  return new CouchError("doc_validation", `Bad special document member: ${name}`);
}

function parseDeleted(value: unknown): boolean {
  if (typeof value !== "boolean") throw badMember("_deleted");
  return value;
}

interface Revisions {
  readonly start: number;
  readonly ids: readonly string[];
}

function checkHistory(value: unknown): void {
  if (!isObject(value)) throw badMember("_revisions");
  const { start, ids } = value;
  if (!Number.isInteger(start)) throw new CouchError("doc_validation", "_revisions.start isn't an integer.");
  if (!Array.isArray(ids)) throw new CouchError("doc_validation", "_revisions.ids isn't a array.");
  if (ids.some((hash) => typeof hash !== "string")) throw new CouchError("doc_validation", "RevId isn't a string");
}

function historyOf(revisions: Revisions | undefined): RevisionPath | undefined {
  if (!revisions) return undefined;
  const { start, ids } = revisions;
  if (ids.length === 0 || start < 1 || start > maxGeneration) {
    throw new CouchError("doc_validation", "_revisions names no possible history.");
  }
  // Each goes through the same door as a `_rev`, so that no spelling of a revision enters a tree that could not be asked for.
  // Ids beyond the first generation cannot be revisions.
  const hashes = ids.slice(0, start).map((hash, i) => hashOf(storable(parseRevId(`${start - i}-${hash}`))));
  return { start, hashes };
}

function parseAttachments(value: unknown): readonly NamedAttachment[] {
  if (!isObject(value)) throw badMember("_attachments");
  return Object.entries(value).map(([name, attachment]) => parseAttachment(name, attachment));
}

function parseAttachment(name: string, attachment: unknown): NamedAttachment {
  checkAttachmentName(name);
  if (!isObject(attachment)) throw invalidData(name);
  const { content_type, revpos, encoding, stub, follows, data } = attachment;
  if (content_type !== undefined && typeof content_type !== "string") throw invalidData(name);
  if (revpos !== undefined && !(Number.isSafeInteger(revpos) && (revpos as number) >= 0)) throw invalidData(name);
  const source =
    stub === true
      ? { kind: "stub" as const }
      : follows === true
        ? followingSource(attachment)
        : { kind: "inline" as const, data: decodeBase64(name, data) };
  return {
    name,
    contentType: content_type ?? defaultContentType,
    revpos: revpos as number | undefined,
    encoding: encoding === "gzip" ? "gzip" : undefined,
    source,
  };
}

function followingSource({ encoding, length, encoded_length, digest }: Record<string, unknown>): FollowingSource {
  const encoded = encoding === "gzip";
  return {
    kind: "follows",
    length: byteCount(encoded ? encoded_length : length),
    decodedLength: encoded ? byteCount(length) : undefined,
    md5: typeof digest === "string" ? md5Digest.exec(digest)?.[1] : undefined,
  };
}

const md5Digest = /^md5-([0-9A-Za-z+/]{22}==)$/;

function byteCount(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

/** @throws CouchError bad_request */
export function checkAttachmentName(name: string): void {
  if (name.startsWith("_")) {
    throw new CouchError("bad_request", `Attachment name '${name}' starts with prohibited character '_'`);
  }
  if (!name.isWellFormed()) throw new CouchError("bad_request", "Attachment name is not UTF-8 encoded");
}

const blanks = /\s/;
const urlAlphabet = /[-_]/;

/** `Buffer.from` skips what it does not understand; a client that sends garbage must be told. */
function decodeBase64(name: string, data: unknown): Buffer {
  if (typeof data !== "string") throw invalidData(name);
  const text = blanks.test(data) ? data.replace(/\s+/g, "") : data;
  const decoded = Buffer.from(text, "base64");
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  // Whatever was skipped is missing from the length.
  if (text.length % 4 !== 0 || decoded.length !== (text.length / 4) * 3 - padding || urlAlphabet.test(text)) {
    throw invalidData(name);
  }
  return decoded;
}

function invalidData(name: string): CouchError {
  return new CouchError("bad_request", `Invalid attachment data for ${name}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
