import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type MergeOutcome, merge } from "../../../server/documents/revisions/merge.js";
import { revOf } from "../../../server/documents/revisions/tree.js";
import { linesOf, pathOfLine, treeOf } from "../../helpers/revision-trees.js";

interface MergeCase {
  readonly name: string;
  readonly tree: readonly string[];
  /** Oldest revision first; `!` behind it when the newest is deleted. */
  readonly path: string;
  readonly merged: readonly string[];
  readonly outcome: MergeOutcome;
}

const cases: readonly MergeCase[] = [
  //   nothing      →  1-a
  { name: "the first revision of a document", tree: [], path: "1-a", merged: ["1-a"], outcome: "new-leaf" },
  //   nothing      →  1-a? ── 2-b? ── 3-c
  {
    name: "a document that comes with its history",
    tree: [],
    path: "1-a 2-b 3-c",
    merged: ["1-a? 2-b? 3-c"],
    outcome: "new-leaf",
  },
  //   nothing      →  3-c, its past unknown
  { name: "a document whose history was cut", tree: [], path: "3-c", merged: ["3-c"], outcome: "new-leaf" },
  //   1-a          →  1-a ── 2-b
  { name: "an edit of the leaf", tree: ["1-a"], path: "1-a 2-b", merged: ["1-a 2-b"], outcome: "new-leaf" },
  //   1-a          →  1-a ── 2-b (deleted)
  { name: "a deletion", tree: ["1-a"], path: "1-a 2-b!", merged: ["1-a 2-b!"], outcome: "new-leaf" },
  //   1-a          →  1-a ── 2-b? ── 3-c? ── 4-d
  {
    name: "several edits of the leaf at once",
    tree: ["1-a"],
    path: "1-a 2-b 3-c 4-d",
    merged: ["1-a 2-b? 3-c? 4-d"],
    outcome: "new-leaf",
  },
  //   3-c          →  3-c ── 4-d        the path knows no more than the tree
  {
    name: "an edit of a leaf whose history was cut",
    tree: ["3-c"],
    path: "3-c 4-d",
    merged: ["3-c 4-d"],
    outcome: "new-leaf",
  },
  //   3-c          →  1-a? ── 2-b? ── 3-c ── 4-d
  {
    name: "an edit that brings the history that was cut here",
    tree: ["3-c"],
    path: "1-a 2-b 3-c 4-d",
    merged: ["1-a? 2-b? 3-c 4-d"],
    outcome: "new-leaf",
  },
  //   1-a ── 2-b   →  1-a ── 2-b        again
  {
    name: "a revision that is there",
    tree: ["1-a 2-b"],
    path: "1-a 2-b",
    merged: ["1-a 2-b"],
    outcome: "already-there",
  },
  //   1-a ── 2-b   →  1-a ── 2-b        an inner one, again
  {
    name: "an inner revision that is there",
    tree: ["1-a 2-b"],
    path: "1-a",
    merged: ["1-a 2-b"],
    outcome: "already-there",
  },
  //   1-a ── 2-b   →  1-a ─┬ 2-b
  //                        └ 2-c
  {
    name: "two edits of one revision, the second sorted behind",
    tree: ["1-a 2-b"],
    path: "1-a 2-c",
    merged: ["1-a 2-b", "1-a 2-c"],
    outcome: "new-branch",
  },
  //   1-a ── 2-b   →  1-a ─┬ 2-a
  //                        └ 2-b
  {
    name: "two edits of one revision, the second sorted in front",
    tree: ["1-a 2-b"],
    path: "1-a 2-a",
    merged: ["1-a 2-a", "1-a 2-b"],
    outcome: "new-branch",
  },
  //   1-a ─┬ 2-b   →  1-a ─┬ 2-b
  //        └ 2-d           ├ 2-c
  //                        └ 2-d
  {
    name: "a third sibling between two",
    tree: ["1-a 2-b", "1-a 2-d"],
    path: "1-a 2-c",
    merged: ["1-a 2-b", "1-a 2-c", "1-a 2-d"],
    outcome: "new-branch",
  },
  //   1-a          →  1-a
  //                   1-b        two devices made the document independently
  { name: "a second root", tree: ["1-a"], path: "1-b", merged: ["1-a", "1-b"], outcome: "new-branch" },
  //   1-a ── 2-b   →  1-a ── 2-b
  //                   4-x ── 5-y        no revision in common that either knows
  {
    name: "a root of a later generation",
    tree: ["1-a 2-b"],
    path: "4-x 5-y",
    merged: ["1-a 2-b", "4-x? 5-y"],
    outcome: "new-branch",
  },
  //   1-a ── 2-b ─┬ 3-c      →  1-a ── 2-b ─┬ 3-c
  //               └ 3-d ── 4-e              └ 3-d ─┬ 4-e
  //                                                └ 4-f
  {
    name: "a grandchild in one of two branches",
    tree: ["1-a 2-b 3-c", "1-a 2-b 3-d 4-e"],
    path: "3-d 4-f",
    merged: ["1-a 2-b 3-c", "1-a 2-b 3-d 4-e", "1-a 2-b 3-d 4-f"],
    outcome: "new-branch",
  },
  //   1-a ─┬ 2-b   →  1-a ─┬ 2-b ── 3-e
  //        └ 2-c           └ 2-c
  {
    name: "an edit of one of two leaves",
    tree: ["1-a 2-b", "1-a 2-c"],
    path: "1-a 2-b 3-e",
    merged: ["1-a 2-c", "1-a 2-b 3-e"],
    outcome: "new-leaf",
  },
  //   1-a? ── 2-b  →  1-a ── 2-b        its body came late
  { name: "the body of an inner revision", tree: ["1-a? 2-b"], path: "1-a", merged: ["1-a 2-b"], outcome: "filled" },
  //   1-a? ── 2-b  →  1-a (deleted) ── 2-b
  {
    name: "an inner revision that turns out to be a deletion",
    tree: ["1-a? 2-b"],
    path: "1-a!",
    merged: ["1-a! 2-b"],
    outcome: "filled",
  },
  //   3-c          →  2-b? ── 3-c
  { name: "history that was cut here", tree: ["3-c"], path: "2-b 3-c", merged: ["2-b? 3-c"], outcome: "filled" },
  //   2-b          →  2-b ── 3-c        two roots become one line
  //   3-c
  { name: "the edge between two roots", tree: ["2-b", "3-c"], path: "2-b 3-c", merged: ["2-b 3-c"], outcome: "filled" },
  //   1-a ── 2-b          →  1-a ── 2-b ── 3-c? ── 4-d ── 5-e
  //   4-d ── 5-e
  {
    name: "the missing piece between two roots, by a path that adds nothing else",
    tree: ["1-a 2-b", "4-d 5-e"],
    path: "2-b 3-c 4-d 5-e",
    merged: ["1-a 2-b 3-c? 4-d 5-e"],
    outcome: "filled",
  },
  //   1-a ── 2-b          →  1-a ── 2-b ── 3-c ─┬ 4-d
  //   3-c ── 4-d                                └ 4-e
  {
    name: "a path through two roots that forks at its end",
    tree: ["1-a 2-b", "3-c 4-d"],
    path: "1-a 2-b 3-c 4-e",
    merged: ["1-a 2-b 3-c 4-d", "1-a 2-b 3-c 4-e"],
    outcome: "new-branch",
  },
  //   1-a ── 2-b   →  1-a ── 2-b        the path says that 2-b was made on 1-x: nobody honest can
  {
    name: "a past that contradicts the one known is not believed",
    tree: ["1-a 2-b"],
    path: "1-x 2-b",
    merged: ["1-a 2-b"],
    outcome: "already-there",
  },
  //   1-a ── 2-b   →  1-a ── 2-b ── 3-c
  {
    name: "an edit is taken though the past it tells is not believed",
    tree: ["1-a 2-b"],
    path: "1-x 2-b 3-c",
    merged: ["1-a 2-b 3-c"],
    outcome: "new-leaf",
  },
  //   the same hash may stand in two generations: it is the pair that names a revision
  {
    name: "equal hashes of different generations",
    tree: ["1-a 2-a"],
    path: "1-a 2-a 3-a",
    merged: ["1-a 2-a 3-a"],
    outcome: "new-leaf",
  },
  //   generations count as numbers: 9 before 10
  {
    name: "generations of one and of two digits",
    tree: ["8-a 9-b"],
    path: "8-a 9-b 10-c",
    merged: ["8-a 9-b 10-c"],
    outcome: "new-leaf",
  },
];

