import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDocId, parseRevId } from "../../../protocol/ids.js";
import { ActiveTasks } from "../../../server/documents/active-tasks.js";
import type { Database } from "../../../server/documents/database.js";
import type { DatabaseIndex } from "../../../server/query/indexes/database-index.js";
import { Indexes } from "../../../server/query/indexes/indexes.js";
import { openHeldDatabase } from "../../helpers/held-database.js";
import { edit, replicated, writeOne } from "../../helpers/incoming-revisions.js";
import { assertIndexed, nativeDefinition, type RowsBody } from "../../helpers/indexed-database.js";
import { keysOnDisk } from "../../helpers/raw-store.js";
import { openTestStore } from "../../helpers/temp-store.js";
import { waitFor, within } from "../../helpers/wait-for.js";

const nodeBytes = 300;

const oneRow = (n: number): RowsBody => ({ rows: [[String(n), "1"]] });

/** Documents `d0`, `d1`, ... with one row each. */
async function fill(database: Database, count: number): Promise<void> {
  const revisions = Array.from({ length: count }, (_, n) => edit(`d${n}`, { body: oneRow(n) }));
  await database.write(revisions, "trusted");
}

/** A gate at which a mapping waits. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

async function rowsOf(index: DatabaseIndex): Promise<number> {
  const version = index.hold();
  try {
    return version.trees[0]?.root?.rows ?? 0;
  } finally {
    await version.release();
  }
}

async function purge(database: Database, id: string, rev: string): Promise<void> {
  await database.purge([{ id: parseDocId(id), revs: [parseRevId(rev)] }]);
}

describe("an index of a database", () => {
  it("brings many documents in, in steps that are kept", async (t) => {
    const { databases, database } = await openTestStore(t);
    await fill(database, 1500);
    const indexes = new Indexes(databases, { nodeBytes, rowsOfCommit: 200 });
    let mapped = 0;
    const index = await indexes.open(
      database,
      nativeDefinition({
        mapping: (documents) => {
          mapped += documents.length;
          if (mapped > 1200) throw new Error("enough");
          return undefined;
        },
      }),
    );
    await assert.rejects(index.bringUpToDate(), /enough/);
    const { updateSeq } = index.progress;
    assert.ok(updateSeq >= 200 && updateSeq < 1500, `it has come to ${updateSeq}`);
    assert.equal(await rowsOf(index), updateSeq);
    mapped = -10_000;
    await index.bringUpToDate();
    assert.equal(mapped, 1500 - updateSeq - 10_000, "what is there is not mapped again");
    await assertIndexed(index, nodeBytes);
  });

  it("is updated once for all who wait, and once more for those who know of newer changes", async (t) => {
    const { databases, database } = await openTestStore(t);
    await fill(database, 3);
    const indexes = new Indexes(databases);
    const { opened, open } = gate();
    const updates: number[] = [];
    const definition = nativeDefinition({
      mapping: async (documents) => {
        updates.push(documents.length);
        await opened;
        return undefined;
      },
    });
    const index = await indexes.open(database, definition);
    const first = [index.bringUpToDate(), index.bringUpToDate()];
    await waitFor("the mapping to begin", () => updates.length === 1);
    assert.deepEqual([index.isUpdating, index.waiting, indexes.statistics().waiting], [true, 2, 2]);
    await writeOne(database, edit("new", { body: oneRow(7) }));
    const later = index.bringUpToDate();
    assert.equal(index.lag, 4);
    open();
    await Promise.all(first);
    await later;
    assert.deepEqual(updates, [3, 1]);
    assert.deepEqual([index.isUpdating, index.waiting, index.lag], [false, 0, 0]);
    assert.deepEqual(indexes.statistics(), { updating: 0, waiting: 0, lag: 0 });
    await assertIndexed(index, 8192);
  });

  it("sees a document whose newer change is on disk and not told of yet", async (t) => {
    const { store, commit, database } = openHeldDatabase(t);
    store.holding = false;
    const rev = await writeOne(database, edit("a", { body: oneRow(1) }));
    const indexes = new Indexes({ store, commit, tasks: new ActiveTasks() });
    const index = await indexes.open(database, nativeDefinition());
    store.holding = true;
    const writing = writeOne(database, edit("a", { on: rev, body: oneRow(2) }));
    const held = await store.nextCommit();
    held.arrive();
    // For all who ask the database is still at the change before, which is on disk no more.
    const updating = index.bringUpToDate();
    await waitFor(
      "the index",
      () => store.contents.has(database.keys.index(1).head) || commit.statistics().waiting > 1,
    );
    assert.equal(database.updateSeq, 1);
    held.succeed();
    (await store.nextCommit()).succeed();
    await updating;
    assert.equal(await rowsOf(index), 1);
    await writing;
    store.holding = false;
    await index.bringUpToDate();
    await assertIndexed(index, 8192);
  });

  it("sees a document that changes while it looks for many others", async (t) => {
    const { databases, database } = await openTestStore(t);
    await fill(database, 600);
    const indexes = new Indexes(databases, { nodeBytes });
    let written: Promise<unknown> | undefined;
    const definition = nativeDefinition({
      mapping: (documents) => {
        // The last document moves behind all that the update reads.
        const last = database.find("d599")?.record;
        const on = last && `${last.tree[0]?.generation}-${last.tree[0]?.hash}`;
        written ??= writeOne(database, edit("d599", { on, body: oneRow(599) }));
        return written.then(() => documents.length);
      },
    });
    const index = await indexes.open(database, definition);
    const { updateSeq } = database;
    await index.bringUpToDate();
    assert.ok(index.progress.updateSeq >= updateSeq);
    assert.equal(await rowsOf(index), 600);
  });

  it("asks again for the documents that a mapping left over, and commits between", async (t) => {
    const { databases, database } = await openTestStore(t);
    await fill(database, 20);
    const asked: number[] = [];
    const indexes = new Indexes(databases, { nodeBytes, rowsOfCommit: 5 });
    const index = await indexes.open(
      database,
      nativeDefinition({
        mapping: (documents) => {
          asked.push(documents.length);
          return 6;
        },
      }),
    );
    await index.bringUpToDate();
    assert.deepEqual(asked, [20, 14, 8, 2]);
    await assertIndexed(index, nodeBytes);
  });

  it("fails when a mapping makes no progress at all", async (t) => {
    const { databases, database } = await openTestStore(t);
    await fill(database, 2);
    const index = await new Indexes(databases).open(database, nativeDefinition({ mapping: () => 0 }));
    await assert.rejects(within("the update to fail", index.bringUpToDate()), /mapped none/);
    assert.equal(index.isUpdating, false);
  });

  it("has few large documents in memory at once", async (t) => {
    const { databases, database } = await openTestStore(t);
    const text = "x".repeat(3_000_000);
    for (let n = 0; n < 10; n++) await writeOne(database, edit(`d${n}`, { body: { ...oneRow(n), text } }));
    let [now, most] = [0, 0];
    const index = await new Indexes(databases).open(
      database,
      nativeDefinition({
        mapping: async (documents) => {
          now += documents.length;
          most = Math.max(most, now);
          // Long enough for as many others as may begin meanwhile.
          for (let turns = 0; turns < 50; turns++) await new Promise(setImmediate);
          now -= documents.length;
          return undefined;
        },
      }),
    );
    await index.bringUpToDate();
    assert.ok(most >= 2 && most <= 4, `${most} documents of 3 MB at once`);
    assert.equal(await rowsOf(index), 10);
  });

  it("tells of its progress while it is built", async (t) => {
    const { databases, database } = await openTestStore(t);
    await fill(database, 1000);
    const seen: unknown[] = [];
    const index = await new Indexes(databases).open(
      database,
      nativeDefinition({
        mapping: async () => {
          // What was mapped before is applied in between.
          await new Promise(setImmediate);
          const [task, ...others] = databases.tasks.list();
          assert.equal(others.length, 0);
          seen.push(task?.["changes_done"]);
          assert.ok(task);
          const { type, database: name, design_document, total_changes } = task;
          assert.deepEqual([type, name, design_document, total_changes], ["indexer", "notes", "_design/native", 1000]);
          return undefined;
        },
      }),
    );
    await index.bringUpToDate();
    assert.equal(seen[0], 0);
    assert.ok(seen.some((done) => Number(done) > 0 && Number(done) < 1000));
    assert.deepEqual(databases.tasks.list(), []);
  });
});

describe("purges", () => {
  it("are forgotten by an index that had their rows, even by one that had committed nothing but these", async (t) => {
    const { databases, database } = await openTestStore(t);
    const rows = Array.from({ length: 30 }, (_, n) => [String(n), "1"] as const);
    const rev = await writeOne(database, edit("a", { body: { rows } }));
    await fill(database, 5);
    const indexes = new Indexes(databases, { nodeBytes, rowsOfCommit: 10 });
    let calls = 0;
    // The first document alone is mapped and committed, before any change is reached.
    const mapping = (): number | undefined => {
      calls++;
      if (calls === 2) throw new Error("enough");
      return calls === 1 ? 1 : undefined;
    };
    const index = await indexes.open(database, nativeDefinition({ mapping }));
    await assert.rejects(index.bringUpToDate(), /enough/);
    assert.deepEqual([index.progress.updateSeq, await rowsOf(index)], [0, 30]);
    await purge(database, "a", rev);
    await index.bringUpToDate();
    assert.equal(await rowsOf(index), 5);
    await assertIndexed(index, nodeBytes);
  });

  it("that the log no longer tells of empty the index, which is built anew", async (t) => {
    const { databases, database } = await openTestStore(t);
    await fill(database, 50);
    const indexes = new Indexes(databases, { nodeBytes });
    let mapped = 0;
    const mapping = (documents: { readonly length: number }): undefined => {
      mapped += documents.length;
    };
    const index = await indexes.open(database, nativeDefinition({ mapping }));
    await index.bringUpToDate();
    for (const id of ["d1", "d2", "d3"]) {
      const winner = database.find(id)?.record.tree[0];
      await purge(database, id, `${winner?.generation}-${winner?.hash}`);
    }
    await database.setPurgedInfosLimit(1);
    await database.compact();
    mapped = 0;
    await index.bringUpToDate();
    assert.equal(mapped, 47);
    assert.deepEqual(index.progress, { updateSeq: database.updateSeq, purgeSeq: 3 });
    await assertIndexed(index, nodeBytes);
  });

  it("of before its time do not make a new index begin again", async (t) => {
    const { databases, database } = await openTestStore(t);
    for (let n = 0; n < 4; n++) await purge(database, `gone-${n}`, "1-a");
    await database.setPurgedInfosLimit(1);
    await database.compact();
    await fill(database, 1000);
    const indexes = new Indexes(databases, { nodeBytes, rowsOfCommit: 100 });
    let mapped = 0;
    const mapping = (documents: { readonly length: number }): undefined => {
      mapped += documents.length;
      if (mapped > 700) throw new Error("enough");
    };
    const index = await indexes.open(database, nativeDefinition({ mapping }));
    await assert.rejects(index.bringUpToDate(), /enough/);
    const { updateSeq, purgeSeq } = index.progress;
    assert.ok(updateSeq >= 100);
    assert.equal(purgeSeq, 4);
    mapped = -10_000;
    await index.bringUpToDate();
    assert.equal(mapped, 1000 - updateSeq - 10_000);
  });

  it("of one of two leaves leave the other one's rows", async (t) => {
    const { databases, database } = await openTestStore(t);
    await writeOne(database, replicated("a", "1-x 2-b", { body: oneRow(1) }));
    await writeOne(database, replicated("a", "1-x 2-c", { body: oneRow(2) }));
    const index = await new Indexes(databases).open(database, nativeDefinition());
    await index.bringUpToDate();
    await purge(database, "a", "2-c");
    await index.bringUpToDate();
    await assertIndexed(index, 8192);
    assert.equal(await rowsOf(index), 1);
  });
});

describe("the end of an index", () => {
  it("does not wait for a mapping that hangs, and lets nothing be written by it", async (t) => {
    const { databases, database } = await openTestStore(t);
    await fill(database, 3);
    const indexes = new Indexes(databases);
    const { opened, open } = gate();
    let isHanging = false;
    const definition = nativeDefinition({
      mapping: async () => {
        isHanging = true;
        await opened;
        return undefined;
      },
    });
    const index = await indexes.open(database, definition);
    const updated = index.bringUpToDate();
    const refused = assert.rejects(updated, { error: "service_unavailable" });
    await waitFor("the mapping", () => isHanging);
    await within("the end", index.end());
    await refused;
    assert.throws(() => index.hold(), { error: "service_unavailable" });
    await assert.rejects(index.bringUpToDate(), { error: "service_unavailable" });
    open();
    await databases.commit.idle();
    for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate);
    assert.equal(index.progress.updateSeq, 0);
    assert.deepEqual(databases.tasks.list(), []);
  });

  it("does not wait for a reduction that hangs either", async (t) => {
    const { databases, database } = await openTestStore(t);
    await fill(database, 3);
    const { opened, open } = gate();
    let isHanging = false;
    const native = nativeDefinition();
    const definition = {
      ...native,
      trees: native.trees.map((tree) => ({
        ...tree,
        reducers: [
          {
            reduce: async (groups: readonly unknown[]) => {
              isHanging = true;
              await opened;
              return groups.map(() => "0");
            },
            rereduce: (groups: readonly unknown[]) => groups.map(() => "0"),
          },
        ],
      })),
    };
    const index = await new Indexes(databases).open(database, definition);
    const refused = assert.rejects(index.bringUpToDate(), { error: "service_unavailable" });
    await waitFor("the reduction", () => isHanging);
    await within("the end", index.end());
    await refused;
    open();
    for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate);
    await databases.commit.idle();
    assert.equal(index.progress.updateSeq, 0);
  });

  it("comes with its database, of which nothing is left on disk", async (t) => {
    const store = await openTestStore(t);
    const { databases, database } = store;
    await fill(database, 300);
    const { opened, open } = gate();
    let calls = 0;
    const index = await new Indexes(databases, { rowsOfCommit: 50 }).open(
      database,
      nativeDefinition({
        mapping: async () => {
          if (++calls > 2) await opened;
          return undefined;
        },
      }),
    );
    const refused = assert.rejects(index.bringUpToDate(), { error: "not_found" });
    await waitFor("a step to be committed", () => index.progress.updateSeq > 0);
    await databases.delete(database.name);
    await within("the update to end", refused);
    assert.throws(() => index.hold(), { error: "not_found" });
    open();
    for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate);
    await assert.rejects(new Indexes(databases).open(database, nativeDefinition()), { error: "not_found" });
    await store.close();
    assert.deepEqual(await keysOnDisk(store.dataDir, database.keys.all), []);
  });
});
