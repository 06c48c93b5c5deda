import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CouchError } from "../../../protocol/errors.js";
import type { Json } from "../../../server/query/mango/body-members.js";
import { explain } from "../../../server/query/mango/explain.js";
import { parseFindRequest } from "../../../server/query/mango/find-request.js";
import type { JsonIndex } from "../../../server/query/mango/mango-index.js";
import { chosenIndex, planQuery } from "../../../server/query/mango/plan.js";

/** `name: a b` is an index on a and b in `_design/name`; `name/x: ...` is its index `x`. */
function indexes(text: string, more: Partial<JsonIndex> = {}): readonly JsonIndex[] {
  return text.split(", ").map((one) => {
    const [names, columns] = one.split(": ") as [string, string];
    const [designDoc, name = designDoc] = names.split("/") as [string, string?];
    const fields = columns.split(" ").map((field) => ({ name: field, direction: "asc" as const }));
    const index = { type: "json", designDoc: `_design/${designDoc}`, name, fields, partitioned: false, ...more };
    return index as unknown as JsonIndex;
  });
}

/** The name of the index that is chosen. */
function choice(known: readonly JsonIndex[], body: Json, { partitioned = false } = {}): string {
  const request = parseFindRequest(body);
  const index = chosenIndex(planQuery(known, request), request, { partitioned });
  return index.type === "special" ? "_all_docs" : index.name;
}

const refused =
  (known: readonly JsonIndex[], body: Json, facts = {}) =>
  (): CouchError => {
    try {
      choice(known, body, facts);
    } catch (error) {
      return error as CouchError;
    }
    throw new Error("was not refused");
  };

