import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { queryReduced, type ReducedRow } from "../../../server/query/views/reduce-query.js";
import { type ReduceFunction, reducerOf } from "../../../server/query/views/reducer.js";
import { HeldStore } from "../../helpers/held-store.js";
import { openIndex } from "../../helpers/index-world.js";

/** A function that adds, fails on `"bad"`, and counts how often it is asked. */
class Adding implements ReduceFunction {
  reduced = 0;
  rereduced = 0;

  async reduce(groups: Parameters<ReduceFunction["reduce"]>[0]): ReturnType<ReduceFunction["reduce"]> {
    this.reduced++;
    return groups.map((rows) => this.#add(rows.map((row) => row.value)));
  }

  async rereduce(groups: Parameters<ReduceFunction["rereduce"]>[0]): ReturnType<ReduceFunction["rereduce"]> {
    this.rereduced++;
    return groups.map((values) => this.#add(values));
  }

  #add(values: readonly string[]): { value: string } | { error: string; reason: string } {
    if (values.includes('"bad"')) return { error: "reduce_overflow_error", reason: "too much" };
    return { value: String(values.reduce((sum, value) => sum + Number(value), 0)) };
  }
}

async function world(count: number, bad?: number) {
  const adding = new Adding();
  const reducer = reducerOf(adding);
  const store = new HeldStore();
  store.holding = false;
  const index = await openIndex(store, { views: [{ collation: "icu", reducers: [reducer] }], nodeBytes: 300 });
  await index.update(async (writer) => {
    await writer.apply(
      Array.from({ length: count }, (_, i) => ({
        id: `d${i}`,
        views: [[{ key: `[${i % 10},${i}]`, value: i === bad ? '"bad"' : "1" }]],
      })),
    );
    await writer.commit({ updateSeq: count, purgeSeq: 0 });
  });
  const query = (given: Parameters<typeof queryReduced>[3]): Promise<readonly ReducedRow[]> =>
    index.read(async ({ trees: [tree] }) => {
      assert.ok(tree);
      const rows: ReducedRow[] = [];
      for await (const batch of queryReduced(tree, 0, reducer, given)) rows.push(...batch);
      return rows;
    });
  return { adding, query };
}

describe("a reduce function of a design document", () => {
  it("is asked for many nodes at once when an index is updated", async () => {
    const { adding, query } = await world(1000);
    assert.ok(adding.reduced <= 4, `asked ${adding.reduced} times for some 100 leaves`);
    assert.ok(adding.rereduced <= 6, `asked ${adding.rereduced} times`);
    assert.deepEqual(await query({}), [{ key: "null", value: "1000" }]);
  });

  it("is asked twice for 200 groups, and not for whole nodes", async () => {
    const { adding, query } = await world(1000);
    Object.assign(adding, { reduced: 0, rereduced: 0 });
    assert.deepEqual(
      await query({ groupLevel: 1 }),
      Array.from({ length: 10 }, (_, i) => ({ key: `[${i}]`, value: "100" })),
    );
    assert.deepEqual([adding.reduced, adding.rereduced], [1, 1]);
    Object.assign(adding, { reduced: 0, rereduced: 0 });
    await query({});
    assert.deepEqual([adding.reduced, adding.rereduced], [0, 1]);
  });

  it("fails for the groups that have the bad row, and for no others", async () => {
    const { query } = await world(1000, 437);
    const rows = await query({ groupLevel: 1 });
    assert.deepEqual(rows[7], { key: "[7]", error: "reduce_overflow_error", reason: "too much" });
    assert.equal(rows.filter((row) => "value" in row && row.value === "100").length, 9);
    assert.deepEqual(await query({}), [{ key: "null", error: "reduce_overflow_error", reason: "too much" }]);
    assert.deepEqual(await query({ startKey: "[7,438]" }), [{ key: "null", value: "256" }]);
  });
});
