/**
 * Stemming: forgetting history older than the revision limit. Each leaf keeps itself and its `limit - 1` nearest ancestors; a
 * node stays when any leaf keeps it.
 */
import { leavesOf, type RevisionNode, type RevisionTree } from "./tree.js";

export interface Stemmed {
  readonly tree: RevisionTree;
  /** The nodes that went, so that their bodies can be dropped with them. */
  readonly removed: readonly RevisionNode[];
}

export function stem(tree: RevisionTree, limit: number): Stemmed {
  if (tree.length <= limit) return { tree, removed: [] };
  const keep = new Uint8Array(tree.length);
  for (const leaf of leavesOf(tree)) {
    let left = limit;
    for (let at = leaf; at >= 0 && left > 0; at = (tree[at] as RevisionNode).parent, left--) keep[at] = 1;
  }
  if (!keep.includes(0)) return { tree, removed: [] };
  const place = new Int32Array(tree.length).fill(-1);
  const kept: RevisionNode[] = [];
  const removed: RevisionNode[] = [];
  tree.forEach((node, index) => {
    if (!keep[index]) {
      removed.push(node);
      return;
    }
    const parent = node.parent < 0 ? -1 : (place[node.parent] as number);
    place[index] = kept.length;
    kept.push(parent === node.parent ? node : { ...node, parent });
  });
  return { tree: kept, removed };
}
