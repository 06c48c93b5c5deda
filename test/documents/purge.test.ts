import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CouchError } from "../../protocol/errors.js";
import { type DocId, parseDocId, parseRevId } from "../../protocol/ids.js";
import { LiveChanges } from "../../server/documents/changes/live-changes.js";
import type { Database } from "../../server/documents/database.js";
import type { PurgedRevisions } from "../../server/documents/purge.js";
import { recount } from "../helpers/database-facts.js";
import { openHeldDatabase } from "../helpers/held-database.js";
import { bodyOf, changesSince, edit, mustFind, replicated, writeOne } from "../helpers/incoming-revisions.js";
import { keysOnDisk } from "../helpers/raw-store.js";
import { linesOf } from "../helpers/revision-trees.js";
import { openTestStore } from "../helpers/temp-store.js";

const of = (id: string, ...revs: readonly string[]): PurgedRevisions => ({
  id: parseDocId(id),
  revs: revs.map(parseRevId),
});

async function logOf(database: Database): Promise<readonly PurgedRevisions[]> {
  const entries: PurgedRevisions[] = [];
  let first: number | undefined;
  for await (const step of database.purges()) {
    for (const { id, revs, purgeSeq } of step) {
      first ??= purgeSeq;
      assert.equal(purgeSeq, first + entries.length);
      entries.push({ id, revs });
    }
  }
  return entries;
}

