import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { ReduceBatch } from "../../server/sandbox/sandbox.js";
import { sandboxFor } from "./ask.js";

interface Group {
  /** Undefined: rereduce. */
  readonly keys?: readonly unknown[];
  readonly values: readonly unknown[];
}

function reducerFor(t: TestContext) {
  const { sandbox, logs } = sandboxFor(t);
  const reduce = (source: string, groups: readonly Group[], extra: Partial<ReduceBatch> = {}) =>
    sandbox.reduce({
      database: "db",
      reduce: { designDoc: "_design/app", source },
      groups: groups.map(({ keys, values }) => ({
        keys: keys ? JSON.stringify(keys) : null,
        values: JSON.stringify(values),
      })),
      ...extra,
    });
  return { reduce, logs };
}

test("keys, values and whether it is a rereduce", async (t) => {
  const { reduce } = reducerFor(t);
  const groups = [
    {
      keys: [
        ["k", "a"],
        [[1], "b"],
      ],
      values: [1, 2],
    },
    { values: [3, { s: 4 }] },
  ];
  assert.deepEqual(await reduce("function (keys, values, rereduce) { return [keys, values, rereduce]; }", groups), [
    { value: '[[["k","a"],[[1],"b"]],[1,2],false]' },
    { value: '[null,[3,{"s":4}],true]' },
  ]);
  assert.deepEqual(await reduce("(keys, values) => sum(values)", [{ values: [1, 2, 3.5] }]), [{ value: "6.5" }]);
  assert.deepEqual(await reduce("function () {}", groups), [{ value: "null" }, { value: "null" }]);
});

test("a function that throws reduces to null, and the log says so", async (t) => {
  const { reduce, logs } = reducerFor(t);
  const source = "function (keys, values) { if (values[0] === 2) throw { forbidden: 1 }; return values[0]; }";
  const groups = [1, 2, 3].map((value) => ({ values: [value] }));
  assert.deepEqual(await reduce(source, groups), [{ value: "1" }, { value: "null" }, { value: "3" }]);
  assert.deepEqual(
    logs.map(({ message }) => message),
    ['function raised exception {"forbidden":1}'],
  );
});

test("reductions must shrink, in the numbers that CouchDB gives", async (t) => {
  const { reduce } = reducerFor(t);
  const source = 'function(keys, values, rereduce){ var s = ""; for (var i = 0; i < 5000; i++) s += "x"; return s; }';
  const dates = [1, 2].flatMap((a) => [1, 2, 3].flatMap((b) => [1, 2].map((c) => [a, b, c])));
  const group = {
    keys: dates.map((date) => [date, `d${date.join("")}`]),
    values: dates.map((date) => Number(date.join(""))),
  };
  const reason = "Reduce output must shrink more rapidly: input size: 297 output size: 5004";
  assert.deepEqual(await reduce(source, [group]), [{ error: "reduce_overflow_error", reason }]);
  const [unlimited] = await reduce(source, [group], { limited: false });
  assert.equal(unlimited?.value?.length, 5002);
  // More than half of its input, and short.
  assert.deepEqual(await reduce("(keys, values) => values", [{ values: ["x".repeat(4000)] }]), [
    { value: JSON.stringify(["x".repeat(4000)]) },
  ]);
  // Long, and more than half of its input; then less.
  const [half] = await reduce("(keys, values) => values.slice(1)", [{ values: ["x".repeat(5000), "x".repeat(6000)] }]);
  assert.equal(half?.error, "reduce_overflow_error");
  const [less] = await reduce("(keys, values) => values.slice(1)", [{ values: ["x".repeat(6000), "x".repeat(4900)] }]);
  assert.equal(less?.error, undefined);
});

test("a group that overruns is an error alone", async (t) => {
  const { reduce } = reducerFor(t);
  const source = "function (keys, values) { if (values[0] === 2) for (;;); return values[0]; }";
  const groups = [1, 2, 3].map((value) => ({ values: [value] }));
  const reason = "A function of _design/app took longer than 100 ms.";
  assert.deepEqual(await reduce(source, groups, { timeLimitMs: 100 }), [
    { value: "1" },
    { error: "timeout", reason },
    { value: "3" },
  ]);
});

test("many large groups keep their order over several calls", async (t) => {
  const { reduce } = reducerFor(t);
  const groups = Array.from({ length: 300 }, (_, index) => ({ values: [index, "x".repeat(20_000)] }));
  const reductions = await reduce("(keys, values) => values[0]", groups);
  assert.deepEqual(
    reductions,
    groups.map((_, index) => ({ value: `${index}` })),
  );
  assert.deepEqual(await reduce("() => 1", []), []);
});

test("a function that does not compile is an error of all", async (t) => {
  const { reduce } = reducerFor(t);
  await assert.rejects(reduce("42", [{ values: [1] }]), {
    error: "compilation_error",
    reason: "Expression does not eval to a function. (42)",
    status: 500,
  });
});
