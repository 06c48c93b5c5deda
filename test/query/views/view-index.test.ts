import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { collationVersion } from "../../../server/query/collation.js";
import type { EmittedRow } from "../../../server/query/views/changes.js";
import { decodeIndexHead, encodeIndexHead } from "../../../server/query/views/index-head.js";
import { rowsBetween, totalRows } from "../../../server/query/views/index-tree.js";
import type { EmittedDocument } from "../../../server/query/views/index-writer.js";
import { countReducer, sumReducer } from "../../../server/query/views/reduce-sum.js";
import type { IndexVersion, ViewIndex } from "../../../server/query/views/view-index.js";
import { HeldStore } from "../../helpers/held-store.js";
import { indexKeys, openIndex } from "../../helpers/index-world.js";

const views = [{ collation: "icu", reducers: [countReducer, sumReducer] }] as const;
const nodeBytes = 200;

function openStore(): HeldStore {
  const store = new HeldStore();
  store.holding = false;
  return store;
}

/** Documents `from` to `to` (exclusive), each with one row. */
function documents(from: number, to: number, value = "1"): readonly EmittedDocument[] {
  return Array.from({ length: to - from }, (_, i) => {
    const row: EmittedRow = { key: String(from + i), value };
    return { id: `d${from + i}`, views: [[row]] };
  });
}

function write(index: ViewIndex, updateSeq: number, changed: readonly EmittedDocument[]): Promise<void> {
  return index.update(async (writer) => {
    await writer.apply(changed);
    await writer.commit({ updateSeq, purgeSeq: 0 });
  });
}

function values({ trees }: IndexVersion, view = 0): readonly string[] {
  const tree = trees[view];
  assert.ok(tree);
  return [...rowsBetween(tree, 0, totalRows(tree))].flat().map((row) => row.value);
}