describe("purge", () => {
  it("moves the change of a document of which something is left, and the winner with it", async (t) => {
    const store = await openTestStore(t);
    const { database } = store;
    await writeOne(database, replicated("a", "1-a 2-b 3-c", { body: { n: 3 } }));
    await writeOne(database, replicated("a", "1-a 2-d", { body: { n: 2 } }));
    await writeOne(database, edit("b"));
    const feed = new LiveChanges(database, 3);
    assert.deepEqual(await database.purge([of("a", "3-c")]), [of("a", "3-c")]);
    assert.deepEqual(linesOf(mustFind(database, "a").record.tree), ["1-a? 2-d"]);
    assert.deepEqual(bodyOf(database, "a", "2-d"), { n: 2 });
    assert.deepEqual(
      (await changesSince(database, 3)).map(([seq, id, rev]) => [seq, id, rev]),
      [[4, "a", "2-d"]],
    );
    const heard = await feed.next(0);
    feed.close();
    assert.ok(Array.isArray(heard) && heard.length === 1 && heard[0]?.seq === 4, "feeds hear of it");
    assert.deepEqual(database.log.committed.counters, await recount(database));
    await store.reopen();
    assert.equal(store.database.updateSeq, 4);
    assert.deepEqual(bodyOf(store.database, "a", "2-d"), { n: 2 });
    assert.deepEqual(store.database.log.committed.counters, await recount(store.database));
  });

  it("keeps the winner's body where it is when a loser goes, and a large one too", async (t) => {
    const { database } = await openTestStore(t);
    const large = { text: "x".repeat(10_000) };
    for (const [id, body] of [
      ["small", { n: 1 }],
      ["large", large],
    ] as const) {
      await writeOne(database, replicated(id, "1-a 2-z", { body }));
      await writeOne(database, replicated(id, "1-a 2-b", { body: large }));
      await database.purge([of(id, "2-b")]);
      assert.deepEqual(bodyOf(database, id, "2-z"), body);
    }
    assert.deepEqual(database.log.committed.counters, await recount(database));
  });

  it("leaves nothing of a document without its last leaf, but takes a sequence", async (t) => {
    const store = await openTestStore(t);
    const { database } = store;
    const { keys } = database;
    const body = { text: "x".repeat(10_000) };
    const one = await writeOne(database, edit("a", { body }));
    const two = await writeOne(database, edit("a", { on: one, body: { ...body, n: 2 } }));
    const gone: (readonly DocId[])[] = [];
    database.subscribe({ changed: () => assert.fail("nothing is left to tell"), purged: (ids) => gone.push(ids) });
    await database.purge([of("a", two)]);
    assert.deepEqual(gone, [["a"]]);
    assert.equal(database.find("a"), undefined);
    assert.equal(database.updateSeq, 3);
    assert.deepEqual(await changesSince(database), []);
    await store.close();
    for (const range of [keys.documents, keys.bodies, keys.sequences]) {
      assert.deepEqual(await keysOnDisk(store.dataDir, range), []);
    }
    await store.reopen();
    assert.equal(store.database.updateSeq, 3, "sequences are not given out twice");
    assert.equal(store.database.purgeSeq, 1);
    const again = await writeOne(store.database, edit("a", { body }));
    assert.equal(again, one, "as if it had never been there");
    assert.deepEqual(await changesSince(store.database), [[4, "a", one]]);
    await store.reopen();
    assert.equal(store.database.purgeSeq, 1, "a later write does not hide it");
    assert.deepEqual(store.database.log.committed.counters, await recount(store.database));
  });

  it("logs what was asked for, whether it was there or not, and tells what really went", async (t) => {
    const store = await openTestStore(t);
    const { database } = store;
    await writeOne(database, replicated("a", "1-a 2-b"));
    const asked = [of("a", "1-a", "9-x", "2-b"), of("nobody", "1-a"), of("b")];
    assert.deepEqual(await database.purge(asked), [of("a", "2-b"), of("nobody"), of("b")]);
    assert.deepEqual(await logOf(database), asked.slice(0, 2));
    assert.equal(database.purgeSeq, 2);
    const { updateSeq } = database;
    await database.purge([of("nobody", "1-a")]);
    assert.equal(database.updateSeq, updateSeq, "nothing changed");
    await store.reopen();
    assert.equal(store.database.purgeSeq, 3);
    assert.equal((await logOf(store.database)).length, 3);
  });

  it("is forgotten by compaction beyond the limit, and counted all the same", async (t) => {
    const store = await openTestStore(t);
    await store.database.setPurgedInfosLimit(2);
    for (let i = 1; i <= 5; i++) await store.database.purge([of(`d${i}`, "1-a")]);
    await store.database.compact();
    assert.deepEqual(await logOf(store.database), [of("d4", "1-a"), of("d5", "1-a")]);
    await store.reopen();
    assert.equal(store.database.purgedInfosLimit(), 2);
    assert.equal(store.database.purgeSeq, 5);
    await store.database.purge([of("d6", "1-a")]);
    assert.deepEqual(
      (await logOf(store.database)).map(({ id }) => id),
      ["d4", "d5", "d6"],
    );
  });

  it("of a design document ends its validation", async (t) => {
    const { database } = await openTestStore(t, {
      validate: async ({ calls }) => calls.map(() => ({ error: "forbidden", status: 403, reason: "no" })),
    });
    const ada = { name: "ada" as never, roles: [], method: "default" as const };
    const rev = await writeOne(database, edit("_design/d", { body: { validate_doc_update: "function () {}" } }));
    await assert.rejects(writeOne(database, edit("a"), ada), CouchError);
    await database.purge([of("_design/d", rev)]);
    await writeOne(database, edit("a"), ada);
  });

  it("sees what is on its way to the disk, and is lost with it", async (t) => {
    const { store, database } = openHeldDatabase(t);
    const writing = database.write([replicated("a", "1-a")], "trusted");
    const purging = database.purge([of("a", "1-a")]);
    (await store.nextCommit()).fail(new Error("disk full"));
    const settled = await Promise.allSettled([writing, purging]);
    assert.deepEqual(
      settled.map(({ status }) => status),
      ["rejected", "rejected"],
    );
    assert.deepEqual(database.log.pending, database.log.committed);
    store.holding = false;
    await database.write([replicated("a", "1-a")], "trusted");
    assert.deepEqual(await database.purge([of("a", "1-a")]), [of("a", "1-a")]);
    assert.equal(database.purgeSeq, 1);
  });

  it("is refused by a database that is gone", async (t) => {
    const { databases, database } = await openTestStore(t);
    await databases.delete(database.name);
    await assert.rejects(database.purge([of("a", "1-a")]), { error: "not_found" });
  });
});
