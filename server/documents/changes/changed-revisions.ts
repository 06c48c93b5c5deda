/** The revisions that a change tells of. */
import { generationOf, hashOf } from "../../../protocol/ids.js";
import type { Database, StoredDocument } from "../database.js";
import { findRevision, leavesOf, type RevisionNode } from "../revisions/tree.js";
import { revOfRow, type SequenceEntry } from "../sequence-entry.js";
import type { ShownRevision } from "../show-document.js";

/** Every leaf, best first, as winners would be chosen. */
export function leavesInOrder({ record: { tree } }: StoredDocument): readonly number[] {
  const leaves = leavesOf(tree).reverse();
  const isDeleted = (index: number): boolean => (tree[index] as RevisionNode).deleted;
  return [...leaves.filter((index) => !isDeleted(index)), ...leaves.filter(isDeleted)];
}

/** The revision that the row names, even when the document was edited since the row was read. */
export function revisionOfRow(
  database: Database,
  document: StoredDocument,
  { seq, row }: SequenceEntry,
): ShownRevision | undefined {
  const { record } = document;
  let index = record.winner;
  if (record.seq !== seq) {
    const rev = revOfRow(row);
    index = findRevision(record.tree, generationOf(rev), hashOf(rev));
  }
  const value = index < 0 ? undefined : database.value(document, index);
  return value && { document, index, value };
}
