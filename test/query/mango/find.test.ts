import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Json } from "../../../server/query/mango/body-members.js";
import { replicated, writeOne } from "../../helpers/incoming-revisions.js";
import { MangoWorld } from "../../helpers/mango-world.js";
import { type Cleanup, openTestStore } from "../../helpers/temp-store.js";

async function worldWith(
  t: Cleanup,
  bodies: Readonly<Record<string, Json>>,
  indexes: readonly Json[] = [],
  facts = {},
): Promise<MangoWorld> {
  const world = await MangoWorld.create(await openTestStore(t), facts);
  await world.write(Object.entries(bodies));
  await world.createIndexes(indexes);
  return world;
}

function on(...fields: readonly string[]): Json {
  return { index: { fields }, ddoc: fields.join("-"), name: "x" };
}

async function idsOf(world: MangoWorld, body: Json): Promise<string> {
  return (await world.find(body)).docs.map(({ _id }) => _id).join(" ");
}

describe("a query", () => {
  test("does not take a row's word for a document that was written since", async (t) => {
    const world = await worldWith(t, { a: { n: 1 }, b: { n: 1 }, c: { n: 1 }, d: { n: 1, m: 1 } }, [on("n")]);
    const changed = world.whenHeld(async () => {
      await world.write([
        ["a", { n: 2 }],
        ["b", undefined],
        ["c", { n: 1, changed: true }],
      ]);
    });
    const { docs, statistics } = await changed.find({ selector: { n: 1 }, fields: ["_id", "changed"] });
    assert.deepEqual(docs, [{ _id: "c", changed: true }, { _id: "d" }]);
    assert.deepEqual(statistics, { keysExamined: 4, documentsExamined: 4, results: 2 });
  });

  test("goes on where its bookmark says, whatever became of that document", async (t) => {
    const world = await worldWith(t, { a: { n: 1 }, b: { n: 1 }, c: { n: 1 }, d: { n: 2 } }, [on("n")]);
    for (const selector of [{ n: { $gt: 0 } }, { _id: { $gt: null } }]) {
      const { bookmark } = await world.find({ selector, limit: 2 });
      await world.write([["b", undefined]]);
      assert.equal(await idsOf(world, { selector, bookmark }), "c d");
      await world.write([["b", { n: 1 }]]);
    }
    const down = { selector: { n: { $gt: 0 } }, sort: [{ n: "desc" }] };
    const { bookmark } = await world.find({ ...down, limit: 2 });
    await world.write([["c", undefined]]);
    assert.equal(await idsOf(world, { ...down, bookmark }), "b a");
  });

  test("keeps its bookmark when nothing more is found, and has none when nothing was", async (t) => {
    const world = await worldWith(t, { a: { n: 1 } }, [on("n")]);
    const first = await world.find({ selector: { n: 1 } });
    const second = await world.find({ selector: { n: 1 }, bookmark: first.bookmark });
    assert.deepEqual([second.docs, second.bookmark], [[], first.bookmark]);
    assert.equal((await world.find({ selector: { n: 2 } })).bookmark, undefined);
    assert.equal((await world.find({ selector: { n: 1 }, limit: 0 })).bookmark, undefined);
  });

  test("refuses a bookmark of the listing by id where an index has keys", async (t) => {
    const world = await worldWith(t, { a: { n: 1 } }, [on("n")]);
    const { bookmark } = await world.find({ selector: {} });
    await assert.rejects(world.find({ selector: { n: 1 }, bookmark }), { error: "invalid_bookmark" });
  });

  test("finds the same integers with an index as without, however large", async (t) => {
    const bodies = Object.fromEntries(
      ["9007199254740991", "9007199254740993", "1152921504606846977", "-1152921504606846977"].map((n, i) => [
        `n${i}`,
        { n: Number(n), text: n },
      ]),
    );
    const world = await worldWith(t, bodies, [on("n")]);
    for (const n of [2 ** 53 - 1, 2 ** 53, 2 ** 60, -(2 ** 60)]) {
      for (const operator of ["$eq", "$gt", "$gte", "$lt", "$lte"]) {
        const selector = { n: { [operator]: n } };
        const [found, all] = [
          await idsOf(world, { selector }),
          await idsOf(world, { selector: { $or: [selector, { x: 1 }] } }),
        ];
        assert.equal(found.split(" ").sort().join(" "), all, JSON.stringify(selector));
      }
    }
  });

  test("finds texts that begin alike in any script, with an index as without", async (t) => {
    const texts = [
      "เ",
      "เก",
      "กเ",
      "é",
      "e\u0301",
      "e\u0301\u0323",
      "ệ",
      "eß",
      "中",
      "中文",
      "中a",
      "が",
      "か\u3099",
      "한",
      "a\u0300\u0323",
    ];
    const world = await worldWith(t, Object.fromEntries(texts.map((n, i) => [`n${i}`, { n }])), [on("n")]);
    for (const text of texts) {
      for (const end of [1, text.length]) {
        const selector = { n: { $beginsWith: text.slice(0, end) } };
        const [found, all] = [
          await idsOf(world, { selector }),
          await idsOf(world, { selector: { $or: [selector, { x: 1 }] } }),
        ];
        assert.equal(found.split(" ").sort().join(" "), all.split(" ").sort().join(" "), JSON.stringify(selector));
      }
    }
  });

  test("compares ids by their bytes, in a column of an index too", async (t) => {
    const world = await worldWith(t, { a: { n: 1 }, B: { n: 1 }, b: { n: 1 } }, [on("n", "_id")]);
    assert.equal(await idsOf(world, { selector: { n: 1, _id: { $gt: "B" } } }), "a b");
    assert.equal(await idsOf(world, { selector: { n: 1, _id: { $lte: "B" } } }), "B");
    assert.equal(
      await idsOf(world, { selector: { n: 1, _id: { $gt: "B" } }, sort: [{ n: "desc" }, { _id: "desc" }] }),
      "b a",
    );
  });

  test("gives numbers of an index that covers it as they were written", async (t) => {
    const world = await worldWith(t, {}, [on("n", "o.p")]);
    const body = Buffer.from('{"n":12345678901234567890,"o":{"p":{"10":1.0,"9":[]}}}');
    await writeOne(world.database, { ...replicated("a", "1-a"), body });
    const { texts, plan } = await world.find({
      selector: { n: { $gt: 1 }, "o.p": { $exists: true } },
      fields: ["o.p", "n", "_id"],
    });
    assert.equal(plan.isCovering, true);
    assert.deepEqual(texts, ['{"o":{"p":{"10":1.0,"9":[]}},"n":12345678901234567890,"_id":"a"}']);
  });

  test("knows of conflicts where it asks for them", async (t) => {
    const world = await worldWith(t, {}, [on("_conflicts")]);
    await writeOne(world.database, replicated("a", "1-a", { body: { n: 1 } }));
    await writeOne(world.database, replicated("a", "1-b", { body: { n: 2 } }));
    await writeOne(world.database, replicated("b", "1-a"));
    const selector = { _conflicts: { $exists: true } };
    const { docs } = await world.find({ selector, conflicts: true });
    assert.deepEqual(docs, [{ _id: "a", _rev: "1-b", n: 2, _conflicts: ["1-a"] }]);
    assert.equal(await idsOf(world, { selector }), "");
    assert.equal(await idsOf(world, { selector: { $or: [selector, { x: 1 }] }, conflicts: true }), "a");
  });

  test("reads all documents of a partition and of the whole, but no design documents", async (t) => {
    const bodies = { "p:a": { n: 2 }, "p:b": { n: 1 }, "q:a": { n: 1 }, "q:b": { n: 1 } };
    const indexes = [
      { ...on("n"), ddoc: "part" },
      { ...on("n"), ddoc: "whole", partitioned: false },
    ];
    const world = await worldWith(t, bodies, indexes, { partitioned: true });
    assert.equal(await idsOf(world, { selector: {} }), "p:a p:b q:a q:b");
    assert.equal(await idsOf(world, { selector: {}, partition: "q" }), "q:a q:b");
    assert.equal(await idsOf(world, { selector: { _id: { $gt: "p:a" } }, partition: "p" }), "p:b");
    assert.equal(await idsOf(world, { selector: { n: { $gt: 0 } } }), "p:b q:a q:b p:a");
    assert.equal(await idsOf(world, { selector: { n: { $gt: 0 } }, partition: "p" }), "p:b p:a");
    assert.equal(await idsOf(world, { selector: { n: 1 }, partition: "q", sort: [{ n: "desc" }] }), "q:b q:a");
    const { bookmark } = await world.find({ selector: { n: 1 }, partition: "q", limit: 1 });
    assert.equal(await idsOf(world, { selector: { n: 1 }, partition: "q", bookmark }), "q:b");
    assert.equal(await idsOf(world, { selector: { n: 1 }, partition: "nobody" }), "");
  });

  test("reads no further than its limit, and many documents in steps", async (t) => {
    const bodies = Object.fromEntries(Array.from({ length: 1200 }, (_, i) => [String(i).padStart(4, "0"), { n: i }]));
    const world = await worldWith(t, bodies);
    const few = await world.find({ selector: { n: { $gte: 2 } }, limit: 3, skip: 1 });
    assert.deepEqual([few.docs.map(({ n }) => n), few.statistics.keysExamined], [[3, 4, 5], 6]);
    const last = await world.find({ selector: { n: 1199 }, limit: 2 });
    assert.deepEqual([last.docs.length, last.statistics.keysExamined], [1, 1200]);
    const down = await world.find({ selector: { _id: { $lt: "1100" }, n: { $lt: 2 } }, sort: [{ _id: "desc" }] });
    assert.deepEqual([down.docs.map(({ n }) => n), down.statistics.keysExamined], [[1, 0], 1101]);
  });
});
