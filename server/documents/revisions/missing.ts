/** `_revs_diff`: which of the revisions that a peer offers are unknown here, and which leaves could be their ancestors. */
import { generationOf, hashOf, type RevId } from "../../../protocol/ids.js";
import { findRevision, leavesOf, type RevisionNode, type RevisionTree, revOf } from "./tree.js";

export interface MissingRevisions {
  readonly missing: readonly RevId[];
  /** Leaves here of a lower generation than some missing revision: a sender may send a difference against one. */
  readonly possibleAncestors: readonly RevId[];
}

/** Undefined when nothing is missing. */
export function missingRevisions(tree: RevisionTree, revs: readonly RevId[]): MissingRevisions | undefined {
  const missing = revs.filter((rev) => findRevision(tree, generationOf(rev), hashOf(rev)) < 0);
  if (missing.length === 0) return undefined;
  if (tree.length === 0) return { missing, possibleAncestors: [] };
  const highest = missing.reduce((highest, rev) => Math.max(highest, generationOf(rev)), 0);
  const possibleAncestors = leavesOf(tree)
    .filter((leaf) => (tree[leaf] as RevisionNode).generation < highest)
    .map((leaf) => revOf(tree[leaf] as RevisionNode));
  return { missing, possibleAncestors };
}
