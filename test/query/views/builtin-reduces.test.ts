/** What the recordings of CouchDB leave open (`recorded-queries.test.ts` has those). */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { builtinReduce } from "../../../server/query/views/builtin-reduces.js";
import { finished, type Reduced, type Reducer, type Reduction } from "../../../server/query/views/reducer.js";
import { Rows } from "../../../server/query/views/rows.js";
import type { ViewRow } from "../../../server/query/views/view-row.js";

function reducerNamed(name: string): Reducer {
  const found = builtinReduce(name);
  assert.ok("reducer" in found, name);
  return found.reducer;
}

function rowsOf(values: readonly string[], keys: readonly string[] = []): readonly ViewRow[] {
  const texts = values.map((value, i) => {
    const key = keys[i] ?? String(i);
    return { id: `d${i}`, key, value, parsedKey: JSON.parse(key) as unknown };
  });
  return Rows.encode(texts).slice(0, texts.length);
}

/** The value of rows that stand in several leaves. */
async function reduce(name: string, ...leaves: readonly (readonly ViewRow[])[]): Promise<Reduced> {
  const reducer = reducerNamed(name);
  const reductions = await reducer.reduce(leaves);
  const [all] = await reducer.rereduce([reductions]);
  return finished(reducer, all as Reduction);
}

async function valueOf(name: string, ...leaves: readonly (readonly string[])[]): Promise<unknown> {
  const outcome = await reduce(name, ...leaves.map((values) => rowsOf(values)));
  assert.ok("value" in outcome, JSON.stringify(outcome));
  return JSON.parse(outcome.value);
}

describe("_sum", () => {
  it("shows that a sum is a double, and adds large integers exactly", async () => {
    assert.deepEqual(await reduce("_sum", rowsOf(["0.5", "0.5"])), { value: "1.0" });
    assert.deepEqual(await reduce("_sum", rowsOf(["9007199254740993"]), rowsOf(["2"])), { value: "9007199254740995" });
  });

  it("is the same however the rows are cut into leaves", async () => {
    const value = fc.oneof(
      fc.integer(),
      fc.array(fc.integer(), { maxLength: 3 }),
      fc.dictionary(
        fc.constantFrom("a", "b", "é"),
        fc.oneof(fc.integer(), fc.array(fc.integer(), { minLength: 1, maxLength: 2 })),
        {
          minKeys: 1,
        },
      ),
    );
    const sameKind = fc.oneof(
      fc.array(
        value.filter((each) => typeof each !== "object" || Array.isArray(each)),
        { minLength: 1 },
      ),
      fc.array(
        value.filter((each) => typeof each === "object" && !Array.isArray(each)),
        { minLength: 1 },
      ),
    );
    await fc.assert(
      fc.asyncProperty(sameKind, fc.nat(), async (values, cut) => {
        const texts = values.map((each) => JSON.stringify(each));
        const at = cut % texts.length;
        const [left, right] = [texts.slice(0, at), texts.slice(at)];
        const whole = await valueOf("_sum", texts);
        assert.deepEqual(await valueOf("_sum", ...(left.length > 0 ? [left, right] : [right])), whole);
      }),
    );
  });

  it("keeps the first error through all levels", async () => {
    const value = (await valueOf("_sum", ["1"], ["2", '"x"', "null"], ["3"])) as Record<string, unknown>;
    assert.equal(value["error"], "builtin_reduce_error");
    assert.equal(value["caused_by"], "x");
    const mixed = (await valueOf("_sum", ["1", '{"n":1}'])) as Record<string, unknown>;
    assert.deepEqual(mixed["caused_by"], { n: 1 });
  });

  it("refuses a sum that grows with its rows", async () => {
    const values = Array.from({ length: 500 }, (_, i) => JSON.stringify({ [`member-${i}`.padEnd(100)]: 1 }));
    const value = (await valueOf("_sum", values)) as Record<string, unknown>;
    assert.equal(value["error"], "builtin_reduce_error");
    assert.match(String(value["reason"]), /^Reduce output must shrink more rapidly: input size: \d+ output size: \d+$/);
    const same = new Array<string>(500).fill(JSON.stringify(Array.from({ length: 3000 }, () => 1)));
    assert.equal(((await valueOf("_sum", same)) as number[]).length, 3000);
  });
});

describe("_count", () => {
  it("counts rows whatever they hold", async () => {
    assert.equal(await valueOf("_count", ['"x"', "null"], ["[]"]), 3);
  });
});

