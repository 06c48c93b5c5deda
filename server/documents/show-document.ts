/**
 * One revision of a document as clients read it: which members go with it, and what its attachments look like.
 * Bytes of large attachments are read only when they were asked for inside the JSON.
 */
import { CouchError } from "../../protocol/errors.js";
import { generationOf, hashOf, type RevId } from "../../protocol/ids.js";
import type { AttachmentInfo } from "./attachments/attachment-info.js";
import { readAttachment } from "./attachments/read-attachment.js";
import type { ByteWriter } from "./bytes.js";
import type { Database, StoredDocument } from "./database.js";
import type { RevisionValue } from "./document-record.js";
import { attachmentStub, writeDocument } from "./document-text.js";
import {
  ancestry,
  findRevision,
  leavesOf,
  pathOf,
  type RevisionNode,
  type RevisionTree,
  revOf,
} from "./revisions/tree.js";

/** What a reader wants beside the body; all false or missing by default. */
export interface ShowOptions {
  readonly revs?: boolean;
  readonly revsInfo?: boolean;
  readonly conflicts?: boolean;
  readonly deletedConflicts?: boolean;
  readonly localSeq?: boolean;
  /** Attachment bytes inside the JSON, as base64. */
  readonly attachments?: boolean;
  readonly attEncodingInfo?: boolean;
  /** Bytes only of attachments that are newer than the newest of these that the document descends from. */
  readonly attsSince?: readonly RevId[];
  /** Attachments whose bytes come behind the JSON, in parts of a multipart body. */
  readonly follows?: boolean;
}

/** A revision picked for reading. */
export interface ShownRevision {
  readonly document: StoredDocument;
  readonly index: number;
  readonly value: RevisionValue;
}

/** @throws CouchError not_found when the revision is unknown or its body is gone */
export function pickRevision(database: Database, document: StoredDocument, rev: RevId): ShownRevision {
  const index = findRevision(document.record.tree, generationOf(rev), hashOf(rev));
  const value = index < 0 ? undefined : database.value(document, index);
  if (!value) throw new CouchError("not_found", "missing");
  return { document, index, value };
}

/** The winner. @throws CouchError not_found `deleted` when it is, `missing` when there is no document */
export function pickWinner(database: Database, document: StoredDocument | undefined): ShownRevision {
  if (!document) throw new CouchError("not_found", "missing");
  const { tree, winner } = document.record;
  if ((tree[winner] as RevisionNode).deleted) throw new CouchError("not_found", "deleted");
  const value = database.value(document, winner);
  if (!value) throw new CouchError("not_found", "missing");
  return { document, index: winner, value };
}

/** The leaves that a revision grew into: itself when it is one, several when it was forked, none when it is unknown. */
export function leavesFrom(tree: RevisionTree, rev: RevId): readonly number[] {
  const from = findRevision(tree, generationOf(rev), hashOf(rev));
  if (from < 0) return [];
  return leavesOf(tree).filter((leaf) => ancestry(tree, leaf).includes(from));
}

/** Synchronous unless attachment bytes must be read from files. */
export function showRevision(
  out: ByteWriter,
  database: Database,
  shown: ShownRevision,
  options: ShowOptions,
): void | Promise<void> {
  const { document, index, value } = shown;
  const node = document.record.tree[index] as RevisionNode;
  const meta = metaMembers(shown, options, database.revsLimit());
  const text = { id: document.id, rev: revOf(node), deleted: node.deleted, value, meta };
  if (value.attachments.length === 0) return writeDocument(out, text);
  const wanted = wantsBytes(shown, options);
  if (!options.attachments && !options.attsSince) {
    return writeDocument(out, { ...text, attachment: (info) => withEncoding(info, attachmentStub(info), options) });
  }
  if (options.follows) {
    return writeDocument(out, {
      ...text,
      attachment: (info) =>
        wanted(info) ? followingStub(info, options) : withEncoding(info, attachmentStub(info), options),
    });
  }
  return showWithBytes(out, database, shown, text, options, wanted);
}

