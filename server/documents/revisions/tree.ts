/**
 * The revision tree of one document.
 *
 *     1-a ── 2-b ── 3-c          a leaf: nobody edited it further
 *       └─── 2-d ── 3-e (del)    a second leaf: a conflict, here a deleted one
 *
 * It is held flat. Invariants, upheld by `normalise`:
 * 1. Nodes are ordered by generation, then by hash: parents stand before children, and equal trees are equal arrays.
 * 2. A revision stands in it once; `parent` is the index of the node one generation below, or -1 where history was cut.
 */
import { type RevId, revIdOf } from "../../../protocol/ids.js";

export interface RevisionNode {
  readonly generation: number;
  readonly hash: string;
  /** Index in the tree; -1 for a root. */
  readonly parent: number;
  readonly deleted: boolean;
  /** Whether its body can be read: false for ancestors that came only by name, and after compaction. */
  readonly stored: boolean;
  /** Update sequence at which its body was written; 0 when not stored. */
  readonly seq: number;
  /** Bytes of its body and attachments; 0 when not stored. */
  readonly size: number;
  /** There when it is stored and has attachments. */
  readonly attached?: AttachedBytes;
}

export interface AttachedBytes {
  /** Of `size`: what an ancestor brought. It is on disk once, and counted there until compaction drops the ancestor. */
  readonly inherited: number;
  /** Bytes of body and attachments as readers get them: before compression. */
  readonly external: number;
}

export type RevisionTree = readonly RevisionNode[];

/** One line of history, newest first: `{start: 3, hashes: [c, b, a]}` is 3-c on 2-b on 1-a. `_revisions` on the wire. */
export interface RevisionPath {
  readonly start: number;
  readonly hashes: readonly string[];
}

export function revOf(node: RevisionNode): RevId {
  return revIdOf(node.generation, node.hash);
}

/** Index of a revision, or -1. */
export function findRevision(tree: RevisionTree, generation: number, hash: string): number {
  for (let i = tree.length - 1; i >= 0; i--) {
    const node = tree[i] as RevisionNode;
    if (node.generation < generation) return -1;
    if (node.generation === generation && node.hash === hash) return i;
  }
  return -1;
}

/** Indices of all leaves, in the order of the tree. */
export function leavesOf(tree: RevisionTree): number[] {
  if (tree.length === 1) return [0];
  const hasChild = new Uint8Array(tree.length);
  for (const { parent } of tree) if (parent >= 0) hasChild[parent] = 1;
  const leaves: number[] = [];
  for (let i = 0; i < tree.length; i++) if (!hasChild[i]) leaves.push(i);
  return leaves;
}

export function isLeaf(tree: RevisionTree, index: number): boolean {
  for (let i = tree.length - 1; i > index; i--) if (tree[i]?.parent === index) return false;
  return true;
}

/** Indices from a node up to its root, the node first. */
export function ancestry(tree: RevisionTree, index: number): number[] {
  const line: number[] = [];
  for (let at = index; at >= 0; at = (tree[at] as RevisionNode).parent) line.push(at);
  return line;
}

/** The history of a node as `_revisions` shows it. */
export function pathOf(tree: RevisionTree, index: number): RevisionPath {
  const start = (tree[index] as RevisionNode).generation;
  return { start, hashes: ancestry(tree, index).map((at) => (tree[at] as RevisionNode).hash) };
}

/** Whether both hold the same revisions with the same bodies on the same lines. */
export function sameTree(one: RevisionTree, other: RevisionTree): boolean {
  return (
    one.length === other.length &&
    one.every((node, index) => {
      const { generation, hash, parent, stored } = other[index] as RevisionNode;
      return node.generation === generation && node.hash === hash && node.parent === parent && node.stored === stored;
    })
  );
}

/** The nodes in their canonical order, parents pointing at their new places. */
export function normalise(nodes: readonly RevisionNode[]): RevisionTree {
  const order = nodes.map((_, index) => index).sort((a, b) => compareNodes(nodes[a], nodes[b]));
  const place = new Int32Array(nodes.length);
  order.forEach((from, to) => {
    place[from] = to;
  });
  return order.map((from) => {
    const node = nodes[from] as RevisionNode;
    const parent = node.parent < 0 ? -1 : (place[node.parent] as number);
    return parent === node.parent ? node : { ...node, parent };
  });
}

export function compareNodes(a: RevisionNode | undefined, b: RevisionNode | undefined): number {
  if (!a || !b) return 0;
  if (a.generation !== b.generation) return a.generation - b.generation;
  return a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0;
}
