import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type RevisionNode, revOf } from "../../../server/documents/revisions/tree.js";
import { winnerOf } from "../../../server/documents/revisions/winner.js";
import { treeOf } from "../../helpers/revision-trees.js";

const cases: readonly { readonly name: string; readonly tree: readonly string[]; readonly winner: string }[] = [
  //   1-a ◄
  { name: "the only revision", tree: ["1-a"], winner: "1-a" },
  //   1-a ── 2-b ── 3-c ◄
  { name: "the end of a plain line", tree: ["1-a 2-b 3-c"], winner: "3-c" },
  //   1-a ── 2-b (deleted) ◄
  { name: "the deletion, when nothing else is left", tree: ["1-a 2-b!"], winner: "2-b" },
  //   1-a ─┬ 2-b
  //        └ 2-c ◄
  { name: "the highest hash of equally long branches", tree: ["1-a 2-b", "1-a 2-c"], winner: "2-c" },
  //   1-a ─┬ 2-b ── 3-a ◄
  //        └ 2-z
  { name: "the longest branch, whatever the hashes", tree: ["1-a 2-b 3-a", "1-a 2-z"], winner: "3-a" },
  //   1-a ─┬ 2-b ◄
  //        └ 2-c ── 3-d ── 4-e (deleted)
  {
    name: "a short branch that is alive before a long deleted one",
    tree: ["1-a 2-b", "1-a 2-c 3-d 4-e!"],
    winner: "2-b",
  },
  //   1-a ─┬ 2-b (deleted)
  //        └ 2-c (deleted) ── 3-a (deleted) ◄
  { name: "the longest of deleted branches", tree: ["1-a 2-b!", "1-a 2-c! 3-a!"], winner: "3-a" },
  //   1-a ── 2-b (deleted) ── 3-c ◄        the deletion was undone
  { name: "a new life after a deletion", tree: ["1-a 2-b! 3-c"], winner: "3-c" },
  //   1-a
  //   1-b ◄
  { name: "the higher of two roots", tree: ["1-a", "1-b"], winner: "1-b" },
  //   1-z
  //   5-a ◄        history was cut: its length is the generation, not the number of nodes
  {
    name: "the higher generation, though fewer of its revisions are known",
    tree: ["1-x 2-y 3-z", "5-a"],
    winner: "5-a",
  },
  //   9-z
  //   10-a ◄
  { name: "generation 10 before 9", tree: ["9-z", "10-a"], winner: "10-a" },
];

describe("winnerOf", () => {
  for (const { name, tree: lines, winner } of cases) {
    it(`is ${name}`, () => {
      const tree = treeOf(...lines);
      assert.equal(revOf(tree[winnerOf(tree)] as RevisionNode), winner);
    });
  }
});
