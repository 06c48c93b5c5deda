import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CouchError } from "../../../protocol/errors.js";
import { parseFindRequest } from "../../../server/query/mango/find-request.js";

describe("the body of _find", () => {
  test("says little when it says only what is wanted", () => {
    const { selector, ...rest } = parseFindRequest({ selector: { a: 1 } });
    assert.equal(selector.kind, "field");
    assert.deepEqual(rest, {
      useIndex: [],
      bookmark: undefined,
      limit: 25,
      skip: 0,
      sort: [],
      fields: undefined,
      partition: undefined,
      copies: 1,
      conflicts: false,
      stale: false,
      update: true,
      stable: false,
      executionStats: false,
      allowFallback: true,
    });
  });

  test("names an index in many ways", () => {
    const table: readonly (readonly [given: unknown, meant: readonly string[]])[] = [
      [null, []],
      [[], []],
      ["ddoc", ["ddoc"]],
      ["_design/ddoc", ["ddoc"]],
      ["ddoc/name", ["ddoc", "name"]],
      ["_design/ddoc/name", ["ddoc", "name"]],
      ["_design", ["_design"]],
      [["ddoc"], ["ddoc"]],
      [
        ["_design/ddoc", "a/name"],
        ["_design/ddoc", "a/name"],
      ],
    ];
    for (const [use_index, meant] of table) {
      assert.deepEqual(parseFindRequest({ selector: {}, use_index }).useIndex, meant, JSON.stringify(use_index));
    }
  });

  test("has no other members, and these of their types", () => {
    const table: readonly (readonly [body: object, error: string, reason: string])[] = [
      [{}, "missing_required_key", "Missing required key: selector"],
      [{ selector: [] }, "invalid_selector_json", "Selector must be a JSON object, not: []"],
      [{ selector: {}, limit: -1 }, "invalid_non_neg_integer", "-1 is not an integer greater than or equal to zero"],
      [{ selector: {}, limit: 1.5 }, "invalid_non_neg_integer", "1.5 is not an integer greater than or equal to zero"],
      [{ selector: {}, skip: null }, "invalid_non_neg_integer", "null is not an integer greater than or equal to zero"],
      [
        { selector: {}, sort: { a: "asc" } },
        "invalid_sort_json",
        'Sort must be an array of sort specs, not: {[{<<"a">>,<<"asc">>}]}',
      ],
      [{ selector: {}, sort: [""] }, "invalid_sort_field", "Invalid sort field: <<>>"],
      [{ selector: {}, sort: [{}] }, "invalid_sort_field", "Invalid sort field: {[]}"],
      [{ selector: {}, sort: ["a..b"] }, "invalid_sort_field", 'Invalid sort field: <<"a..b">>'],
      [{ selector: {}, sort: [["a"]] }, "invalid_sort_field", 'Invalid sort field: [<<"a">>]'],
      [
        { selector: {}, sort: ["a", { b: "desc" }] },
        "unsupported_mixed_sort",
        "Sorts currently only support a single direction for all fields.",
      ],
      [{ selector: {}, fields: null }, "invalid_fields", "Fields must be an array of strings, not: null"],
      [{ selector: {}, bookmark: 1 }, "invalid_bookmark", "Invalid bookmark value: 1"],
      [{ selector: {}, use_index: "a/b/c" }, "invalid_index_name", "Invalid index name: <<97,47,98,47,99>>"],
      [{ selector: {}, use_index: ["a", 1] }, "invalid_index_name", "Invalid index name: [<<97>>,1]"],
      [{ selector: {}, partition: "_a" }, "illegal_partition", "Partition must not start with an underscore"],
      [{ selector: {}, partition: 1 }, "illegal_partition", "Partition must be a string"],
      [{ selector: {}, r: 0 }, "invalid_pos_integer", "0 is not an integer greater than zero"],
      [{ selector: {}, conflicts: "true" }, "invalid_boolean", "Invalid boolean value: <<116,114,117,101>>"],
      [{ selector: {}, update: null }, "invalid_boolean", "Invalid boolean value: null"],
      [{ selector: {}, stale: "update_after" }, "bad_request", '`stale` must be "ok" or false.'],
      // The first mistake is told, members that mean nothing last.
      [
        { constructor: 1, selector: {}, limit: "x" },
        "invalid_non_neg_integer",
        "<<120>> is not an integer greater than or equal to zero",
      ],
      [{ selector: {}, nope: 1 }, "invalid_key", "Invalid key nope for this request."],
      [JSON.parse('{"selector": {}, "__proto__": 1}'), "invalid_key", "Invalid key __proto__ for this request."],
    ];
    for (const [body, error, reason] of table) {
      assert.throws(
        () => parseFindRequest(body as Record<string, unknown>),
        (thrown: CouchError) => thrown.error === error && thrown.reason === reason && thrown.status === 400,
        JSON.stringify(body),
      );
    }
  });
});
