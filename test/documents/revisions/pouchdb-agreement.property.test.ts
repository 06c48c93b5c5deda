import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { leavesOf, type RevisionNode, revOf } from "../../../server/documents/revisions/tree.js";
import { winnerOf } from "../../../server/documents/revisions/winner.js";
import {
  collectConflicts,
  factsOfPouchTree,
  factsOfTree,
  type PouchRoot,
  merge as pouchMerge,
  toPouchPath,
  toPouchTree,
  winningRev,
} from "../../helpers/pouchdb-merge.js";
import { type Delivery, deliveries, treeAfter, unionOf, unionOfTree } from "../../helpers/random-histories.js";
import { linesOf, pathOfLine } from "../../helpers/revision-trees.js";

const unlimited = 1000;

function pouchTreeAfter(told: readonly Delivery[]): PouchRoot[] {
  return told.reduce<PouchRoot[]>(
    (tree, { path, deleted }) => pouchMerge(tree, toPouchPath(path, deleted), unlimited).tree,
    [],
  );
}

describe("agreement with pouchdb-merge 9", () => {
  it("on the winner and on the conflicts of any tree", () => {
    fc.assert(
      fc.property(deliveries({ revisions: 25 }), (told) => {
        const tree = treeAfter(told);
        const winner = winnerOf(tree);
        const metadata = { rev_tree: toPouchTree(tree) };
        assert.equal(revOf(tree[winner] as RevisionNode), winningRev(metadata));
        const conflicts = leavesOf(tree).filter((leaf) => leaf !== winner && !tree[leaf]?.deleted);
        const revs = conflicts.map((leaf) => revOf(tree[leaf] as RevisionNode) as string);
        assert.deepEqual(revs.sort(), [...collectConflicts(metadata)].sort());
      }),
      { numRuns: 500 },
    );
  });

  it("on the tree, when revisions come with their whole history (conflicts, deleted leaves, several roots)", () => {
    fc.assert(
      fc.property(deliveries({ cut: false }), (told) => {
        assert.deepEqual(factsOfTree(treeAfter(told)), factsOfPouchTree(pouchTreeAfter(told)));
      }),
      { numRuns: 500 },
    );
  });

  it("on the winner of two equal generations of one and two digits: generations are numbers, not text", () => {
    const told = [
      { path: pathOfLine("9-z"), deleted: false },
      { path: pathOfLine("10-a"), deleted: false },
    ];
    const tree = treeAfter(told);
    assert.equal(revOf(tree[winnerOf(tree)] as RevisionNode), "10-a");
    assert.equal(winningRev({ rev_tree: toPouchTree(tree) }), "10-a");
  });
});

describe("where pouchdb-merge differs, the rule (the union of all nodes and edges) holds", () => {
  //   1-a ── 2-b               path 2-b, 3-c       →  1-a ── 2-b ── 3-c ── 4-d
  //   3-c ── 4-d                                      PouchDB keeps 3-c in two trees
  it("for a path that joins two roots of a stemmed tree", () => {
    const told = ["1-a 2-b", "3-c 4-d", "2-b 3-c"].map((line) => ({ path: pathOfLine(line), deleted: false }));
    assert.deepEqual(linesOf(treeAfter(told)), ["1-a? 2-b 3-c 4-d"]);
    const pouch = factsOfPouchTree(pouchTreeAfter(told));
    assert.ok(pouch.length > new Set(pouch.map((fact) => fact.split(" ")[0])).size, "PouchDB holds a revision twice");
  });

  it("for cut paths in any order, on random histories", () => {
    fc.assert(
      fc.property(deliveries({ cut: true }), (told) => {
        assert.deepEqual(unionOfTree(treeAfter(told)), unionOf(told));
      }),
      { numRuns: 300 },
    );
  });
});
