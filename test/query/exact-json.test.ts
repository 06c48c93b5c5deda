import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseExact, parseExactWith } from "../../server/query/exact-json.js";

/** As `JSON.parse` has it: Maps as objects, and large integers rounded. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, each]) => [name, plain(each)]));
  return value;
}

test("reads what JSON.parse reads", () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
      const text = JSON.stringify(value);
      assert.deepEqual(plain(parseExact(text)), JSON.parse(text));
      assert.deepEqual(plain(parseExactWith(text, Number)), JSON.parse(text));
    }),
    { numRuns: 1000 },
  );
});

test("integers that no double holds stay what they are", () => {
  assert.equal(parseExact("9007199254740993"), 9007199254740993n);
  assert.equal(parseExact("-123456789012345678901234567890"), -123456789012345678901234567890n);
  assert.deepEqual(parseExact('[1,9007199254740993,"9007199254740993",null,true]'), [
    1,
    9007199254740993n,
    "9007199254740993",
    null,
    true,
  ]);
  assert.equal(parseExact("9007199254740991"), 9007199254740991);
  assert.equal(parseExact("1234567890123456.5"), 1234567890123456.5);
  assert.equal(parseExact("1e300"), 1e300);
});

test("members whose names are numbers stay where they are", () => {
  const value = parseExact('{"b":1,"2":{"\\"9\\":":[]},"1":false}');
  assert.ok(value instanceof Map);
  assert.deepEqual([...value.keys()], ["b", "2", "1"]);
  assert.deepEqual(plain(value), { b: 1, "2": { '"9":': [] }, "1": false });
});

test("numbers are read as the caller wants", () => {
  assert.deepEqual(
    parseExactWith('[1.0,{"a":-2e5}]', (text) => text),
    ["1.0", new Map([["a", "-2e5"]])],
  );
});
