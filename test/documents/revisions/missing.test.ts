import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RevId } from "../../../protocol/ids.js";
import { missingRevisions } from "../../../server/documents/revisions/missing.js";
import { treeOf } from "../../helpers/revision-trees.js";

interface MissingCase {
  readonly name: string;
  readonly tree: readonly string[];
  readonly asked: readonly string[];
  /** Undefined when the answer is that nothing is missing. */
  readonly missing: readonly string[] | undefined;
  readonly possibleAncestors?: readonly string[];
}

const cases: readonly MissingCase[] = [
  {
    name: "everything, of a document that is not here",
    tree: [],
    asked: ["2-b"],
    missing: ["2-b"],
    possibleAncestors: [],
  },
  //   1-a ── 2-b
  {
    name: "nothing, of leaves and inner revisions that are here",
    tree: ["1-a 2-b"],
    asked: ["2-b", "1-a"],
    missing: undefined,
  },
  //   1-a? ── 2-b          a revision that is known by name counts as known
  { name: "nothing, of revisions known by name", tree: ["1-a? 2-b"], asked: ["1-a"], missing: undefined },
  //   1-a ── 2-b           asked for 3-c
  { name: "a child of a leaf", tree: ["1-a 2-b"], asked: ["2-b", "3-c"], missing: ["3-c"], possibleAncestors: ["2-b"] },
  //   1-a ─┬ 2-b           asked for 3-x: both leaves are of a lower generation
  //        └ 2-c
  {
    name: "with all leaves that may be ancestors",
    tree: ["1-a 2-b", "1-a 2-c"],
    asked: ["3-x"],
    missing: ["3-x"],
    possibleAncestors: ["2-b", "2-c"],
  },
  //   1-a ─┬ 2-b           asked for 3-x: 4-e cannot be its ancestor
  //        └ 2-c ── 3-d ── 4-e
  {
    name: "without leaves of the same or a higher generation",
    tree: ["1-a 2-b", "1-a 2-c 3-d 4-e"],
    asked: ["3-x"],
    missing: ["3-x"],
    possibleAncestors: ["2-b"],
  },
  {
    name: "a sibling, which has no possible ancestor among leaves",
    tree: ["1-a 2-b"],
    asked: ["2-x"],
    missing: ["2-x"],
    possibleAncestors: [],
  },
  {
    name: "the same hash in another generation",
    tree: ["1-a"],
    asked: ["2-a"],
    missing: ["2-a"],
    possibleAncestors: ["1-a"],
  },
  {
    name: "in the order in which they were asked for",
    tree: ["1-a"],
    asked: ["3-x", "1-a", "2-y"],
    missing: ["3-x", "2-y"],
    possibleAncestors: ["1-a"],
  },
];

describe("missingRevisions", () => {
  for (const { name, tree, asked, missing, possibleAncestors } of cases) {
    it(`finds ${name}`, () => {
      const found = missingRevisions(treeOf(...tree), asked as RevId[]);
      assert.deepEqual(found, missing && { missing, possibleAncestors });
    });
  }
});
