/**
 * The hash of a new revision: MD5 over deleted flag, parent, canonical body and attachment digests, so that the same edit made
 * twice, here or on two servers, is one revision and not a conflict.
 */
import * as crypto from "node:crypto";
import type { RevId } from "../../../protocol/ids.js";
import type { AttachmentInfo } from "../attachments/attachment-info.js";

export interface NewRevision {
  readonly deleted: boolean;
  readonly parent: RevId | undefined;
  /** Canonical JSON text. */
  readonly body: Buffer;
  readonly attachments: readonly AttachmentInfo[];
}

/** Bodies up to here are hashed in one call over a copy: half the cost of a streaming hash. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/** 32 hexadecimal digits. */
export function newRevisionHash({ deleted, parent, body, attachments }: NewRevision): string {
  let head = `${deleted ? "deleted" : "kept"}\n${parent ?? ""}\n`;
  for (const { name, digest, contentType } of attachments) head += `${JSON.stringify([name, digest, contentType])}\n`;
  const headLength = Buffer.byteLength(head);
  // `crypto.hash` is missing from the first releases of Node 20.
  if (crypto.hash !== undefined && headLength + body.length <= scratch.length) {
    scratch.write(head, 0, "utf8");
    body.copy(scratch, headLength);
    return crypto.hash("md5", scratch.subarray(0, headLength + body.length), "hex");
  }
  return crypto.createHash("md5").update(head).update(body).digest("hex");
}
