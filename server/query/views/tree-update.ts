/**
 * Changing an index tree: one sorted batch in one pass. Nodes are never changed but replaced, along the paths from the changed leaves
 * to the root; whoever reads the old root goes on reading the old tree.
 *
 * Invariants, which `#replaced`, `#join` and `#grow` uphold:
 * 1. All leaves are equally deep, and none is empty.
 * 2. A child is known to its parent by its first row, exactly.
 * 3. A node has at most `nodeBytes`, unless it has a single row or fewer than 16 children (long keys, large reductions).
 * 4. A node below a quarter of that has no neighbour (of the same parent) that it fits into one node with, and an inner node
 *    that is not the root and has a sibling has at least 4 children.
 */
import type { SortedChanges } from "./changes.js";
import type { IndexTree } from "./index-tree.js";
import { type ChangeRange, mergeRows } from "./merge-rows.js";
import { partition } from "./partition.js";
import { comparePlaces, countBefore, countBeforeFrom } from "./places.js";
import { type Piece, Rows } from "./rows.js";
import { Branches, Child } from "./tree-node.js";

export interface TreeUpdateOptions {
  /** Bytes that a node should have at most. */
  readonly nodeBytes: number;
  /** Bytes of the reductions of a node, about: they are computed when all changes are made. */
  readonly reductionBytes: number;
  /** Hears of nodes that are on disk and belong to no tree any more. */
  readonly retire: (node: number) => void;
}

/** Children that a split leaves in an inner node at least; half as many, and it is joined with a neighbour. */
const fewestChildren = 8;

/** The tree after the changes. Its new nodes have no numbers and no reductions yet. */
export function updateTree(tree: IndexTree, changes: SortedChanges, options: TreeUpdateOptions): IndexTree {
  return new TreeUpdate(tree, changes, options).run();
}

class TreeUpdate {
  readonly #tree: IndexTree;
  readonly #changes: SortedChanges;
  readonly #options: TreeUpdateOptions;

  constructor(tree: IndexTree, changes: SortedChanges, options: TreeUpdateOptions) {
    this.#tree = tree;
    this.#changes = changes;
    this.#options = options;
  }

  run(): IndexTree {
    const { root, height } = this.#tree;
    const { inserted, count } = this.#changes;
    if (root) return this.#grow(this.#replaced(root, height - 1, { from: 0, to: count, tail: false }), height - 1);
    return this.#grow(this.#leaves([{ rows: inserted, from: 0, to: inserted.count }]), 0);
  }

  /** What stands in a child's place after some changes; level 0 is that of the leaves. */
  #replaced(child: Child, level: number, range: ChangeRange): readonly Child[] {
    const node = this.#tree.load(child);
    if (node instanceof Rows) {
      const pieces = mergeRows(node, this.#changes, range, this.#tree);
      if (!pieces) return [child];
      this.#retire(child);
      return this.#leaves(pieces);
    }
    const children = this.#replacedChildren(node, level, range);
    if (!children) return [child];
    this.#retire(child);
    return this.#branches(this.#joinSmall(children, level - 1));
  }

