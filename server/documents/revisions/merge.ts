/**
 * Merging one line of history into a tree: the union of both, so that merging is commutative, associative and idempotent, and
 * replicas that saw the same revisions in any order hold the same tree.
 *
 *     tree: 1-a ── 2-b      path: 3-c, 2-b, 1-a      →  1-a ── 2-b ── 3-c       "new-leaf"
 *     tree: 1-a ── 2-b      path: 2-d, 1-a           →  1-a ─┬ 2-b
 *                                                            └ 2-d              "new-branch": a conflict, kept
 *     tree: 3-c (cut)       path: 3-c, 2-b           →  2-b ── 3-c              "filled": history or a body was added
 *
 * The case that has no counterpart in a tree of nested arrays: a path may join two roots that were apart because history had
 * been cut between them. As a union of nodes and edges it needs nothing special.
 */
import {
  type AttachedBytes,
  compareNodes,
  findRevision,
  isLeaf,
  normalise,
  type RevisionNode,
  type RevisionPath,
  type RevisionTree,
} from "./tree.js";

export type MergeOutcome = "new-leaf" | "new-branch" | "filled" | "already-there";

/** What is known of the newest revision of the path, whose body comes with it. */
export interface NewestRevision {
  readonly deleted: boolean;
  readonly seq: number;
  readonly size: number;
  readonly attached?: AttachedBytes;
}

export interface Merged {
  /** The very same tree when the outcome is "already-there". */
  readonly tree: RevisionTree;
  /** Where the path's newest revision stands in it. */
  readonly index: number;
  readonly outcome: MergeOutcome;
}

export function merge(tree: RevisionTree, path: RevisionPath, newest: NewestRevision): Merged {
  const parentHash = path.hashes[1];
  const newestHash = path.hashes[0] as string;
  // The common case first: a child of a known leaf, or the first revision of a document.
  if (tree.length === 0 && parentHash === undefined) {
    return { tree: [newestNode(path, newest, -1)], index: 0, outcome: "new-leaf" };
  }
  let nodes: RevisionNode[] = tree.slice();
  let changed = false;
  let ordered = true;
  let below = -1;
  let extendedLeaf = false;
  for (let i = path.hashes.length - 1; i >= 0; i--) {
    const generation = path.start - i;
    const hash = path.hashes[i] as string;
    // In the tree as it was: what this merge has added is of other generations, one each.
    const at = findRevision(tree, generation, hash);
    if (at >= 0) {
      const node = nodes[at] as RevisionNode;
      if (node.parent >= 0 && below >= 0 && node.parent !== below) {
        // Another past than the one known here, which no honest history has: what came with it would hang in the air as a leaf
        // without a body.
        nodes = tree.slice();
        changed = false;
        ordered = true;
      } else if (node.parent < 0 && below >= 0) {
        nodes[at] = { ...node, parent: below };
        changed = true;
        if (below > at) ordered = false;
      }
      below = at;
      continue;
    }
    if (below < tree.length) extendedLeaf = below >= 0 && isLeaf(tree, below);
    const node: RevisionNode =
      i === 0
        ? newestNode(path, newest, below)
        : { generation, hash, parent: below, deleted: false, stored: false, seq: 0, size: 0 };
    if (ordered && nodes.length > 0) ordered = compareNodes(nodes[nodes.length - 1], node) < 0;
    below = nodes.push(node) - 1;
    changed = true;
  }
  const existed = below < tree.length;
  if (existed && !(nodes[below] as RevisionNode).stored) {
    nodes[below] = { ...(nodes[below] as RevisionNode), ...newest, stored: true };
    changed = true;
  }
  if (!changed) return { tree, index: below, outcome: "already-there" };
  const merged = ordered ? nodes : normalise(nodes);
  const index = ordered ? below : findRevision(merged, path.start, newestHash);
  const outcome = existed ? "filled" : tree.length === 0 || extendedLeaf ? "new-leaf" : "new-branch";
  return { tree: merged, index, outcome };
}

function newestNode(path: RevisionPath, newest: NewestRevision, parent: number): RevisionNode {
  return { generation: path.start, hash: path.hashes[0] as string, parent, stored: true, ...newest };
}
