/** The reductions of nodes that an update made, from the leaves up, many at a time. */
import { Turn } from "../turn.js";
import type { IndexTree } from "./index-tree.js";
import type { Reducer, Reduction } from "./reducer.js";
import { Rows } from "./rows.js";
import { Branches, type Child } from "./tree-node.js";

/** Nodes that a reducer is asked for at a time: bounds what a message to a sandbox holds, at some 100 rows a leaf. */
const nodesAtOnce = 64;

/** The nodes that are not on disk, a list for each level, leaves first. */
export function newNodes({ root, height }: IndexTree): readonly (readonly Child[])[] {
  const levels: Child[][] = Array.from({ length: height }, () => []);
  if (root) gather(root, height - 1);
  return levels;

  function gather(child: Child, level: number): void {
    if (child.number !== 0) return;
    levels[level]?.push(child);
    if (child.node instanceof Branches) for (const below of child.node.children) gather(below, level - 1);
  }
}

/** Settles the reductions of new nodes. */
export async function reduceNodes(levels: readonly (readonly Child[])[], reducers: readonly Reducer[]): Promise<void> {
  const turn = new Turn();
  for (const level of levels) {
    for (let from = 0; from < level.length; from += nodesAtOnce) {
      await reduceSome(level.slice(from, from + nodesAtOnce), reducers);
      if (turn.isOver) await turn.next();
    }
  }
}

/** Nodes of one level. */
async function reduceSome(nodes: readonly Child[], reducers: readonly Reducer[]): Promise<void> {
  const reduced: (readonly Reduction[])[] = [];
  for (const [which, reducer] of reducers.entries()) {
    const outcome =
      nodes[0]?.node instanceof Rows
        ? reducer.reduce(nodes.map(({ node }) => (node as Rows).slice(0, (node as Rows).count)))
        : reducer.rereduce(nodes.map(({ node }) => reductionsBelow(node as Branches, which)));
    reduced.push(await outcome);
  }
  nodes.forEach((node, i) => {
    node.reductions = reduced.map((reductions) => reductions[i] as Reduction);
  });
}

function reductionsBelow({ children }: Branches, which: number): readonly Reduction[] {
  return children.map(({ reductions }) => reductions?.[which] as Reduction);
}
