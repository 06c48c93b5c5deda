import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseRevId } from "../../../protocol/ids.js";
import { purgeLeaves } from "../../../server/documents/revisions/purge-leaves.js";
import { revOf } from "../../../server/documents/revisions/tree.js";
import { linesOf, treeOf } from "../../helpers/revision-trees.js";

interface Scenario {
  readonly name: string;
  readonly tree: readonly string[];
  readonly revs: readonly string[];
  readonly purged: readonly string[];
  readonly left: readonly string[];
  readonly removed: readonly string[];
}

const scenarios: readonly Scenario[] = [
  {
    // 1-a ── 2-b
    name: "the only leaf takes its whole line with it",
    tree: ["1-a 2-b"],
    revs: ["2-b"],
    purged: ["2-b"],
    left: [],
    removed: ["1-a", "2-b"],
  },
  {
    // 1-a ─┬ 2-b ── 3-c
    //      └ 2-d
    name: "one of two leaves takes what is its alone",
    tree: ["1-a 2-b 3-c", "1-a 2-d"],
    revs: ["3-c"],
    purged: ["3-c"],
    left: ["1-a 2-d"],
    removed: ["2-b", "3-c"],
  },
  {
    name: "all leaves, in the order of asking",
    tree: ["1-a 2-b 3-c", "1-a 2-d!"],
    revs: ["3-c", "2-d"],
    purged: ["3-c", "2-d"],
    left: [],
    removed: ["1-a", "2-b", "2-d", "3-c"],
  },
  {
    // 1-a ── 2-b      5-x ── 6-y
    name: "a leaf of another root",
    tree: ["1-a 2-b", "5-x 6-y"],
    revs: ["2-b"],
    purged: ["2-b"],
    left: ["5-x 6-y"],
    removed: ["1-a", "2-b"],
  },
  {
    name: "no inner revision, and none that becomes a leaf thereby",
    tree: ["1-a 2-b 3-c", "1-a 2-d"],
    revs: ["2-b", "3-c", "1-a"],
    purged: ["3-c"],
    left: ["1-a 2-d"],
    removed: ["2-b", "3-c"],
  },
  {
    name: "each once",
    tree: ["1-a", "1-b"],
    revs: ["1-a", "1-a"],
    purged: ["1-a"],
    left: ["1-b"],
    removed: ["1-a"],
  },
  { name: "nothing of nothing", tree: [], revs: ["1-a"], purged: [], left: [], removed: [] },
];

describe("purgeLeaves", () => {
  for (const { name, tree, revs, purged, left, removed } of scenarios) {
    it(name, () => {
      const result = purgeLeaves(treeOf(...tree), revs.map(parseRevId));
      assert.deepEqual(result.purged, purged);
      assert.deepEqual(linesOf(result.tree), left);
      assert.deepEqual(result.tree, treeOf(...left));
      assert.deepEqual(result.removed.map(revOf), removed);
    });
  }

  it("gives the very same tree when nothing goes", () => {
    const tree = treeOf("1-a 2-b", "1-a 2-c");
    assert.equal(purgeLeaves(tree, ["1-a", "7-x"].map(parseRevId)).tree, tree);
  });
});
