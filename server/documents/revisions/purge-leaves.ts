/**
 * Purging: forgetting leaves as if they had never been, with the history that is theirs alone.
 *
 *     1-a ─┬ 2-b ── 3-c      without 3-c   →   1-a ── 2-d        without both   →   nothing: the document is gone
 *          └ 2-d
 *
 * What is left are the lines of the leaves that stay, so an inner revision can neither be purged nor become a leaf.
 */
import type { RevId } from "../../../protocol/ids.js";
import { type KeptNodes, keepNodes } from "./keep-nodes.js";
import { ancestry, leavesOf, type RevisionNode, type RevisionTree, revOf } from "./tree.js";

export interface PurgedLeaves extends KeptNodes {
  /** Those of the wanted revisions that were leaves, in the order of asking. */
  readonly purged: readonly RevId[];
}

export function purgeLeaves(tree: RevisionTree, wanted: readonly RevId[]): PurgedLeaves {
  const keep = new Uint8Array(tree.length);
  const gone = new Set<RevId>();
  const revs = new Set(wanted);
  for (const leaf of leavesOf(tree)) {
    const rev = revOf(tree[leaf] as RevisionNode);
    if (revs.has(rev)) gone.add(rev);
    else for (const at of ancestry(tree, leaf)) keep[at] = 1;
  }
  return { ...keepNodes(tree, keep), purged: [...revs].filter((rev) => gone.has(rev)) };
}
