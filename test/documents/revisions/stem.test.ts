import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { stem } from "../../../server/documents/revisions/stem.js";
import { ancestry, leavesOf, type RevisionNode, revOf } from "../../../server/documents/revisions/tree.js";
import { deliveries, treeAfter } from "../../helpers/random-histories.js";
import { checkInvariants, linesOf, treeOf } from "../../helpers/revision-trees.js";

interface StemCase {
  readonly name: string;
  readonly tree: readonly string[];
  readonly limit: number;
  readonly stemmed: readonly string[];
  readonly removed: readonly string[];
}

const cases: readonly StemCase[] = [
  //   1-a ── 2-b                   →  2-b
  { name: "keeps the leaf alone with limit 1", tree: ["1-a 2-b"], limit: 1, stemmed: ["2-b"], removed: ["1-a"] },
  //   1-a ── 2-b ── 3-c            →  2-b ── 3-c
  { name: "cuts the oldest of a line", tree: ["1-a 2-b 3-c"], limit: 2, stemmed: ["2-b 3-c"], removed: ["1-a"] },
  //   1-a ── 2-b                   →  1-a ── 2-b
  { name: "leaves a tree within the limit alone", tree: ["1-a 2-b"], limit: 2, stemmed: ["1-a 2-b"], removed: [] },
  //   1-a ── 2-b ─┬ 3-c            →  2-b ─┬ 3-c
  //               └ 3-d                    └ 3-d
  {
    name: "cuts what two branches share",
    tree: ["1-a 2-b 3-c", "1-a 2-b 3-d"],
    limit: 2,
    stemmed: ["2-b 3-c", "2-b 3-d"],
    removed: ["1-a"],
  },
  //   1-a ─┬ 2-b ── 3-c ── 4-d     →  3-c ── 4-d          the fork was forgotten: two roots
  //        └ 2-e                      1-a ── 2-e
  {
    name: "may take a tree apart",
    tree: ["1-a 2-b 3-c 4-d", "1-a 2-e"],
    limit: 2,
    stemmed: ["1-a 2-e", "3-c 4-d"],
    removed: ["2-b"],
  },
  //   1-a ─┬ 2-b ── 3-c ── 4-d     →  1-a ─┬ 2-b ── 3-c ── 4-d
  //        └ 2-e                           └ 2-e          2-b is within 3 of its leaf, 1-a within 3 of the other
  {
    name: "keeps a revision that any leaf still needs",
    tree: ["1-a 2-b 3-c 4-d", "1-a 2-e"],
    limit: 3,
    stemmed: ["1-a 2-e", "1-a 2-b 3-c 4-d"],
    removed: [],
  },
  //   1-a          →  1-a          nothing but leaves
  //   1-b             1-b
  { name: "never removes a leaf", tree: ["1-a", "1-b"], limit: 1, stemmed: ["1-a", "1-b"], removed: [] },
];

describe("stem", () => {
  for (const { name, tree, limit, stemmed, removed } of cases) {
    it(name, () => {
      const result = stem(treeOf(...tree), limit);
      assert.deepEqual(linesOf(result.tree), stemmed);
      assert.deepEqual(result.removed.map(revOf), removed);
    });
  }

  it("keeps every leaf and exactly what lies within the limit of one, on random trees", () => {
    fc.assert(
      fc.property(deliveries({ revisions: 25 }), fc.integer({ min: 1, max: 6 }), (told, limit) => {
        const tree = treeAfter(told);
        const { tree: stemmed, removed } = stem(tree, limit);
        checkInvariants(stemmed);
        const revs = (nodes: readonly RevisionNode[]): string[] => nodes.map(revOf).sort();
        const leafRevs = (of: typeof tree): string[] => leavesOf(of).map((leaf) => revOf(of[leaf] as RevisionNode));
        assert.deepEqual(leafRevs(stemmed), leafRevs(tree));
        const near = leavesOf(tree).flatMap((leaf) => ancestry(tree, leaf).slice(0, limit));
        assert.deepEqual(revs(stemmed), revs([...new Set(near)].map((at) => tree[at] as RevisionNode)));
        assert.deepEqual(revs([...stemmed, ...removed]), revs(tree), "each node is kept or removed");
        assert.deepEqual(stem(stemmed, limit).tree, stemmed, "a stemmed tree is stemmed");
      }),
      { numRuns: 500 },
    );
  });
});
