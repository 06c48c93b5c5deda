/** Random histories of one document, as devices far apart could have made them, and random ways of telling of them. */
import fc from "fast-check";
import { merge } from "../../server/documents/revisions/merge.js";
import {
  ancestry,
  type RevisionNode,
  type RevisionPath,
  type RevisionTree,
} from "../../server/documents/revisions/tree.js";

/** One revision as it travels: how much of its past comes with it differs. */
export interface Delivery {
  readonly path: RevisionPath;
  readonly deleted: boolean;
}

interface HistoryNode {
  readonly generation: number;
  readonly hash: string;
  readonly parent: number;
  readonly deleted: boolean;
}

interface HistoryOptions {
  /** How many revisions at most. */
  readonly revisions?: number;
  /** Whether a path may leave out older history, as a peer that has stemmed its tree does. */
  readonly cut?: boolean;
  /** Whether histories may begin several times. */
  readonly severalRoots?: boolean;
}

/** Every revision of a random history at least once, some twice, in random order. */
export function deliveries({
  revisions = 14,
  cut = true,
  severalRoots = true,
}: HistoryOptions = {}): fc.Arbitrary<Delivery[]> {
  const node = fc.record({
    parent: fc.nat(),
    isRoot: severalRoots ? fc.integer({ min: 0, max: 7 }).map((n) => n === 0) : fc.constant(false),
    deleted: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
    // Few letters, so that equal hashes in different generations and close decisions between winners are frequent.
    letter: fc.constantFrom("a", "b", "c", "d", "é"),
    kept: fc.integer({ min: 1, max: 6 }),
  });
  return fc.array(node, { minLength: 1, maxLength: revisions }).chain((drawn) => {
    const nodes: HistoryNode[] = [];
    drawn.forEach(({ parent, isRoot, deleted, letter }, index) => {
      const at = isRoot || index === 0 ? -1 : parent % index;
      const generation = at < 0 ? 1 : (nodes[at] as HistoryNode).generation + 1;
      const taken = nodes.some((node) => node.generation === generation && node.hash === letter);
      nodes.push({ generation, hash: taken ? `${letter}${index}` : letter, parent: at, deleted });
    });
    const told = drawn.map(({ kept }, index) => {
      const path = historyOf(nodes, index);
      const hashes = cut ? path.hashes.slice(0, kept) : path.hashes;
      return { path: { start: path.start, hashes }, deleted: (nodes[index] as HistoryNode).deleted };
    });
    return fc
      .tuple(
        fc.shuffledSubarray(told, { minLength: told.length }),
        fc.array(fc.constantFrom(...told), { maxLength: 3 }),
      )
      .map(([all, again]) => [...all, ...again]);
  });
}

function historyOf(nodes: readonly HistoryNode[], index: number): RevisionPath {
  const hashes: string[] = [];
  for (let at = index; at >= 0; at = (nodes[at] as HistoryNode).parent) hashes.push((nodes[at] as HistoryNode).hash);
  return { start: (nodes[index] as HistoryNode).generation, hashes };
}

/** The tree after the deliveries, in their order. Sequence and size are the same for each, so that trees can be compared. */
export function treeAfter(told: readonly Delivery[], tree: RevisionTree = []): RevisionTree {
  return told.reduce((before, { path, deleted }) => merge(before, path, { deleted, seq: 1, size: 10 }).tree, tree);
}

/** A tree as deliveries: every revision with a body, with all the history that is known of it. */
export function deliveriesOf(tree: RevisionTree): readonly Delivery[] {
  return tree.flatMap((node, index) =>
    node.stored
      ? [
          {
            path: {
              start: node.generation,
              hashes: ancestry(tree, index).map((at) => (tree[at] as RevisionNode).hash),
            },
            deleted: node.deleted,
          },
        ]
      : [],
  );
}

/** The rule of merging, word for word: all nodes and all edges that any delivery names. */
export function unionOf(told: readonly Delivery[]): readonly string[] {
  const known = new Map<string, { parent: string; deleted: boolean; stored: boolean }>();
  for (const { path, deleted } of told) {
    path.hashes.forEach((hash, i) => {
      const rev = `${path.start - i}-${hash}`;
      const older = path.hashes[i + 1];
      const node = known.get(rev) ?? { parent: "nothing", deleted: false, stored: false };
      if (older !== undefined) node.parent = `${path.start - i - 1}-${older}`;
      if (i === 0) Object.assign(node, { deleted, stored: true });
      known.set(rev, node);
    });
  }
  return [...known].map(([rev, { parent, deleted, stored }]) => `${rev} on ${parent} ${deleted} ${stored}`).sort();
}

export function unionOfTree(tree: RevisionTree): readonly string[] {
  const revOf = ({ generation, hash }: RevisionNode): string => `${generation}-${hash}`;
  return tree
    .map((node) => {
      const parent = tree[node.parent];
      return `${revOf(node)} on ${parent ? revOf(parent) : "nothing"} ${node.deleted} ${node.stored}`;
    })
    .sort();
}
