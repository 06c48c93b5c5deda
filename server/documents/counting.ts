/** What a database's counters are made of: each document adds what its tree says, so a change is the difference of two trees. */
import type { DocumentRecord, RevisionValue } from "./document-record.js";
import type { IncomingAttachment } from "./incoming-revision.js";
import { leavesOf, type RevisionNode, type RevisionTree } from "./revisions/tree.js";
import type { Counters } from "./sequence-entry.js";

/** A document before or after a change; undefined when there is none. */
export type CountedDocument = Pick<DocumentRecord, "tree" | "winner"> | undefined;

export interface TreeBytes {
  /** Of the leaves. */
  readonly live: number;
  /** Of all revisions. */
  readonly stored: number;
  /** Of the leaves, as readers get them. */
  readonly external: number;
}

/** The counters after a document changed. */
export function countChange(counters: Counters, before: CountedDocument, after: CountedDocument): Counters {
  const [old, now] = [bytesOf(before?.tree ?? []), bytesOf(after?.tree ?? [])];
  return {
    documents: counters.documents + Number(isAlive(after)) - Number(isAlive(before)),
    deletedDocuments: counters.deletedDocuments + Number(isDeleted(after)) - Number(isDeleted(before)),
    liveBytes: counters.liveBytes + now.live - old.live,
    storedBytes: counters.storedBytes + now.stored - old.stored,
    externalBytes: counters.externalBytes + now.external - old.external,
  };
}

export function bytesOf(tree: RevisionTree): TreeBytes {
  let [live, stored, external] = [0, 0, 0];
  for (const { size, attached } of tree) stored += attached ? size - attached.inherited : size;
  for (const leaf of leavesOf(tree)) {
    const { size, attached } = tree[leaf] as RevisionNode;
    live += size;
    external += attached?.external ?? size;
  }
  return { live, stored, external };
}

/** What a revision's node tells of its value; `incoming` has its attachments in the same order. */
export function bytesOfValue(
  { body, attachments }: RevisionValue,
  incoming: readonly Pick<IncomingAttachment, "kind">[],
): Pick<RevisionNode, "size" | "attached"> {
  let [size, external, inherited] = [body.length, body.length, 0];
  if (attachments.length === 0) return { size };
  attachments.forEach(({ length, storedLength }, index) => {
    size += storedLength;
    external += length;
    if (incoming[index]?.kind === "stub") inherited += storedLength;
  });
  return { size, attached: { inherited, external } };
}

function isAlive(document: CountedDocument): boolean {
  return document !== undefined && !winnerOf(document).deleted;
}

function isDeleted(document: CountedDocument): boolean {
  return document !== undefined && winnerOf(document).deleted;
}

function winnerOf({ tree, winner }: NonNullable<CountedDocument>): RevisionNode {
  return tree[winner] as RevisionNode;
}
