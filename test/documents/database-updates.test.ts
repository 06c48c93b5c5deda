import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DatabaseName, parseDatabaseName } from "../../protocol/ids.js";
import { LiveUpdates } from "../../server/documents/changes/live-updates.js";
import type { Database } from "../../server/documents/database.js";
import type { DatabaseUpdates } from "../../server/documents/database-updates.js";
import { edit } from "../helpers/incoming-revisions.js";
import { openTestStore } from "../helpers/temp-store.js";

const names = (name: string): DatabaseName => parseDatabaseName(name);

/** Rows since a sequence, and where to go on. */
async function read(updates: DatabaseUpdates, since = 0): Promise<{ readonly rows: string[]; readonly last: number }> {
  const last = await updates.observe();
  const rows: string[] = [];
  for await (const found of updates.changes({ since, upTo: last }))
    for (const { name, type } of found) rows.push(`${type} ${name}`);
  return { rows, last };
}

let count = 0;
const write = (database: Database): Promise<unknown> => database.write([edit(`doc-${++count}`, {})], "trusted");

describe("updates of databases", () => {
  it("tell of each database what happened last, in order", async (t) => {
    const { databases, database } = await openTestStore(t);
    assert.deepEqual((await read(databases.updates)).rows, ["created notes"]);
    await databases.create(names("b"));
    await write(database);
    assert.deepEqual((await read(databases.updates)).rows, ["created notes", "created b", "updated notes"]);
    await write(await databases.open(names("b")));
    await write(database);
    const all = ["created notes", "created b", "updated b", "updated notes"];
    assert.deepEqual((await read(databases.updates)).rows, all);
    await databases.delete(names("b"));
    assert.deepEqual((await read(databases.updates)).rows, ["created notes", "updated notes", "deleted b"]);
    await databases.create(names("b"));
    assert.deepEqual((await read(databases.updates)).rows, ["created notes", "updated notes", "created b"]);
  });

  it("are there after a restart, for a listener that was away", async (t) => {
    const store = await openTestStore(t);
    await write(store.database);
    const { last } = await read(store.databases.updates);
    const text = store.databases.updates.seqText(last);
    await write(store.database);
    await store.reopen();
    const { updates } = store.databases;
    assert.deepEqual((await read(updates, updates.resolveSeq(text))).rows, ["updated notes"]);
    const again = await read(updates, updates.resolveSeq(text));
    assert.deepEqual((await read(updates, again.last)).rows, []);
    await write(store.database);
    assert.deepEqual((await read(updates, again.last)).rows, ["updated notes"], "the first write of a start is told");
  });

  it("are all shown again once after a backup was restored", async (t) => {
    const store = await openTestStore(t);
    const { updates } = store.databases;
    const text = updates.seqText((await read(updates)).last);
    await store.reopen({ newEpoch: true });
    assert.equal(store.databases.updates.resolveSeq(text), 0);
  });

  it("cost nothing while nobody reads them, and one record for each database and flush when somebody does", async (t) => {
    const { databases, database } = await openTestStore(t);
    await write(database);
    const operations = async (): Promise<number> => {
      const before = databases.commit.statistics().operations;
      await database.write([edit(`doc-${++count}`, {}), edit(`doc-${++count}`, {})], "trusted");
      return databases.commit.statistics().operations - before;
    };
    const alone = await operations();
    assert.equal(await operations(), alone);
    const live = new LiveUpdates(databases.updates, databases.updates.updateSeq);
    // The old record goes, the new one comes, and where it is.
    assert.equal(await operations(), alone + 3);
    live.close();
    assert.equal(await operations(), alone + 3, "what was shown is behind the listener");
    assert.equal(await operations(), alone);
  });

  it("say nothing of a database that was deleted in the same moment", async (t) => {
    const { databases, database } = await openTestStore(t);
    await Promise.all([write(database), databases.delete(database.name)]);
    assert.deepEqual((await read(databases.updates)).rows, ["deleted notes"]);
  });

  it("do not tell of local documents and settings", async (t) => {
    const { databases, database } = await openTestStore(t);
    await database.writeLocal("checkpoint", Buffer.from("{}"));
    await database.setRevsLimit(10);
    assert.deepEqual((await read(databases.updates)).rows, ["created notes"]);
  });
});

describe("live updates", () => {
  it("catch up, then come as they happen, then end with the server", async (t) => {
    const store = await openTestStore(t);
    const { databases, database } = store;
    const live = new LiveUpdates(databases.updates, 0);
    const next = async (waitMs = 5000) => {
      const event = await live.next(waitMs);
      return typeof event === "string" ? event : event.map(({ name, type }) => `${type} ${name}`);
    };
    assert.deepEqual(await next(), ["created notes"]);
    assert.equal(await next(0), "idle");
    const coming = next();
    await write(database);
    assert.deepEqual(await coming, ["updated notes"]);
    await write(database);
    await write(database);
    assert.deepEqual(await next(), ["updated notes"], "only the last one of its type is left");
    assert.equal(live.lastSeq, databases.updates.updateSeq);
    const last = next();
    await store.close();
    assert.equal(await last, "ended");
    assert.equal(databases.updates.listenerCount, 0);
  });
});
