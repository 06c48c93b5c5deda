/**
 * The winner: the revision that a reader gets who names none. Every replica picks the same one without asking another:
 * leaves that are not deleted before deleted ones, then the longest history, then the highest hash.
 * The rule is CouchDB's (`couch_doc:to_doc_info`) and PouchDB's (`pouchdb-merge/winningRev`).
 */
import { leavesOf, type RevisionNode, type RevisionTree } from "./tree.js";

/** Index of the winner in a tree of at least one node. The tree's own order is the rule's, so the last candidate wins. */
export function winnerOf(tree: RevisionTree): number {
  if (tree.length === 1) return 0;
  const leaves = leavesOf(tree);
  const alive = leaves.findLast((index) => !(tree[index] as RevisionNode).deleted);
  return alive ?? (leaves.at(-1) as number);
}
