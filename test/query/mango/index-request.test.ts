import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CouchError } from "../../../protocol/errors.js";
import type { Json } from "../../../server/query/mango/body-members.js";
import { parseIndexRequest } from "../../../server/query/mango/index-request.js";

const parse = (body: Json) => parseIndexRequest(body);

describe("the body of _index", () => {
  test("becomes a view, its fields in their order", () => {
    const { view, ...rest } = parse({ index: { fields: ["b", { "0": "asc" }] }, ddoc: "d", name: "n" });
    assert.deepEqual(rest, { designDoc: "_design/d", name: "n", partitioned: undefined });
    assert.equal(
      view,
      '{"map":{"fields":{"b":"asc","0":"asc"},"partial_filter_selector":{}},"reduce":"_count",' +
        '"options":{"def":{"fields":["b",{"0":"asc"}]}}}',
    );
  });

  test("keeps a filter in its normal form, and as it was sent", () => {
    const filter = { a: 1, b: { $not: { $gt: 2 } } };
    const { view } = parse({ index: { fields: ["a"], partial_filter_selector: filter } });
    const { map, options } = JSON.parse(view);
    assert.deepEqual(map.partial_filter_selector, { $and: [{ a: { $eq: 1 } }, { b: { $lte: 2 } }] });
    assert.deepEqual(options.def.partial_filter_selector, filter);
  });

  test("gets the same names again when it is the same", () => {
    const one = parse({ index: { fields: ["a"] } });
    assert.match(one.name, /^[0-9a-f]{40}$/);
    assert.equal(one.designDoc, `_design/${one.name}`);
    assert.deepEqual(parse({ index: { fields: ["a"] }, w: 3 }), one);
    const others: readonly Json[] = [
      { index: { fields: ["b"] } },
      { index: { fields: [{ a: "desc" }] } },
      { index: { fields: ["a"], partial_filter_selector: { a: 1 } } },
      { index: { fields: ["a"] }, partitioned: false },
    ];
    for (const other of others) assert.notEqual(parse(other).name, one.name, JSON.stringify(other));
    assert.equal(parse({ index: { fields: ["a"] }, ddoc: "_design/d" }).designDoc, "_design/d");
  });

  test("is refused in CouchDB's words", () => {
    const index = { fields: ["a"] };
    const table: readonly (readonly [body: Json, error: string, reason: string, status?: number])[] = [
      [{}, "missing_required_key", "Missing required key: index"],
      [{ index: "a" }, "invalid_index", "JSON indexes must be an object, not: <<97>>"],
      [{ index: {} }, "missing_required_key", "Missing required key: fields"],
      [{ index: { fields: ["a"], selector: {} } }, "invalid_key", "Invalid key selector for this request."],
      [{ index: { fields: [""] } }, "invalid_sort_field", "Invalid sort field: <<>>"],
      [{ index, name: "" }, "invalid_empty_string", "Index name or ddoc cannot be empty string"],
      [{ index, ddoc: null }, "invalid_string", "Invalid string: null"],
      [{ index, type: null }, "invalid_string", "Invalid string: null"],
      [{ index, type: "geo" }, "invalid_index", "Invalid type for index: geo"],
      [{ index, type: "text" }, "required index service unavailable", "text", 503],
      [{ index, type: "nouveau" }, "required index service unavailable", "nouveau", 503],
      [{ index, w: 0 }, "invalid_pos_integer", "0 is not an integer greater than zero"],
      [{ index, partitioned: "x" }, "invalid_boolean", "Invalid boolean value: <<120>>"],
      [{ index, nope: 1 }, "invalid_key", "Invalid key nope for this request."],
      [
        { index: { fields: ["a"], partial_filter_selector: { $text: "a" } } },
        "not_supported",
        "Unsupported operator: $text",
      ],
    ];
    for (const [body, error, reason, status = 400] of table) {
      assert.throws(
        () => parse(body),
        (thrown: CouchError) => thrown.error === error && thrown.reason === reason && thrown.status === status,
        JSON.stringify(body),
      );
    }
  });
});
