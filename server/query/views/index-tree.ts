/**
 * Reading an index tree: a B+ tree of the rows of one view. Inner nodes know how many rows stand below each child, and their
 * reductions; so every question is first turned into ranks (the first row has rank 0), and ranks are counted, not scanned.
 */
import { type Cut, countBefore, type RowOrder } from "./places.js";
import type { Reduction } from "./reducer.js";
import { Rows } from "./rows.js";
import { Branches, type Child, type TreeNode } from "./tree-node.js";
import type { ViewRow } from "./view-row.js";

/** One version of a tree: nothing that is written later changes what is read through it. */
export interface IndexTree extends RowOrder {
  /** Undefined: no rows. */
  readonly root: Child | undefined;
  /** Levels of nodes; 0 without a root, 1 when the root is a leaf. */
  readonly height: number;
  load(child: Child): TreeNode;
}

export function totalRows({ root }: IndexTree): number {
  return root?.rows ?? 0;
}

/** How many rows stand before the cut. */
export function rankOf(tree: IndexTree, cut: Cut): number {
  let child = tree.root;
  let rank = 0;
  while (child) {
    const node = tree.load(child);
    const before = countBefore(node, cut, tree);
    if (node instanceof Rows) return rank + before;
    // Children are known by their first rows: the last one that begins before the cut is the one that it goes through.
    if (before === 0) return rank;
    rank += node.rowsBefore(before - 1);
    child = node.child(before - 1);
  }
  return rank;
}

export interface LeafPosition {
  readonly rows: Rows;
  /** Rank of its first row. */
  readonly first: number;
}

/** The leaf that has the row of this rank, which must exist. */
export function leafAt(tree: IndexTree, rank: number): LeafPosition {
  let first = 0;
  let node = tree.load(tree.root as Child);
  while (node instanceof Branches) {
    const i = node.childAt(rank - first);
    first += node.rowsBefore(i);
    node = tree.load(node.child(i));
  }
  return { rows: node, first };
}

/** The rows of ranks `from` to `to` (exclusive), a leaf at a time; backwards when `descending`. */
export function* rowsBetween(tree: IndexTree, from: number, to: number, descending = false): Iterable<ViewRow[]> {
  let [low, high] = [from, to];
  while (low < high) {
    const { rows, first } = leafAt(tree, descending ? high - 1 : low);
    const begin = Math.max(low - first, 0);
    const end = Math.min(high - first, rows.count);
    const slice = rows.slice(begin, end);
    if (descending) {
      high = first + begin;
      yield slice.reverse();
    } else {
      low = first + end;
      yield slice;
    }
  }
}

/** Rows `from` to `to` (exclusive) of a leaf. */
export interface RowSlice {
  readonly rows: Rows;
  readonly from: number;
  readonly to: number;
}

/** What the reduction of a range is made of: rows, where a leaf is cut, and reductions of whole nodes. */
export type Part = Reduction | RowSlice;

/** The parts of ranks `from` to `to` (exclusive), in order. `which` is the reduce function's place among those of the view. */
export function partsBetween(tree: IndexTree, from: number, to: number, which: number): Part[] {
  const parts: Part[] = [];
  if (tree.root && from < to) collect(tree.root, 0);
  return parts;

  function collect(child: Child, first: number): void {
    if (from <= first && first + child.rows <= to) {
      parts.push(child.reductions?.[which] as Reduction);
      return;
    }
    const node = tree.load(child);
    if (node instanceof Rows) {
      parts.push({ rows: node, from: Math.max(from - first, 0), to: Math.min(to - first, node.count) });
      return;
    }
    for (let i = node.childAt(Math.max(from - first, 0)); i < node.count && first + node.rowsBefore(i) < to; i++) {
      collect(node.child(i), first + node.rowsBefore(i));
    }
  }
}
