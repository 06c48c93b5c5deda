/** `/{db}/{docid}/{attachment}`: one attachment by itself. Its name is the rest of the path, slashes included. */
import { CouchError } from "../../../protocol/errors.js";
import { type DocId, isDesignDocId, isLocalDocId, parseDocId, type RevId } from "../../../protocol/ids.js";
import type { AttachmentInfo } from "../../documents/attachments/attachment-info.js";
import type { StoredDocument } from "../../documents/database.js";
import type { RevisionValue } from "../../documents/document-record.js";
import type { NewAttachment } from "../../documents/incoming-revision.js";
import { checkAttachmentName } from "../../documents/parse-document.js";
import { checkPartitionedId } from "../../documents/partitions.js";
import { isLeaf, type RevisionNode } from "../../documents/revisions/tree.js";
import { pickRevision, pickWinner } from "../../documents/show-document.js";
import { isDatabaseAdmin, notADatabaseAdmin } from "../../gateway/access.js";
import { attachmentReply } from "../attachment-reply.js";
import { type DatabaseCall, json, type Reply } from "../call.js";
import { locationOf } from "../locations.js";
import { checkRoom } from "../quota.js";
import { writeDocument } from "../write-documents.js";
import { givenRev, idOfPath } from "./document.js";

export function readAttachmentRoute(call: DatabaseCall): Reply {
  const id = idOf(call);
  const { database } = call;
  const document = database.find(id);
  const rev = call.query.rev();
  if (!document) throw new CouchError("not_found", "missing");
  const { value } = rev === undefined ? pickWinner(database, document) : pickRevision(database, document, rev);
  return attachmentReply(call, attachmentOf(value, nameOf(call)));
}

/** Puts one attachment on a document, which is made when there is none. The others stay, and so does the body. */
export async function writeAttachmentRoute(call: DatabaseCall): Promise<Reply> {
  const { database, headers } = call;
  const id = idOf(call);
  const name = nameOf(call);
  checkAttachmentName(name);
  const encoding = encodingOf(headers["content-encoding"]);
  const rev = givenRev(call, undefined);
  // Before the bytes are received: a refusal after an hour of uploading helps nobody.
  mayWrite(call, id);
  const base = baseOf(call, id, rev);
  const contentType = headers["content-type"] ?? "application/octet-stream";
  const contentMd5 = headers["content-md5"] as string | undefined;
  const limit = call.services.config.limits.maxAttachmentSize;
  if (Number(headers["content-length"] ?? 0) > limit) {
    throw new CouchError("attachment_too_large", `An attachment may have at most ${limit} bytes.`);
  }
  await checkRoom(call, Number(headers["content-length"] ?? 0) - (lengthOf(base, name) ?? 0));
  const content = await database.takeAttachment(call.request, { contentType, contentMd5, encoding, limit });
  const written = await write(call, id, rev, base, name, { kind: "new", name, contentType, content });
  return json({ ok: true, id, rev: written }, 201, { Location: locationOf(call, database.name, id, name) });
}

export async function deleteAttachmentRoute(call: DatabaseCall): Promise<Reply> {
  const id = idOf(call);
  const name = nameOf(call);
  const rev = givenRev(call, undefined);
  mayWrite(call, id);
  if (rev === undefined) {
    attachmentOf(pickWinner(call.database, call.database.find(id)).value, name);
    throw new CouchError("conflict");
  }
  const base = baseOf(call, id, rev) as Base;
  attachmentOf(base.value, name);
  return json({ ok: true, id, rev: await write(call, id, rev, base, name) });
}

/** The revision that an edit begins with. */
export interface Base {
  readonly value: RevisionValue;
  readonly deleted: boolean;
}

/** Undefined for a document that is not there, or no longer. @throws CouchError conflict, not_found with CouchDB's status 409 */
export function baseOf({ database }: DatabaseCall, id: DocId, rev: RevId | undefined): Base | undefined {
  const document = database.find(id);
  if (rev === undefined) {
    if (document && !winnerOf(document).deleted) throw new CouchError("conflict");
    return undefined;
  }
  try {
    if (!document) throw new CouchError("not_found");
    const { index, value } = pickRevision(database, document, rev);
    if (!isLeaf(document.record.tree, index)) throw new CouchError("conflict");
    return { value, deleted: (document.record.tree[index] as RevisionNode).deleted };
  } catch (error) {
    if (error instanceof CouchError && error.error === "not_found") {
      throw new CouchError("not_found", "missing_rev", { status: 409 });
    }
    throw error;
  }
}

function winnerOf({ record }: StoredDocument): RevisionNode {
  return record.tree[record.winner] as RevisionNode;
}

function lengthOf(base: Base | undefined, name: string): number | undefined {
  return base?.value.attachments.find((attachment) => attachment.name === name)?.length;
}

/** Writes what the edit begins with, without the attachment of this name, or with another one in front. */
async function write(
  call: DatabaseCall,
  id: DocId,
  rev: RevId | undefined,
  base: Base | undefined,
  name: string,
  attachment?: NewAttachment,
): Promise<RevId> {
  const kept = (base?.value.attachments ?? []).filter((other) => other.name !== name);
  const stubs = kept.map((other) => ({ kind: "stub" as const, name: other.name }));
  const outcome = await writeDocument(call, {
    id,
    origin: { kind: "edit", parent: rev },
    deleted: base?.deleted ?? false,
    body: base?.value.body ?? Buffer.from("{}"),
    attachments: attachment ? [attachment, ...stubs] : stubs,
  });
  return outcome.rev as RevId;
}

/** @throws CouchError not_found */
function attachmentOf({ attachments }: RevisionValue, name: string): AttachmentInfo {
  const info = attachments.find((attachment) => attachment.name === name);
  if (!info) throw new CouchError("not_found", "Document is missing attachment");
  return info;
}

/** Before bytes are received: whether they could be written. @throws CouchError */
export function mayWrite({ database, identity }: DatabaseCall, id: DocId): void {
  if (database.partitioned) checkPartitionedId(id);
  if (isDesignDocId(id) && !isDatabaseAdmin(identity, database.security())) throw notADatabaseAdmin(identity);
}

/** `/{db}/_local/{id}/...`. @throws CouchError always */
export function refuseLocalAttachment(_call: DatabaseCall): never {
  throw new CouchError("bad_request", "_local documents do not accept attachments.");
}

function idOf(call: DatabaseCall): DocId {
  const id = idOfPath(call);
  if (isLocalDocId(id)) refuseLocalAttachment(call);
  return parseDocId(id);
}

function nameOf({ params }: DatabaseCall): string {
  return params["*"] as string;
}

function encodingOf(header: string | undefined): "gzip" | undefined {
  const encoding = header?.trim().toLowerCase() ?? "identity";
  if (encoding === "gzip") return encoding;
  if (encoding === "identity") return undefined;
  throw new CouchError("bad_content_type", "Only gzip and identity content-encodings are supported");
}