/** Which attachments the reader needs the bytes of. */
export function wantsBytes(
  { document, index }: ShownRevision,
  { attsSince }: ShowOptions,
): (info: AttachmentInfo) => boolean {
  if (!attsSince || attsSince.length === 0) return () => true;
  const { tree } = document.record;
  const line = ancestry(tree, index).map((at) => revOf(tree[at] as RevisionNode));
  const known = attsSince
    .filter((rev) => line.includes(rev))
    .reduce((newest, rev) => Math.max(newest, generationOf(rev)), 0);
  return (info) => info.revpos > known;
}

async function showWithBytes(
  out: ByteWriter,
  database: Database,
  { value }: ShownRevision,
  text: Parameters<typeof writeDocument>[1],
  options: ShowOptions,
  wanted: (info: AttachmentInfo) => boolean,
): Promise<void> {
  const data = new Map<string, string>();
  for (const info of value.attachments) {
    if (wanted(info))
      data.set(info.name, (await readAttachment(database, info, !options.attEncodingInfo)).toString("base64"));
  }
  writeDocument(out, {
    ...text,
    attachment: (info) => {
      const base64 = data.get(info.name);
      if (base64 === undefined) return withEncoding(info, attachmentStub(info), options);
      const { content_type, revpos, digest } = attachmentStub(info);
      const encoding = options.attEncodingInfo && info.encoding ? { encoding: info.encoding } : {};
      return { content_type, revpos, digest, data: base64, ...encoding };
    },
  });
}

function followingStub(info: AttachmentInfo, options: ShowOptions): Record<string, unknown> {
  const { stub: _, length, ...rest } = attachmentStub(info);
  // What follows are the bytes as stored when the reader understands their encoding.
  if (options.attEncodingInfo && info.encoding) {
    return { ...rest, length, follows: true, encoding: info.encoding, encoded_length: info.storedLength };
  }
  return { ...rest, length, follows: true };
}

function withEncoding(
  info: AttachmentInfo,
  stub: Record<string, unknown>,
  options: ShowOptions,
): Record<string, unknown> {
  if (!options.attEncodingInfo || !info.encoding) return stub;
  return { ...stub, encoding: info.encoding, encoded_length: info.storedLength };
}

/** The leaves beside the winner, deleted ones or others; best first, as winners would be chosen. */
export function losingLeaves({ record: { tree, winner } }: StoredDocument, deleted: boolean): RevId[] {
  return leavesOf(tree)
    .filter((leaf) => leaf !== winner && tree[leaf]?.deleted === deleted)
    .reverse()
    .map((leaf) => revOf(tree[leaf] as RevisionNode));
}

/** True when the text tells of other revisions too, which may change when this one does not. */
export function showsOtherRevisions({ document }: ShownRevision, options: ShowOptions): boolean {
  if (options.revsInfo || options.localSeq) return true;
  if (document.record.tree.length === 1) return false;
  if (options.conflicts && losingLeaves(document, false).length > 0) return true;
  return options.deletedConflicts === true && losingLeaves(document, true).length > 0;
}

/** History that was kept under an earlier, higher limit is not told, as in CouchDB. */
function metaMembers({ document, index }: ShownRevision, options: ShowOptions, revsLimit: number): [string, unknown][] {
  const { tree } = document.record;
  const meta: [string, unknown][] = [];
  if (options.revs) {
    const { start, hashes } = pathOf(tree, index);
    meta.push(["_revisions", { start, ids: hashes.slice(0, revsLimit) }]);
  }
  if (options.revsInfo) {
    meta.push([
      "_revs_info",
      ancestry(tree, index).map((at) => {
        const node = tree[at] as RevisionNode;
        return { rev: revOf(node), status: !node.stored ? "missing" : node.deleted ? "deleted" : "available" };
      }),
    ]);
  }
  if (options.localSeq) meta.push(["_local_seq", (tree[index] as RevisionNode).seq]);
  if ((options.conflicts || options.deletedConflicts) && tree.length > 1) {
    const conflicts = options.conflicts ? losingLeaves(document, false) : [];
    const deletedConflicts = options.deletedConflicts ? losingLeaves(document, true) : [];
    if (conflicts.length > 0) meta.push(["_conflicts", conflicts]);
    if (deletedConflicts.length > 0) meta.push(["_deleted_conflicts", deletedConflicts]);
  }
  return meta;
}