describe("merge", () => {
  for (const { name, tree, path, merged, outcome } of cases) {
    it(name, () => {
      const before = treeOf(...tree);
      const kept = structuredClone(before);
      const deleted = path.endsWith("!");
      const line = pathOfLine(path.replace("!", ""));
      const result = merge(before, line, { deleted, seq: 1, size: 10 });
      assert.deepEqual(linesOf(result.tree), merged);
      assert.equal(result.outcome, outcome);
      const newest = result.tree[result.index];
      assert.ok(
        newest && revOf(newest) === `${line.start}-${line.hashes[0]}`,
        "index points at the path's newest revision",
      );
      assert.deepEqual(before, kept, "the tree that was given is left alone");
    });
  }

  it("gives the very same tree back when there is nothing to do", () => {
    const tree = treeOf("1-a 2-b", "1-a 2-c");
    assert.equal(merge(tree, pathOfLine("1-a 2-c"), { deleted: false, seq: 7, size: 3 }).tree, tree);
  });

  it("notes sequence and size of the newest revision only", () => {
    const { tree } = merge([], pathOfLine("1-a 2-b"), { deleted: true, seq: 42, size: 1234 });
    assert.deepEqual(tree, [
      { generation: 1, hash: "a", parent: -1, deleted: false, stored: false, seq: 0, size: 0 },
      { generation: 2, hash: "b", parent: 0, deleted: true, stored: true, seq: 42, size: 1234 },
    ]);
  });

  it("does not overwrite a body that is there", () => {
    const { tree } = merge(treeOf("1-a"), pathOfLine("1-a"), { deleted: true, seq: 9, size: 9 });
    assert.deepEqual(tree, treeOf("1-a"));
  });
});
