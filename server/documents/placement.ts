/**
 * Where an incoming revision goes in the tree that it meets: its line of history, its own content complete with what its stubs
 * stand for, or a conflict. Pure but for reading ancestors' values.
 */
import { CouchError } from "../../protocol/errors.js";
import { generationOf, hashOf, maxGeneration, type RevId } from "../../protocol/ids.js";
import type { AttachmentInfo } from "./attachments/attachment-info.js";
import type { DocumentRecord, RevisionValue } from "./document-record.js";
import type { IncomingRevision, NewAttachment } from "./incoming-revision.js";
import { newRevisionHash } from "./revisions/new-revision.js";
import { findRevision, isLeaf, pathOf, type RevisionNode, type RevisionPath, revOf } from "./revisions/tree.js";

export interface Placement {
  readonly path: RevisionPath;
  readonly value: RevisionValue;
  /** Nearest ancestor on the path that can be read: what `validate_doc_update` is shown as the old document. */
  readonly ancestor: number | undefined;
}

/** Reads the value of a node of the document's tree. */
export type ReadValue = (record: DocumentRecord, index: number) => RevisionValue | undefined;

/** @throws CouchError conflict, missing_stub */
export function place(incoming: IncomingRevision, record: DocumentRecord | undefined, read: ReadValue): Placement {
  const { origin } = incoming;
  if (origin.kind === "replicated") {
    const ancestor = record && nearestStored(record, origin.path);
    const value = { body: incoming.body, attachments: resolve(incoming, origin.path.start, record, ancestor, read) };
    return { path: origin.path, value, ancestor };
  }
  if (origin.mustExist && !record) throw new CouchError("conflict");
  // Generation 0 is how some clients say "not there yet".
  const parent = origin.parent && generationOf(origin.parent) > 0 ? origin.parent : undefined;
  if (parent && generationOf(parent) >= maxGeneration) throw new CouchError("bad_request", "Invalid rev format");
  const { index, rev } = parentOf(incoming, record, parent);
  const history: RevisionPath =
    index !== undefined
      ? pathOf((record as DocumentRecord).tree, index)
      : rev !== undefined
        ? { start: generationOf(rev), hashes: [hashOf(rev)] }
        : { start: 0, hashes: [] };
  const generation = history.start + 1;
  const attachments = resolve(incoming, generation, record, index, read);
  const { body, deleted } = incoming;
  const hash = newRevisionHash({ deleted, parent: rev, body, attachments });
  const ancestor = index !== undefined && record?.tree[index]?.stored ? index : undefined;
  return { path: { start: generation, hashes: [hash, ...history.hashes] }, value: { body, attachments }, ancestor };
}

/** The parent of an edit, by CouchDB's rules. @throws CouchError conflict */
function parentOf(
  incoming: IncomingRevision,
  record: DocumentRecord | undefined,
  parent: RevId | undefined,
): { readonly index: number | undefined; readonly rev: RevId | undefined } {
  // A revision that names a parent nobody here has seen: CouchDB believes it when there is no document at all.
  if (!record) return { index: undefined, rev: parent };
  const winner = record.tree[record.winner] as RevisionNode;
  if (parent === undefined) {
    // A new life of a deleted document continues its history, so that peers see a child and not a conflict.
    if (!winner.deleted || incoming.deleted) throw new CouchError("conflict");
    return { index: record.winner, rev: revOf(winner) };
  }
  const index = findRevision(record.tree, generationOf(parent), hashOf(parent));
  if (index < 0 || !isLeaf(record.tree, index) || winner.deleted) throw new CouchError("conflict");
  return { index, rev: parent };
}

/** Index of the newest revision of a path that is in the tree with its body. */
function nearestStored(record: DocumentRecord, path: RevisionPath): number | undefined {
  for (let i = 0; i < path.hashes.length; i++) {
    const index = findRevision(record.tree, path.start - i, path.hashes[i] as string);
    if (index >= 0 && record.tree[index]?.stored) return index;
  }
  return undefined;
}

function resolve(
  incoming: IncomingRevision,
  generation: number,
  record: DocumentRecord | undefined,
  ancestor: number | undefined,
  read: ReadValue,
): readonly AttachmentInfo[] {
  if (incoming.attachments.length === 0) return [];
  let inherited: readonly AttachmentInfo[] | undefined;
  return incoming.attachments.map((attachment) => {
    if (attachment.kind === "new") return infoOf(attachment, incoming.origin.kind === "edit" ? generation : undefined);
    if (inherited === undefined) {
      inherited = (record && ancestor !== undefined ? read(record, ancestor)?.attachments : undefined) ?? [];
    }
    const info = inherited.find(({ name }) => name === attachment.name);
    const otherRevpos = info && attachment.revpos !== undefined && attachment.revpos !== info.revpos;
    if (!info || (otherRevpos && incoming.origin.kind === "edit")) {
      throw new CouchError("missing_stub", `Invalid attachment stub in ${incoming.id} for ${attachment.name}`);
    }
    return info;
  });
}

/** `generation` is that of an edit; a replicated attachment brings its own. */
function infoOf(attachment: NewAttachment, generation: number | undefined): AttachmentInfo {
  const { name, contentType, content, revpos } = attachment;
  const { digest, length, storedLength, encoding } = content;
  return {
    name,
    contentType,
    revpos: generation ?? revpos ?? 0,
    digest,
    length,
    storedLength,
    ...(encoding ? { encoding } : {}),
  };
}