describe("_stats", () => {
  it("goes through several leaves, of numbers and of arrays", async () => {
    assert.deepEqual(await valueOf("_stats", ["1", "-2"], ["4"]), { sum: 3, count: 3, min: -2, max: 4, sumsqr: 21 });
    assert.deepEqual(await valueOf("_stats", ["[1,2]"], ["[3,4]"]), [
      { sum: 4, count: 2, min: 1, max: 3, sumsqr: 10 },
      { sum: 6, count: 2, min: 2, max: 4, sumsqr: 20 },
    ]);
  });

  const refused: readonly (readonly [values: readonly string[], reason: string])[] = [
    [["1", '"x"'], "The _stats function requires that map values be numbers or arrays of numbers, not '<<\"x\">>'"],
    [["[1]", "[1,2]"], "The _stats function requires that arrays have the same length, not 2 and 1"],
    [["[1]", "1"], "The _stats function requires that map values be numbers or arrays of numbers, not '1'"],
    [['{"sum":"x"}'], "non-numeric _stats input received for sum: <<120>>"],
  ];
  for (const [values, reason] of refused) {
    it(`refuses ${values.join(" and ")}`, async () => {
      assert.deepEqual(await reduce("_stats", rowsOf(values), rowsOf(["1"])), { error: "invalid_value", reason });
    });
  }
});

describe("_approx_count_distinct", () => {
  const keys = (from: number, to: number): readonly ViewRow[] => {
    const texts = Array.from({ length: to - from }, (_, i) => JSON.stringify(`user-${from + i}`));
    return rowsOf(
      texts.map(() => "null"),
      texts,
    );
  };
  const count = async (...leaves: readonly (readonly ViewRow[])[]): Promise<number> => {
    const outcome = await reduce("_approx_count_distinct", ...leaves);
    assert.ok("value" in outcome);
    return Number(outcome.value);
  };

  it("is exact for a few keys", async () => {
    assert.equal(await count(keys(0, 1)), 1);
    assert.equal(await count(keys(0, 20), keys(10, 30)), 30);
  });

  for (const distinct of [300, 3000, 30_000, 100_000]) {
    it(`is within 6 % for ${distinct} keys`, async () => {
      const leaves = Array.from({ length: distinct / 100 }, (_, i) => keys(i * 100, i * 100 + 150));
      const counted = await count(...leaves, ...leaves.slice(0, 10));
      const actual = distinct + 50;
      assert.ok(Math.abs(counted - actual) / actual < 0.06, `${counted} instead of ${actual}`);
    });
  }

  it("keeps little of few keys and 2 kB of many", async () => {
    const reducer = reducerNamed("_approx_count_distinct");
    const [few, many] = await reducer.reduce([keys(0, 80), keys(0, 20_000)]);
    assert.ok((few as string).length <= 241);
    assert.equal((many as string).length, 2049);
  });
});

describe("_first, _last, _top_N, _bottom_N", () => {
  it("take the ends of a range", async () => {
    assert.equal(await valueOf("_first", ["1", "2"], ["3"]), 1);
    assert.equal(await valueOf("_last", ["1", "2"], ["3"]), 3);
  });

  it("rank different values in the order of views", async () => {
    assert.deepEqual(await valueOf("_top_3", ["1", "5", "5"], ['"a"', "null"], ["5", "4"]), ["a", 5, 4]);
    assert.deepEqual(await valueOf("_bottom_2", ["[1]", "5"], ["null", "false"], ["null"]), [null, false]);
    assert.deepEqual(await valueOf("_top_100", ['"line\\nbreak"'], ['"a"']), ["line\nbreak", "a"]);
  });

  it("keep the spelling of values", async () => {
    assert.deepEqual(await reduce("_top_2", rowsOf(["1.0", "12345678901234567890"])), {
      value: "[12345678901234567890,1.0]",
    });
  });
});

describe("names", () => {
  const problems: readonly (readonly [name: string, problem: string])[] = [
    ["_top_0", "rank value must be between 1 and 100"],
    ["_bottom_101", "rank value must be between 1 and 100"],
    ["_top_x", "invalid rank reducer"],
    ["_top_", "invalid rank reducer"],
    ["_top", "`_top` is not a supported reduce function."],
    ["_nope", "`_nope` is not a supported reduce function."],
  ];
  for (const [name, problem] of problems) {
    it(`${name}: ${problem}`, () => assert.deepEqual(builtinReduce(name), { problem }));
  }
});