describe("of several indexes", () => {
  test("the best for the selector is chosen, then the shortest, then the first", () => {
    const table: readonly (readonly [known: string, selector: Json, chosen: string])[] = [
      ["one: a, two: a b", { a: 1 }, "one"],
      ["one: a, two: a b", { a: 1, b: 2 }, "two"],
      ["one: a, two: a b", { a: 1, b: { $exists: true } }, "one"],
      ["one: a, two: a b", { a: 1, b: { $in: [1] } }, "one"],
      ["one: a, two: b a", { a: { $gt: 1 }, b: { $regex: "x" } }, "one"],
      ["two: b, one: a", { a: 1, b: 2 }, "one"],
      ["two: a c, one: a b", { a: 1, b: 2, c: 3 }, "one"],
      ["long: a b c, mid: a b, short: a", { a: 1, b: { $gte: 12 } }, "mid"],
      ["abc: a b c, ade: a d e", { a: { $gt: 0 }, b: { $gt: 0 }, c: { $gt: 0 } }, "abc"],
      ["b/2: a, b/1: a", { a: 1 }, "1"],
      ["z/1: a, b/2: a", { a: 1 }, "2"],
      // A document without one of the fields is not in the index.
      ["two: a b", { a: 1 }, "_all_docs"],
      ["two: a b", { a: 1, b: { $exists: false } }, "_all_docs"],
      ["one: a", { a: { $exists: true } }, "one"],
      ["one: a", { a: { $ne: 1 } }, "one"],
      ["one: a", { $or: [{ a: 1 }, { a: 2 }] }, "one"],
      ["one: a", { $or: [{ a: 1 }, { b: 2 }] }, "_all_docs"],
      ["one: a", { $or: [], b: 1 }, "_all_docs"],
      ["one: a", {}, "_all_docs"],
      ["one: a.b", { a: { b: 1 } }, "one"],
      ["one: a", { a: { b: 1 } }, "_all_docs"],
      // Every document has these.
      ["one: a _id _rev", { a: 1 }, "one"],
    ];
    for (const [known, selector, chosen] of table) {
      assert.equal(choice(indexes(known), { selector }), chosen, `${known}: ${JSON.stringify(selector)}`);
    }
  });

  test("one must be in the order of the sort", () => {
    const table: readonly (readonly [
      known: string,
      selector: Json,
      sort: readonly unknown[],
      chosen: string | undefined,
    ])[] = [
      ["one: a b", { a: 2, b: { $gt: 10 } }, ["b"], "one"],
      ["one: a b", { a: 2, b: { $gt: 10 } }, [{ a: "desc" }, { b: "desc" }], "one"],
      ["one: a b", { a: { $gt: 10 }, b: { $gt: 10 } }, ["b"], undefined],
      ["one: a b c", { a: 2, b: 10, c: { $gt: 1 } }, ["c"], "one"],
      ["one: a b c", { a: 2, b: { $gt: 1 }, c: { $gt: 1 } }, ["b"], "one"],
      ["one: a b c", { a: { $gt: 1 }, b: 1, c: 1 }, ["a", "c"], undefined],
      ["one: a b", { a: { $gt: 1 }, b: 1 }, ["a", "b", "c"], undefined],
      ["one: a b", {}, ["a", "b"], "one"],
      ["one: a b", { c: 1 }, ["a"], undefined],
      ["one: a, two: b", { b: 1 }, ["a"], "one"],
      ["one: a", { _id: { $gt: null } }, ["_id"], "_all_docs"],
      ["one: a", { _id: { $gt: null } }, ["_id", "a"], undefined],
      ["one: a", {}, ["_id"], undefined],
    ];
    for (const [known, selector, sort, chosen] of table) {
      const what = `${known}: ${JSON.stringify([selector, sort])}`;
      if (chosen !== undefined) assert.equal(choice(indexes(known), { selector, sort }), chosen, what);
      else assert.equal(refused(indexes(known), { selector, sort })().error, "no_usable_index", what);
    }
  });

  test("the best is found quickly for a selector of very many fields", () => {
    const many = Array.from({ length: 50_000 }, (_, i) => ({ [`f${i}`]: i }));
    const begun = performance.now();
    assert.equal(choice(indexes("one: f7, two: f7 f9"), { selector: { $and: many } }), "two");
    assert.ok(performance.now() - begun < 3000, `${performance.now() - begun} ms`);
  });

  test("one may be asked for, and partial ones are not taken otherwise", () => {
    const partial = indexes("part/p: a", { partialFilter: { b: 1 } });
    const known = [...indexes("one/x: a, one/y: a, two: a b"), ...partial];
    const table: readonly (readonly [use_index: unknown, selector: Json, chosen: string])[] = [
      ["two", { a: 1, b: 1 }, "two"],
      ["one", { a: 1, b: 1 }, "x"],
      [["_design/one", "y"], { a: 1, b: 1 }, "y"],
      ["part", { a: 1 }, "p"],
      ["part", { b: 1 }, "_all_docs"],
      ["two", { a: 1 }, "x"],
      ["nope", { a: 1 }, "x"],
      [null, { a: 1 }, "x"],
      ["_all_docs", { a: 1 }, "x"],
    ];
    for (const [use_index, selector, chosen] of table) {
      assert.equal(choice(known, { selector, use_index }), chosen, JSON.stringify([use_index, selector]));
    }
    assert.equal(choice(partial, { selector: { a: 1 } }), "_all_docs");
  });

  test("no other one is taken where that is not allowed", () => {
    const known = indexes("one: a");
    const table: readonly (readonly [body: Json, reason: string | undefined])[] = [
      [{ selector: { a: 1 }, use_index: "one" }, undefined],
      [{ selector: { a: 1 } }, undefined],
      [{ selector: { b: 1 } }, "You must specify an index with the `use_index` parameter."],
      [
        { selector: { b: 1 }, use_index: "one" },
        "_design/one specified by `use_index` could not be found or it is not suitable.",
      ],
      [
        { selector: { a: 1 }, use_index: ["one", "x"] },
        "_design/one, x specified by `use_index` could not be found or it is not suitable.",
      ],
    ];
    for (const [body, reason] of table) {
      const strict = { ...body, allow_fallback: false };
      if (reason === undefined) assert.equal(choice(known, strict), "one");
      else assert.equal(refused(known, strict)().reason, reason);
    }
  });

  test("those of partitions answer for these, and the others for the whole", () => {
    const known = [...indexes("part: a", { partitioned: true }), ...indexes("whole: a")];
    const facts = { partitioned: true };
    assert.equal(choice(known, { selector: { a: 1 }, partition: "p" }, facts), "part");
    assert.equal(choice(known, { selector: { a: 1 } }, facts), "whole");
    assert.equal(choice(known, { selector: { b: 1 }, partition: "p" }, facts), "_all_docs");
    const sorted = { selector: { a: 1 }, sort: ["b"] };
    const words = "index exists for this sort, try indexing by the sort fields.";
    assert.equal(refused(known, sorted, facts)().reason, `No global ${words}`);
    assert.equal(refused(known, { ...sorted, partition: "p" }, facts)().reason, `No partitioned ${words}`);
  });
});

