/**
 * The hash of a new revision, CouchDB's own: MD5 over deleted flag, parent, body and the attachments' digests, as Erlang writes these
 * terms. So the same edit made twice, here or there, is one revision and not a conflict.
 */
import * as crypto from "node:crypto";
import { generationOf, hashOf, type RevId } from "../../../protocol/ids.js";
import type { AttachmentInfo } from "../attachments/attachment-info.js";
import { TermWriter } from "./external-terms.js";

export interface NewRevision {
  readonly deleted: boolean;
  readonly parent: RevId | undefined;
  /** Canonical JSON text. */
  readonly body: Buffer;
  readonly attachments: readonly Pick<AttachmentInfo, "name" | "contentType" | "digest">[];
}

/** Bodies up to here are written into memory that is kept. */
const scratchSize = 64 * 1024;
const scratch = new TermWriter(scratchSize * 2);
const hexHash = /^[0-9a-f]{32}$/;

/** 32 hexadecimal digits. */
export function newRevisionHash({ deleted, parent, body, attachments }: NewRevision): string {
  const term = (body.length > scratchSize ? new TermWriter(body.length * 2) : scratch).begin().list(5);
  term.atom(deleted ? "true" : "false");
  if (parent === undefined) {
    term.integer(0).integer(0);
  } else {
    const hash = hashOf(parent);
    term.integer(generationOf(parent));
    if (hexHash.test(hash)) term.hex(hash);
    else term.text(hash);
  }
  term.json(body);
  if (attachments.length > 0) writeAttachments(term, attachments);
  return md5(term.nil().nil().view());
}

/** CouchDB gathers them from the first to the last, each in front of those before. */
function writeAttachments(term: TermWriter, attachments: NewRevision["attachments"]): void {
  term.list(attachments.length);
  for (const { name, contentType, digest } of attachments.toReversed()) {
    term
      .tuple(3)
      .text(name)
      .text(contentType)
      .binary(Buffer.from(digest.slice("md5-".length), "base64"));
  }
}

/** `crypto.hash` is missing from the first releases of Node 20; it takes half the time of a streaming hash. */
function md5(bytes: Buffer): string {
  if (crypto.hash !== undefined) return crypto.hash("md5", bytes, "hex");
  return crypto.createHash("md5").update(bytes).digest("hex");
}
