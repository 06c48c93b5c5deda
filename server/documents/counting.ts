/** What a database's counters are made of: each document adds what its tree says, so a change is the difference of two trees. */
import type { DocumentRecord } from "./document-record.js";
import { leavesOf, type RevisionNode, type RevisionTree } from "./revisions/tree.js";
import type { Counters } from "./sequence-entry.js";

/** A document before or after a change; undefined when there is none. */
export type CountedDocument = Pick<DocumentRecord, "tree" | "winner"> | undefined;

interface TreeBytes {
  readonly live: number;
  readonly stored: number;
  readonly external: number;
}

const noBytes: TreeBytes = { live: 0, stored: 0, external: 0 };

/** The counters after a document changed. */
export function countChange(counters: Counters, before: CountedDocument, after: CountedDocument): Counters {
  const [old, now] = [bytesOf(before), bytesOf(after)];
  return {
    documents: counters.documents + Number(isAlive(after)) - Number(isAlive(before)),
    deletedDocuments: counters.deletedDocuments + Number(isDeleted(after)) - Number(isDeleted(before)),
    liveBytes: counters.liveBytes + now.live - old.live,
    storedBytes: counters.storedBytes + now.stored - old.stored,
    externalBytes: counters.externalBytes + now.external - old.external,
  };
}

/** Bytes of the leaves, as stored and as readers get them. */
export function leafBytes(tree: RevisionTree): { readonly live: number; readonly external: number } {
  return bytesOf({ tree, winner: 0 });
}

function bytesOf(document: CountedDocument): TreeBytes {
  if (!document) return noBytes;
  const { tree } = document;
  let [live, stored, external] = [0, 0, 0];
  for (const { size, attached } of tree) stored += attached ? size - attached.inherited : size;
  for (const leaf of leavesOf(tree)) {
    const { size, attached } = tree[leaf] as RevisionNode;
    live += size;
    external += attached?.external ?? size;
  }
  return { live, stored, external };
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