describe("an explanation", () => {
  const database = { name: "db", partitioned: false };

  function reasons(known: readonly JsonIndex[], body: Json): readonly string[] {
    const request = parseFindRequest(body);
    const { index_candidates } = explain(database, request, planQuery(known, request));
    return (
      index_candidates as { index: Json; analysis: { usable: boolean; ranking: number; reasons: [{ name: string }] } }[]
    ).map(
      ({ index, analysis }) => `${index["name"]} ${analysis.usable} ${analysis.ranking} ${analysis.reasons[0].name}`,
    );
  }

  test("says of each index why it was not chosen", () => {
    const known = [
      ...indexes("best: a b, long: a b c, same/1: a b, less: a, other: d, sorted: a d"),
      ...indexes("part: a", { partialFilter: { b: 1 } }),
      ...indexes("scope: a", { partitioned: true }),
    ];
    const selector = { a: 1, b: 2, c: { $exists: true } };
    assert.deepEqual(reasons(known, { selector }), [
      "sorted false 5 field_mismatch",
      "scope false 6 scope_mismatch",
      "1 true 1 alphabetically_comes_after",
      "part false 7 is_partial",
      "other false 5 field_mismatch",
      "long true 2 too_many_fields",
      "less true 3 less_overlap",
      "_all_docs true 4 unfavored_type",
    ]);
    assert.deepEqual(reasons(known, { selector, use_index: "less" }), [
      "sorted false 2 field_mismatch",
      "scope false 3 scope_mismatch",
      "1 true 1 excluded_by_user",
      "part false 4 is_partial",
      "other false 2 field_mismatch",
      "long true 1 excluded_by_user",
      "best true 1 excluded_by_user",
      "_all_docs true 1 excluded_by_user",
    ]);
    assert.deepEqual(reasons(indexes("one: a, two: a b"), { selector: { a: { $gt: 1 }, b: 1 }, sort: ["b"] }), [
      "two false 1 sort_order_mismatch",
      "one false 1 sort_order_mismatch",
      "_all_docs false 1 field_mismatch",
    ]);
  });

  test("names the fields that an index could narrow down, and those that none could", () => {
    const request = parseFindRequest({ selector: { b: { $regex: "x" }, a: 1, $or: [{ c: 1 }, { d: { $gt: 2 } }] } });
    assert.deepEqual(explain(database, request, planQuery([], request))["selector_hints"], [
      { type: "json", indexable_fields: ["a"], unindexable_fields: ["b", "c", "d"] },
    ]);
  });

  test("has the arguments of the listing by id", () => {
    const table: readonly (readonly [body: Json, start: unknown, end: unknown])[] = [
      [{ selector: {} }, null, "<MAX>"],
      [{ selector: { _id: "a" } }, "a", "a"],
      [{ selector: { _id: { $lt: "a" } } }, "", "a"],
      [{ selector: { _id: { $beginsWith: "a" } } }, "a", "a\uffff"],
      [{ selector: { _id: { $gt: "a" } }, sort: [{ _id: "desc" }] }, "<MAX>", "a"],
      [{ selector: { $or: [] } }, null, null],
    ];
    for (const [body, start, end] of table) {
      const request = parseFindRequest(body);
      const { mrargs } = explain(database, request, planQuery([], request));
      const { start_key, end_key } = mrargs as Json;
      assert.deepEqual([start_key, end_key], [start, end], JSON.stringify(body));
    }
  });
});