  /** Undefined when nothing changes. */
  #replacedChildren(node: Branches, level: number, { from, to, tail }: ChangeRange): Child[] | undefined {
    const changes = this.#changes;
    const children: Child[] = [];
    const stop = tail ? to + 1 : to;
    let isChanged = false;
    let copied = 0;
    for (let next = from; next < stop; ) {
      const { parsedKey: key, id } = changes.at(next);
      // Rows of the same place may end one child and begin another: what goes is looked for from the first that can have them.
      const search = copied === 0 ? countBefore : countBeforeFrom;
      const at = Math.max(copied, search(node, { key, id, after: false }, this.#tree, copied) - 1);
      for (; copied < at; copied++) children.push(node.child(copied));
      const own = this.#rangeOf(node, at, { from: next, to, tail });
      const replaced =
        own.from < own.to || own.tail ? this.#replaced(node.child(at), level - 1, own) : [node.child(at)];
      if (replaced.length !== 1 || replaced[0] !== node.child(at)) isChanged = true;
      children.push(...replaced);
      copied = at + 1;
      next = copied === node.count ? stop : own.to;
    }
    if (!isChanged) return undefined;
    for (; copied < node.count; copied++) children.push(node.child(copied));
    return children;
  }

  /** The changes that are for one child: those before the first row of the next one, and what the change at that row removes. */
  #rangeOf(node: Branches, at: number, range: ChangeRange): ChangeRange {
    if (at === node.count - 1) return range;
    const changes = this.#changes;
    const [key, id] = [node.key(at + 1), node.id(at + 1)];
    const to = countBeforeFrom(changes, { key, id, after: false }, this.#tree, range.from, range.to);
    if (to === range.to && !range.tail) return { from: range.from, to, tail: false };
    const next = changes.at(to);
    const isSamePlace = comparePlaces(next, { parsedKey: key, id }, this.#tree) === 0;
    return { from: range.from, to, tail: isSamePlace && next.removes };
  }

  #leaves(pieces: readonly Piece[]): Child[] {
    const sizes: number[] = [];
    for (const { rows, from, to } of pieces) for (let i = from; i < to; i++) sizes.push(rows.size(i, i + 1));
    if (sizes.length === 0) return [];
    const cuts = partition(sizes, this.#options.nodeBytes, 1);
    return cutPieces(pieces, cuts, sizes.length).map((part) => Child.ofRows(Rows.concat(part)));
  }

  /** The children, dealt out to inner nodes. */
  #branches(children: readonly Child[]): Child[] {
    if (children.length === 0) return [];
    const sizes = children.map((child) => this.#sizeOf(child));
    const cuts = partition(sizes, this.#options.nodeBytes, fewestChildren);
    return [0, ...cuts].map((from, i) => {
      const to = cuts[i] ?? children.length;
      let bytes = 0;
      for (let j = from; j < to; j++) bytes += sizes[j] as number;
      return Child.ofBranches(new Branches(children.slice(from, to)), bytes);
    });
  }

  #sizeOf(child: Child): number {
    if (!child.reductions) return child.size + this.#options.reductionBytes;
    let size = child.size;
    for (const reduction of child.reductions) size += reduction.length;
    return size;
  }

  /** Joins what has become small with its lighter neighbour. */
  #joinSmall(children: Child[], level: number): Child[] {
    for (let i = 0; i < children.length && children.length > 1; ) {
      const left = this.#isSmall(children[i] as Child, level) ? this.#lighterSide(children, i) : undefined;
      const joined = left === undefined ? undefined : this.#join(children, left, level);
      if (left === undefined || !joined) {
        i++;
        continue;
      }
      children.splice(left, 2, ...joined);
      // One node, which may be small still, or several that are not.
      i = joined.length === 1 ? left : left + joined.length;
    }
    return children;
  }

  /** Index of the left one of a child and its lighter neighbour. */
  #lighterSide(children: readonly Child[], i: number): number {
    const [left, right] = [children[i - 1], children[i + 1]];
    if (!left) return i;
    return right && right.bytes < left.bytes ? i : i - 1;
  }

  #isSmall(child: Child, level: number): boolean {
    return child.bytes < this.#options.nodeBytes / 4 || (level > 0 && child.width < fewestChildren / 2);
  }

  /** What stands in the place of a child and the next one; undefined when they are better left alone. */
  #join(siblings: readonly Child[], at: number, level: number): Child[] | undefined {
    const [left, right] = [siblings[at] as Child, siblings[at + 1] as Child];
    const isNarrow = level > 0 && Math.min(left.width, right.width) < fewestChildren / 2;
    if (left.bytes + right.bytes > this.#options.nodeBytes && !isNarrow) return undefined;
    const nodes = [this.#tree.load(left), this.#tree.load(right)];
    this.#retire(left);
    this.#retire(right);
    const rows = nodes.filter((node) => node instanceof Rows);
    if (rows.length > 0) return this.#leaves(rows.map((each) => ({ rows: each, from: 0, to: each.count })));
    const children = nodes.flatMap((node) => (node as Branches).children);
    return this.#branches(this.#joinSmall(children, level - 1));
  }

  /** A tree above nodes of one level: levels are added until there is one root, and removed while the root has one child. */
  #grow(top: readonly Child[], level: number): IndexTree {
    let nodes = this.#joinSmall([...top], level);
    let height = level + 1;
    while (nodes.length > 1) {
      nodes = this.#joinSmall(this.#branches(nodes), height);
      height++;
    }
    let root = nodes[0];
    if (!root) return { ...this.#tree, root: undefined, height: 0 };
    for (let node = this.#tree.load(root); node instanceof Branches && node.count === 1; node = this.#tree.load(root)) {
      this.#retire(root);
      root = node.child(0);
      height--;
    }
    return { ...this.#tree, root, height };
  }

  #retire(child: Child): void {
    if (child.number !== 0) this.#options.retire(child.number);
  }
}

/** The pieces of each part; `cuts` counts rows. */
function cutPieces(pieces: readonly Piece[], cuts: readonly number[], count: number): Piece[][] {
  const parts: Piece[][] = [];
  let which = 0;
  let offset = 0;
  let begin = 0;
  for (const end of [...cuts, count]) {
    const part: Piece[] = [];
    while (begin < end) {
      const { rows, from, to } = pieces[which] as Piece;
      const taken = Math.min(to - from - offset, end - begin);
      part.push({ rows, from: from + offset, to: from + offset + taken });
      begin += taken;
      offset += taken;
      if (offset === to - from) {
        which++;
        offset = 0;
      }
    }
    parts.push(part);
  }
  return parts;
}
