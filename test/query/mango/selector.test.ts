import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CouchError, type ErrorName } from "../../../protocol/errors.js";
import { parseSelector, selectorJson } from "../../../server/query/mango/selector.js";

type Json = Readonly<Record<string, unknown>>;

const nested = (levels: number): unknown => JSON.parse(`${'{"$not":'.repeat(levels)}{"a":1}${"}".repeat(levels)}`);

describe("selectors in normal form", () => {
  const table: readonly (readonly [selector: Json, normal: Json])[] = [
    [{}, {}],
    [{ a: 1 }, { a: { $eq: 1 } }],
    [{ a: {} }, { a: { $eq: {} } }],
    [{ a: [{ $gt: 1 }] }, { a: { $eq: [{ $gt: 1 }] } }],
    [{ a: { $eq: { $gt: 1 } } }, { a: { $eq: { $gt: 1 } } }],
    [{ a: { b: { c: 1 } } }, { "a.b.c": { $eq: 1 } }],
    [{ "a\\.b": { c: 1 } }, { "a\\.b.c": { $eq: 1 } }],
    [{ a: 1, b: 2 }, { $and: [{ a: { $eq: 1 } }, { b: { $eq: 2 } }] }],
    [{ a: { $gt: 1, b: 2 } }, { $and: [{ a: { $gt: 1 } }, { "a.b": { $eq: 2 } }] }],
    [{ a: { $or: [{ $lt: 1 }, 5] } }, { $or: [{ a: { $lt: 1 } }, { a: { $eq: 5 } }] }],
    [{ $not: { a: { $lt: 1 } } }, { a: { $gte: 1 } }],
    [{ $not: { a: { $in: [1] } } }, { a: { $nin: [1] } }],
    [{ a: { $not: { $exists: true } } }, { a: { $exists: false } }],
    [{ a: { $not: { $size: 1 } } }, { a: { $not: { $size: 1 } } }],
    [{ $not: { $not: { a: 1 } } }, { a: { $eq: 1 } }],
    [{ $not: { a: 1, b: 2 } }, { $or: [{ a: { $ne: 1 } }, { b: { $ne: 2 } }] }],
    [{ $nor: [{ a: 1 }, { $nor: [{ b: 2 }] }] }, { $and: [{ a: { $ne: 1 } }, { $or: [{ b: { $eq: 2 } }] }] }],
    [{ $nor: [] }, { $and: [] }],
    [{ $not: { $and: [] } }, { $or: [] }],
    [
      { a: { $elemMatch: { b: { c: 1 }, $not: { d: 2 } } } },
      { a: { $elemMatch: { $and: [{ "b.c": { $eq: 1 } }, { $not: { d: { $eq: 2 } } }] } } },
    ],
    [{ a: { $not: { $allMatch: { $gt: 1 } } } }, { a: { $not: { $allMatch: { "": { $gt: 1 } } } } }],
    [
      { a: { $keyMapMatch: { $nor: [{ $eq: "b" }] } } },
      { a: { $keyMapMatch: { $and: [{ $not: { "": { $eq: "b" } } }] } } },
    ],
  ];
  for (const [selector, normal] of table) {
    test(JSON.stringify(selector), () => {
      const parsed = parseSelector(selector);
      assert.deepEqual(selectorJson(parsed), normal);
      assert.deepEqual(parseSelector(normal), parsed, "the normal form is read as itself");
    });
  }
});

describe("selectors that are refused", () => {
  const many = Array.from({ length: 101 }, (_, i) => ({ $eq: i }));
  const table: readonly (readonly [selector: unknown, error: ErrorName, reason: string])[] = [
    [undefined, "invalid_selector_json", "Selector must be a JSON object, not: undefined"],
    ["é", "invalid_selector_json", "Selector must be a JSON object, not: <<195,169>>"],
    [
      [{ a: [1, null, "b"] }],
      "invalid_selector_json",
      "Selector must be a JSON object, not: [{[{<<97>>,[1,null,<<98>>]}]}]",
    ],
    [{ $gt: 1 }, "invalid_selector", "One or more conditions is missing a field name."],
    [{ "": 1 }, "invalid_selector", "One or more conditions is missing a field name."],
    [{ $not: {} }, "invalid_selector", "One or more conditions is missing a field name."],
    [{ "a..b": 1 }, "invalid_selector", "Invalid field name: a..b"],
    [{ a: { "": 1 } }, "invalid_selector", "Invalid field name: a."],
    [nested(300), "invalid_selector", "Selectors are at most 200 levels deep."],
    [nested(100_000), "invalid_selector", "Selectors are at most 200 levels deep."],
    [{ a: { $elemMatch: { $or: many } } }, "invalid_selector", "$elemMatch takes at most 100 conditions."],
    [{ a: { $where: "1" } }, "not_supported", "Unsupported operator: $where"],
    [{ a: { $text: "x" } }, "not_supported", "Unsupported operator: $text"],
    [{ $default: { $text: "x" } }, "invalid_operator", "Invalid operator: $default"],
    [{ a: { $constructor: 1 } }, "invalid_operator", "Invalid operator: $constructor"],
    [{ a: { $mod: [2, 0, 1] } }, "bad_arg", "Bad argument for operator $mod: [2,0,1]"],
    [{ a: { $elemMatch: { $in: "x" } } }, "bad_arg", "Bad argument for operator $in: <<120>>"],
  ];
  for (const [selector, error, reason] of table) {
    test(reason, () => {
      assert.throws(
        () => parseSelector(selector),
        (thrown) => {
          assert.ok(thrown instanceof CouchError, String(thrown));
          assert.deepEqual([thrown.error, thrown.reason, thrown.status], [error, reason, 400]);
          return true;
        },
      );
    });
  }

  test("a large argument is not quoted in full", () => {
    const large = { b: ["x".repeat(1_000_000)], c: Array.from({ length: 100_000 }, () => 1) };
    assert.throws(
      () => parseSelector({ a: { $in: large } }),
      ({ reason }) => reason.length < 1100 && reason.endsWith("..."),
    );
  });
});
