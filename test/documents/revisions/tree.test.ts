import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  ancestry,
  findRevision,
  isLeaf,
  leavesOf,
  pathOf,
  type RevisionNode,
  revOf,
  sameTree,
} from "../../../server/documents/revisions/tree.js";
import { treeOf } from "../../helpers/revision-trees.js";

//   1-a ── 2-b ── 3-c
//     └─── 2-d ── 3-e (deleted)
//   2-x
const tree = treeOf("1-a 2-b 3-c", "1-a 2-d 3-e!", "2-x");
const at = (rev: string): number => tree.findIndex((node) => revOf(node) === rev);

describe("a revision tree", () => {
  it("finds revisions by generation and hash", () => {
    for (const node of tree) assert.equal(findRevision(tree, node.generation, node.hash), tree.indexOf(node));
    for (const [generation, hash] of [
      [1, "b"],
      [2, "a"],
      [4, "c"],
      [0, "a"],
    ] as const) {
      assert.equal(findRevision(tree, generation, hash), -1, `${generation}-${hash}`);
    }
    assert.equal(findRevision([], 1, "a"), -1);
  });

  it("knows its leaves, each way of asking", () => {
    const leaves = leavesOf(tree);
    assert.deepEqual(
      leaves.map((leaf) => revOf(tree[leaf] as RevisionNode)),
      ["2-x", "3-c", "3-e"],
    );
    for (let index = 0; index < tree.length; index++) assert.equal(isLeaf(tree, index), leaves.includes(index));
    assert.deepEqual(leavesOf([]), []);
    assert.deepEqual(leavesOf(treeOf("7-a")), [0]);
  });

  it("follows a node to its root", () => {
    assert.deepEqual(ancestry(tree, at("3-e")), [at("3-e"), at("2-d"), at("1-a")]);
    assert.deepEqual(pathOf(tree, at("3-c")), { start: 3, hashes: ["c", "b", "a"] });
    assert.deepEqual(pathOf(tree, at("2-x")), { start: 2, hashes: ["x"] });
  });

  it("is compared by revisions, lines and bodies, not by sequence", () => {
    const moved = tree.map((node) => ({ ...node, seq: node.seq + 5 }));
    assert.ok(sameTree(tree, moved));
    assert.ok(!sameTree(treeOf("1-a 2-b"), treeOf("1-a? 2-b")), "a body less");
    assert.ok(!sameTree(treeOf("2-b", "3-c"), treeOf("2-b 3-c")), "an edge more");
    assert.ok(!sameTree(treeOf("1-a"), treeOf("1-b")), "another revision");
    assert.ok(!sameTree(treeOf("1-a 2-b"), treeOf("1-a")), "a revision more");
  });
});