describe("a view index", () => {
  it("begins empty, and is read back as it was written", async () => {
    const store = openStore();
    const index = await openIndex(store, { views, nodeBytes });
    assert.deepEqual(index.progress, { updateSeq: 0, purgeSeq: 0 });
    assert.deepEqual(await index.read(values), []);
    await index.update(async (writer) => {
      await writer.apply(documents(0, 100));
      await writer.commit({ updateSeq: 100, purgeSeq: 3 });
    });
    const reopened = await openIndex(store, { views, nodeBytes });
    assert.deepEqual(reopened.progress, { updateSeq: 100, purgeSeq: 3 });
    assert.equal((await reopened.read(values)).length, 100);
  });

  it("keeps the spelling of values and ids", async () => {
    const index = await openIndex(openStore(), { views: [{ collation: "icu", reducers: [] }] });
    const row = { key: '["é",1.0,12345678901234567890]', value: '{"b":1.0,"a":12345678901234567890,"é":"\\n"}' };
    await write(index, 1, [{ id: 'quo"te\u001fé', views: [[row]] }]);
    await index.read(({ trees: [tree] }) => {
      assert.ok(tree);
      const [found] = [...rowsBetween(tree, 0, 1)].flat();
      assert.equal(found?.id, 'quo"te\u001fé');
      assert.equal(found?.key, row.key);
      assert.equal(found?.value, row.value);
      assert.equal(found?.json.toString(), `"id":"quo\\"te\\u001fé","key":${row.key},"value":${row.value}`);
    });
  });

  it("updates several views in one batch, and takes a deleted document out of all", async () => {
    const index = await openIndex(openStore(), {
      views: [...views, { collation: "raw", reducers: [] }, { collation: "icu", reducers: [] }],
    });
    const row = (key: string, value: string): EmittedRow => ({ key, value });
    await write(index, 2, [
      { id: "a", views: [[row("1", "10")], [row('"x"', "11"), row("1", "12")], []] },
      { id: "b", views: [[row("0", "20")], [], [row("null", "21")]] },
    ]);
    await index.read((version) => {
      assert.deepEqual(
        [0, 1, 2].map((view) => values(version, view)),
        [["20", "10"], ["12", "11"], ["21"]],
      );
    });
    await write(index, 3, [{ id: "a", views: [] }]);
    await index.read((version) => {
      assert.deepEqual(
        [0, 1, 2].map((view) => values(version, view)),
        [["20"], [], ["21"]],
      );
    });
  });

  it("takes the later state of a document that comes twice", async () => {
    const index = await openIndex(openStore(), { views });
    await write(index, 2, [...documents(0, 1, "1"), ...documents(0, 1, "2")]);
    assert.deepEqual(await index.read(values), ["2"]);
    await index.update(async (writer) => {
      await writer.apply(documents(0, 1, "3"));
      await writer.apply([{ id: "d0", views: [[{ key: "7", value: "4" }]] }]);
      await writer.commit({ updateSeq: 4, purgeSeq: 0 });
    });
    assert.deepEqual(await index.read(values), ["4"]);
  });

  it("lets a reader finish on the version that it began with", async () => {
    const store = openStore();
    const index = await openIndex(store, { views, nodeBytes });
    await write(index, 1, documents(0, 100, "1"));
    await index.read(async (version) => {
      const tree = version.trees[0];
      assert.ok(tree);
      const rows = rowsBetween(tree, 0, 100)[Symbol.iterator]();
      const seen = [...(rows.next().value ?? [])].map((row) => row.value);
      await write(index, 2, documents(0, 200, "2"));
      assert.deepEqual(index.progress, { updateSeq: 2, purgeSeq: 0 });
      for (let next = rows.next(); !next.done; next = rows.next()) seen.push(...next.value.map((row) => row.value));
      assert.deepEqual(seen, new Array(100).fill("1"));
      assert.equal(version.progress.updateSeq, 1);
    });
    assert.deepEqual(await index.read(values), new Array(200).fill("2"));
  });

  it("writes no node when a document changes and its rows do not", async () => {
    const store = openStore();
    const index = await openIndex(store, { views, nodeBytes });
    await write(index, 1, documents(0, 100));
    store.holding = true;
    const written = write(index, 2, documents(30, 40));
    const held = await store.nextCommit();
    assert.deepEqual(held.keys, [indexKeys.head]);
    held.succeed();
    await written;
    assert.equal(index.progress.updateSeq, 2);
  });

  it("is behind, and whole, when a batch does not reach the disk", async () => {
    const store = openStore();
    const index = await openIndex(store, { views, nodeBytes });
    await write(index, 1, documents(0, 50, "1"));
    store.holding = true;
    const failing = index.update(async (writer) => {
      await writer.apply(documents(0, 80, "2"));
      await writer.commit({ updateSeq: 2, purgeSeq: 0 });
      // Built on what is not on disk yet, and lost with it.
      await writer.apply(documents(80, 90, "2"));
      await writer.commit({ updateSeq: 3, purgeSeq: 0 });
    });
    (await store.nextCommit()).fail(new Error("the disk is full"));
    await assert.rejects(failing, /the disk is full/);
    store.holding = false;
    assert.deepEqual(await index.read(values), new Array(50).fill("1"));
    await write(index, 4, documents(0, 60, "3"));
    assert.deepEqual(await index.read(values), new Array(60).fill("3"));
    assert.deepEqual(await (await openIndex(store, { views, nodeBytes })).read(values), new Array(60).fill("3"));
  });

  it("goes on with the next changes while a batch is on its way", async () => {
    const store = openStore();
    const index = await openIndex(store, { views, nodeBytes });
    store.holding = true;
    let goneOn!: () => void;
    const secondApplied = new Promise<void>((resolve) => {
      goneOn = resolve;
    });
    const updated = index.update(async (writer) => {
      await writer.apply(documents(0, 50));
      await writer.commit({ updateSeq: 1, purgeSeq: 0 });
      await writer.apply(documents(25, 75, "2"));
      goneOn();
      await writer.commit({ updateSeq: 2, purgeSeq: 0 });
    });
    const first = await store.nextCommit();
    await secondApplied;
    assert.equal(index.progress.updateSeq, 0);
    first.succeed();
    const second = await store.nextCommit();
    assert.equal(index.progress.updateSeq, 1);
    second.succeed();
    await updated;
    assert.deepEqual(await index.read(values), [...new Array(25).fill("1"), ...new Array(50).fill("2")]);
  });

  it("forgets what an update did not commit, and what its work threw away", async () => {
    const store = openStore();
    const index = await openIndex(store, { views, nodeBytes });
    await write(index, 1, documents(0, 10));
    const failing = index.update(async (writer) => {
      await writer.apply(documents(10, 20));
      await writer.commit({ updateSeq: 2, purgeSeq: 0 });
      await writer.apply(documents(20, 30));
      throw new Error("the map function is gone");
    });
    const next = write(index, 3, documents(30, 31));
    await assert.rejects(failing, /the map function is gone/);
    await next;
    assert.equal((await index.read(values)).length, 21);
  });

  it("refuses to be changed twice at once", async () => {
    const index = await openIndex(openStore(), { views });
    await index.update(async (writer) => {
      await writer.apply(documents(0, 10));
      const committed = writer.commit({ updateSeq: 1, purgeSeq: 0 });
      await assert.rejects(writer.apply(documents(10, 20)), /while it is being changed/);
      await committed;
      const applied = writer.apply(documents(10, 20));
      await assert.rejects(writer.commit({ updateSeq: 2, purgeSeq: 0 }), /while it is being changed/);
      await applied;
    });
  });

  it("is emptied when another ICU has ordered it, unless its order is raw", async () => {
    for (const [collation, remaining] of [
      ["icu", 0],
      ["raw", 100],
    ] as const) {
      const store = openStore();
      const own = [{ collation, reducers: [] }];
      await write(await openIndex(store, { views: own, nodeBytes }), 5, documents(0, 100));
      const head = decodeIndexHead(store.get(indexKeys.head) as Buffer);
      assert.equal(head.collationVersion, collationVersion);
      store.contents.set(indexKeys.head, encodeIndexHead({ ...head, collationVersion: "1.0" }));
      const reopened = await openIndex(store, { views: own, nodeBytes });
      assert.equal(reopened.progress.updateSeq, remaining === 0 ? 0 : 5);
      assert.equal((await reopened.read(values)).length, remaining);
      if (remaining > 0) continue;
      // Nothing but the head is left, and it goes on counting nodes: those of before may be in a cache.
      assert.deepEqual([...store.contents.keys()], [indexKeys.head]);
      assert.equal(reopened.head.nextNode, head.nextNode);
    }
  });
});
