/** The reductions of nodes that an update made, from the leaves up, each level asked for at once. */
import type { IndexTree } from "./index-tree.js";
import type { Reducer, Reduction } from "./reducer.js";
import { Rows } from "./rows.js";
import { Branches, type Child } from "./tree-node.js";

/** Groups that a reducer is handed at a time: bounds what a message to a sandbox holds, at some 100 rows a leaf. */
const groupsAtOnce = 64;

/** The nodes that are not on disk, children before parents. */
export function newNodes(tree: IndexTree): readonly Child[] {
  const levels: Child[][] = Array.from({ length: tree.height }, () => []);
  if (tree.root) gather(tree.root, tree.height - 1);
  return levels.flat();

  function gather(child: Child, level: number): void {
    if (child.number !== 0) return;
    levels[level]?.push(child);
    if (child.node instanceof Branches) for (const below of child.node.children) gather(below, level - 1);
  }
}

/** Settles the reductions of new nodes. */
export async function reduceNodes(nodes: readonly Child[], reducers: readonly Reducer[]): Promise<void> {
  for (let from = 0; from < nodes.length; ) {
    const to = endOfStep(nodes, from);
    const children = nodes.slice(from, to);
    const reduced: (readonly Reduction[])[] = [];
    for (let which = 0; which < reducers.length; which++) {
      const outcome = reduceChildren(children, reducers[which] as Reducer, which);
      reduced.push(outcome instanceof Promise ? await outcome : outcome);
    }
    children.forEach((child, i) => {
      child.reductions = reduced.map((reductions) => reductions[i] as Reduction);
    });
    from = to;
  }
}

/** Nodes of one level, at most `groupsAtOnce`. */
function endOfStep(nodes: readonly Child[], from: number): number {
  const isLeaf = nodes[from]?.node instanceof Rows;
  let to = from + 1;
  // The reductions of an inner node need those of its children: it is never in one step with them.
  while (to < nodes.length && to - from < groupsAtOnce && isReady(nodes[to] as Child, isLeaf)) to++;
  return to;
}

function isReady({ node }: Child, isLeaf: boolean): boolean {
  if (isLeaf) return node instanceof Rows;
  return (node as Branches).children.every(({ reductions }) => reductions !== undefined);
}

function reduceChildren(children: readonly Child[], reducer: Reducer, which: number): ReturnType<Reducer["reduce"]> {
  if (children[0]?.node instanceof Rows) {
    return reducer.reduce(children.map(({ node }) => (node as Rows).slice(0, (node as Rows).count)));
  }
  return reducer.rereduce(
    children.map(({ node }) => (node as Branches).children.map(({ reductions }) => reductions?.[which] as Reduction)),
  );
}
