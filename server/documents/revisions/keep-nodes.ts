/** A tree without some of its nodes. */
import type { RevisionNode, RevisionTree } from "./tree.js";

export interface KeptNodes {
  readonly tree: RevisionTree;
  /** The nodes that went, so that their bodies can be dropped with them. */
  readonly removed: readonly RevisionNode[];
}

/** `keep` has a 1 for each node that stays; a node whose parent goes becomes a root. The same tree when all stay. */
export function keepNodes(tree: RevisionTree, keep: Uint8Array): KeptNodes {
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
