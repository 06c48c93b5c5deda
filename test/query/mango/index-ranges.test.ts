import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Json } from "../../../server/query/mango/body-members.js";
import {
  endKey,
  type IndexRanges,
  plannedRanges,
  rangesOfIndex,
  searchedIds,
  searchedKeys,
  startKey,
} from "../../../server/query/mango/index-ranges.js";
import type { JsonIndex } from "../../../server/query/mango/mango-index.js";
import { parseSelector } from "../../../server/query/mango/selector.js";

function indexOn(...columns: readonly string[]): JsonIndex {
  const fields = columns.map((name) => ({ name, direction: "asc" as const }));
  return { type: "json", fields } as unknown as JsonIndex;
}

/** Start and end, as CouchDB explains them. */
function planned(columns: readonly string[], selector: Json): unknown {
  const ranges = rangesOfIndex(indexOn(...columns), plannedRanges(parseSelector(selector)));
  if (ranges.some((range) => range === "empty")) return "empty";
  const known = ranges as Exclude<IndexRanges, "empty">;
  return [startKey(known), endKey(known)];
}

function searched(columns: readonly string[], selector: Json): unknown {
  const bounds = searchedKeys(indexOn(...columns), parseSelector(selector));
  return bounds === "empty" ? bounds : [bounds.low, bounds.high];
}

type Row = readonly [columns: readonly string[], selector: Json, wanted: unknown];

function check(of: typeof planned, table: readonly Row[]): void {
  for (const [columns, selector, wanted] of table) {
    assert.deepEqual(of(columns, selector), wanted, `${columns}: ${JSON.stringify(selector)}`);
  }
}

describe("ranges", () => {
  test("are the keys that CouchDB explains", () => {
    check(planned, [
      [["a"], { a: 1 }, [[1], [1, "<MAX>"]]],
      [["a"], { a: { $gt: 1 } }, [[1], ["<MAX>"]]],
      [["a"], { a: { $lt: 1 } }, [[], [1, "<MAX>"]]],
      [["a"], { a: { $gte: 1, $lt: 3, $lte: 2 } }, [[1], [2, "<MAX>"]]],
      [["a"], { a: { $gt: 2, $eq: 3 } }, [[3], [3, "<MAX>"]]],
      [["a"], { $and: [{ a: { $gt: 1 } }, { $and: [{ a: { $gt: 2 } }, { b: 1 }] }] }, [[2], ["<MAX>"]]],
      [["a"], { a: { $exists: true } }, [[], ["<MAX>"]]],
      [["a"], { a: { $in: [1] } }, [[], ["<MAX>"]]],
      [["a"], { $or: [{ a: 1 }, { a: 2 }] }, [[], ["<MAX>"]]],
      [["a"], { $not: { a: { $lte: 1 } } }, [[1], ["<MAX>"]]],
      [
        ["a", "b"],
        { a: 1, b: { $gt: 2 } },
        [
          [1, 2],
          [1, "<MAX>"],
        ],
      ],
      [["a", "b"], { a: { $gt: 1 }, b: 2 }, [[1, 2], [2, "<MAX>"].slice(1)]],
      [["a", "b"], { a: { $lt: 5 }, b: 2 }, [[], [5, 2, "<MAX>"]]],
      [["a", "b"], { b: 2, a: { $exists: true } }, [[], ["<MAX>"]]],
      [["a", "b", "c"], { a: 1, c: 3, b: { $regex: "x" } }, [[1], [1, "<MAX>"]]],
      [["a"], { a: { $beginsWith: "éx" } }, [["éx"], ["éx\uffff", "<MAX>"]]],
      [["a"], { a: { $beginsWith: "x", $gt: "xy" } }, [["xy"], ["x\uffff", "<MAX>"]]],
      [["a"], { a: { $gt: 2, $lt: 1 } }, "empty"],
      [["a"], { a: { $gt: 1, $lt: 1 } }, "empty"],
      [["a"], { a: { $gte: 1, $lt: 1 } }, "empty"],
      [["a"], { a: { $gte: 1, $lte: 1 } }, [[1], [1, "<MAX>"]]],
      [["a"], { $and: [{ a: 1 }, { a: 2 }] }, "empty"],
      // CouchDB gives up the other ranges when one is empty.
      [["a", "b"], { a: 1, b: { $gt: 2, $lt: 1 } }, [[], ["<MAX>"]]],
    ]);
  });

  test("that are searched miss nothing", () => {
    check(searched, [
      [
        ["a", "b"],
        { a: 1, b: { $gt: 2, $lt: 5 } },
        [
          [1, 2],
          [1, 5],
        ],
      ],
      [["a", "b"], { b: 2, a: { $exists: true } }, [[], []]],
      [["a", "b"], { a: 1, b: { $gt: 2, $lt: 1 } }, "empty"],
      // Accents, and vowels of some scripts, may change places with what follows them.
      [["a"], { a: { $beginsWith: "x" } }, [["x"], ["x\uffff"]]],
      [["a"], { a: { $beginsWith: "xé" } }, [["x"], ["x\uffff"]]],
      [["a"], { a: { $beginsWith: "中文" } }, [["中文"], ["中文\uffff"]]],
      [["a"], { a: { $beginsWith: "เก" } }, [[""], ["\uffff"]]],
      // By bytes, "B" comes before "a"; in an index, behind it.
      [["_id"], { _id: { $gt: "B" } }, [[], []]],
      [["_id"], { _id: "B" }, [["B"], ["B"]]],
      // An index has the integers that documents are rounded from.
      [["a"], { a: 2 ** 60 }, [[2 ** 60 - 256], [2 ** 60 + 256]]],
      [["a"], { a: { $gt: -(2 ** 60) } }, [[-(2 ** 60) - 256], []]],
      [["a"], { a: [2 ** 60] }, [[], []]],
      [["a"], { a: { $gt: { b: 1 } } }, [[{ b: 1 }], []]],
      [["a"], { a: { $gt: { $eq: 1 } } }, [[{ $eq: 1 }], []]],
      [["a"], { a: { $eq: { 0: 1 } } }, [[], []]],
    ]);
  });

  test("of ids go by their bytes, and all else that JSON has comes before them", () => {
    const table: readonly (readonly [selector: Json, from: string | undefined, to: string | undefined])[] = [
      [{}, undefined, undefined],
      [{ _id: "a" }, "a", "a"],
      [{ _id: { $gt: "B", $lt: "a" } }, "B", "a"],
      [{ _id: { $gt: null } }, undefined, undefined],
      [{ _id: { $gte: {} } }, undefined, undefined],
      [{ _id: { $gt: "a", $gte: "b" }, a: 1 }, "b", undefined],
      [{ _id: { $beginsWith: "a" } }, "a", "a\u{10ffff}"],
      [{ _id: { $in: ["c", 1, "a", "b"] } }, "a", "c"],
      [{ $or: [{ _id: "a" }, { _id: "b" }] }, undefined, undefined],
    ];
    for (const [selector, from, to] of table) {
      assert.deepEqual(searchedIds(parseSelector(selector)), { from, to }, JSON.stringify(selector));
    }
    const none: readonly Json[] = [
      { _id: 1 },
      { _id: { $lt: {} } },
      { _id: { $lte: null } },
      { _id: { $gt: "b", $lt: "a" } },
      { _id: { $in: [1] } },
    ];
    for (const selector of none) assert.equal(searchedIds(parseSelector(selector)), "empty", JSON.stringify(selector));
  });
});
