/**
 * Stemming: forgetting history older than the revision limit. Each leaf keeps itself and its `limit - 1` nearest ancestors; a
 * node stays when any leaf keeps it.
 */
import { type KeptNodes, keepNodes } from "./keep-nodes.js";
import { leavesOf, type RevisionNode, type RevisionTree } from "./tree.js";

export function stem(tree: RevisionTree, limit: number): KeptNodes {
  if (tree.length <= limit) return { tree, removed: [] };
  const keep = new Uint8Array(tree.length);
  for (const leaf of leavesOf(tree)) {
    let left = limit;
    for (let at = leaf; at >= 0 && left > 0; at = (tree[at] as RevisionNode).parent, left--) keep[at] = 1;
  }
  return keepNodes(tree, keep);
}
