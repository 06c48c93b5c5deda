import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { CouchError, type ErrorName } from "../../protocol/errors.js";
import { parseDatabaseName } from "../../protocol/ids.js";
import { defaultSecurity } from "../../protocol/security.js";
import type { Database } from "../../server/documents/database.js";
import { type DatabaseEvent, Databases } from "../../server/documents/databases.js";
import { databaseKeys, droppedKey, droppedRange } from "../../server/storage/keys.js";
import { StoreUnavailable } from "../../server/storage/level-store.js";
import { collectGarbage } from "../helpers/collect-garbage.js";
import { stateOf } from "../helpers/database-facts.js";
import { bodyOf, changesSince, edit, replicated, writeOne } from "../helpers/incoming-revisions.js";
import { keysIn, keysOnDisk, withRawStore } from "../helpers/raw-store.js";
import { nothingToValidate, openTestStore } from "../helpers/temp-store.js";

const name = parseDatabaseName;
const notes = name("notes");
const fails = (error: ErrorName) => (thrown: unknown) => thrown instanceof CouchError && thrown.error === error;

async function namesOf(databases: Databases, range: Parameters<Databases["names"]>[0] = {}): Promise<string[]> {
  const names: string[] = [];
  for await (const step of databases.names(range)) names.push(...step);
  return names;
}

describe("databases", () => {
  it("are created, found, listed in order of their names and deleted", async (t) => {
    const { databases } = await openTestStore(t);
    const events: DatabaseEvent[] = [];
    const stop = databases.subscribe((event) => events.push(event));
    for (const other of ["b/c", "a", "userdb-616461"]) await databases.create(name(other));
    assert.deepEqual(await namesOf(databases), ["a", "b/c", "notes", "userdb-616461"]);
    assert.deepEqual(await namesOf(databases, { from: "b", to: "notes" }), ["b/c"]);
    assert.deepEqual(await namesOf(databases, { descending: true, from: "b" }), ["userdb-616461", "notes", "b/c"]);
    assert.ok(databases.exists(name("a")));
    await databases.delete(name("a"));
    assert.ok(!databases.exists(name("a")));
    assert.deepEqual(await namesOf(databases), ["b/c", "notes", "userdb-616461"]);
    stop();
    await databases.create(name("later"));
    assert.deepEqual(
      events.map((event) => `${event.type} ${event.name}`),
      ["created b/c", "created a", "created userdb-616461", "deleted a"],
    );
  });

  it("begin empty, with CouchDB's defaults", async (t) => {
    const { database } = await openTestStore(t);
    assert.equal(database.updateSeq, 0);
    assert.deepEqual(database.security(), defaultSecurity);
    assert.equal(database.revsLimit(), 1000);
    assert.equal(database.partitioned, false);
    assert.deepEqual(await changesSince(database), []);
  });

  it("exist once: a second creation is refused, also while the first is on its way to the disk", async (t) => {
    const { databases } = await openTestStore(t);
    await assert.rejects(databases.create(notes), fails("file_exists"));
    const twice = await Promise.allSettled([databases.create(name("new")), databases.create(name("new"))]);
    assert.deepEqual(
      twice.map(({ status }) => status),
      ["fulfilled", "rejected"],
    );
    assert.ok(fails("file_exists")((twice[1] as PromiseRejectedResult).reason));
  });

  it("that are not there cannot be opened or deleted", async (t) => {
    const { databases } = await openTestStore(t);
    await assert.rejects(databases.open(name("nothing")), fails("not_found"));
    await assert.rejects(databases.delete(name("nothing")), fails("not_found"));
    const twice = await Promise.allSettled([databases.delete(notes), databases.delete(notes)]);
    assert.deepEqual(
      twice.map(({ status }) => status),
      ["fulfilled", "rejected"],
    );
  });

  it("get numbers that were never used before", async (t) => {
    const store = await openTestStore(t);
    const numbers = [store.database.number];
    for (let i = 0; i < 3; i++) {
      await store.databases.delete(notes);
      // Deleted and made again in the same breath, and after a restart.
      if (i === 1) {
        await store.databases.create(notes);
        await store.reopen();
        await store.databases.delete(notes);
      }
      numbers.push((await store.databases.create(notes)).number);
    }
    assert.equal(new Set(numbers).size, numbers.length, `${numbers}`);
  });

  it("survive a restart as they were", async (t) => {
    const store = await openTestStore(t);
    const { database } = store;
    const first = await writeOne(database, edit("a", { body: { n: 1 } }));
    await writeOne(database, edit("a", { on: first, body: { n: 2, large: "x".repeat(10_000) } }));
    await writeOne(database, replicated("a", "1-x 2-y", { body: { n: "conflict" } }));
    const b = await writeOne(database, edit("b"));
    await writeOne(database, edit("b", { on: b, deleted: true }));
    await writeOne(database, edit("_design/d", { body: { views: {} } }));
    await database.writeLocal("checkpoint", Buffer.from('{"seq":1}'));
    await database.setSecurity({ members: { names: ["ada"] } });
    await database.setRevsLimit(7);
    const before = await stateOf(database);
    await store.reopen();
    assert.notEqual(store.database, database);
    assert.deepEqual(await stateOf(store.database), before);
    // And they go on where they were.
    await writeOne(store.database, edit("c"));
    assert.equal(store.database.updateSeq, database.updateSeq + 1);
  });

  it("keep one process at a time", async (t) => {
    const { dataDir } = await openTestStore(t);
    await assert.rejects(Databases.open({ dataDir, validate: nothingToValidate }), StoreUnavailable);
  });
});

describe("a deleted database", () => {
  it("refuses everything that would write, and tells its listeners that nothing more will come", async (t) => {
    const { databases, database } = await openTestStore(t);
    const heard: string[] = [];
    database.subscribe({
      changed: (changes) => heard.push(...changes.map(({ id }) => id)),
      ended: () => heard.push("ended"),
    });
    await writeOne(database, edit("a"));
    await databases.delete(notes);
    assert.deepEqual(heard, ["a", "ended"]);
    assert.ok(database.deleted);
    const gone = fails("not_found");
    await assert.rejects(database.write([edit("b")], "trusted"), gone);
    await assert.rejects(async () => await database.writeLocal("x", Buffer.from("{}")), gone);
    await assert.rejects(async () => await database.setSecurity({}), gone);
    const options = { contentType: "text/plain", limit: 10 };
    await assert.rejects(async () => await database.takeAttachment(Buffer.from("x"), options), gone);
    await assert.rejects(async () => await database.compact(), gone);
    assert.ok(!databases.exists(notes), "none of these brought it back");
  });

  it("leaves nothing to a new one of its name, in memory or on disk", async (t) => {
    const store = await openTestStore(t);
    const { databases, database: old, dataDir } = store;
    const content = await old.takeAttachment(Buffer.alloc(20_000, "x"), { contentType: "image/png", limit: 1e6 });
    const attachments = [{ kind: "new", name: "photo", contentType: "image/png", content } as const];
    await writeOne(old, edit("a", { body: { old: true }, attachments }));
    await old.writeLocal("checkpoint", Buffer.from("{}"));
    await databases.delete(notes);
    const fresh = await databases.create(notes);
    assert.notEqual(fresh.number, old.number);
    assert.equal(fresh.find("a"), undefined);
    assert.equal(fresh.findLocal("checkpoint"), undefined);
    assert.deepEqual(await changesSince(fresh), []);
    assert.equal(await databases.open(notes), fresh);
    await writeOne(fresh, edit("a", { body: { old: false } }));
    await assert.rejects(old.write([edit("b")], "trusted"), fails("not_found"));
    // Closing waits for the clearing.
    await store.close();
    assert.deepEqual(await keysOnDisk(dataDir, databaseKeys(old.number).all), []);
    assert.deepEqual(await keysOnDisk(dataDir, droppedRange), []);
    assert.notEqual((await keysOnDisk(dataDir, databaseKeys(fresh.number).all)).length, 0);
    assert.ok(!readdirSync(join(dataDir, "blobs")).includes(String(old.number)));
  });

  it("does not come back to memory by somebody who opens it while it goes", async (t) => {
    const store = await openTestStore(t);
    for (const before of [0, 1, 2, 5]) {
      // Not in memory, so that opening it has to read.
      await store.reopen();
      const { databases } = store;
      await databases.create(name("brief"));
      await store.reopen();
      const early = Array.from({ length: before }, () => store.databases.open(name("brief")).catch(() => undefined));
      const deleting = store.databases.delete(name("brief"));
      const late: Promise<Database | undefined>[] = [];
      for (let i = 0; i < 10; i++) {
        late.push(store.databases.open(name("brief")).catch(() => undefined));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await deleting;
      for (const opened of await Promise.all([...early, ...late])) assert.ok(opened === undefined || opened.deleted);
      await assert.rejects(store.databases.open(name("brief")), fails("not_found"));
      assert.equal(store.databases.opened(name("brief")), undefined);
    }
  });

  it("is cleared by the next start when a crash came before", async (t) => {
    const store = await openTestStore(t);
    await writeOne(store.database, edit("kept"));
    await store.close();
    const number = 77;
    await withRawStore(store.dataDir, async (raw) => {
      const batch = raw.batch();
      batch.put(droppedKey(number), Buffer.alloc(0));
      for (const key of ["a", "b"]) batch.put(databaseKeys(number).document(key), Buffer.from("rest"));
      await batch.commit();
    });
    mkdirSync(join(store.dataDir, "blobs", String(number), "ab"), { recursive: true });
    writeFileSync(join(store.dataDir, "blobs", String(number), "ab", "cdef"), "rest");
    await store.reopen();
    assert.ok(store.database.find("kept"));
    await store.close();
    await withRawStore(store.dataDir, async (raw) => {
      assert.deepEqual(await keysIn(raw, databaseKeys(number).all), []);
      assert.deepEqual(await keysIn(raw, droppedRange), []);
    });
    assert.ok(!readdirSync(join(store.dataDir, "blobs")).includes(String(number)));
  });
});

describe("one object for each database", () => {
  it("is what everybody gets who opens it, also at the same time", async (t) => {
    const store = await openTestStore(t);
    await store.reopen();
    const { databases } = store;
    await databases.create(name("other"));
    const opened = await Promise.all([databases.open(notes), databases.open(notes), databases.open(name("other"))]);
    assert.equal(opened[0], opened[1]);
    assert.notEqual(opened[0], opened[2]);
    assert.equal(databases.opened(notes), opened[0]);
  });

  it("stays the one while somebody holds it or listens to it, though ten thousand others were opened since", async (t) => {
    const { databases, database } = await openTestStore(t);
    const heard: string[] = [];
    await followAndForget(databases, name("followed"), heard);
    await Promise.all(
      Array.from({ length: 10_000 }, (_, i) => databases.create(name(`db-${i}`))).map((made) => made.then(() => 0)),
    );
    await collectGarbage();
    assert.equal(await databases.open(notes), database);
    // A second object of that name would have a log of its own, which the listener does not hear.
    await writeOne(await databases.open(name("followed")), edit("a"));
    assert.deepEqual(heard, ["a"]);
  });

  it("may be forgotten and made anew, from what is on disk", async (t) => {
    const { databases } = await openTestStore(t);
    const rev = await writeAndForget(databases, name("idle"));
    await Promise.all(
      Array.from({ length: 10_000 }, (_, i) => databases.create(name(`db-${i}`))).map((made) => made.then(() => 0)),
    );
    await collectGarbage();
    assert.equal(databases.opened(name("idle")), undefined, "nobody holds it any more");
    const again = await databases.open(name("idle"));
    assert.deepEqual(bodyOf(again, "a", rev), { n: 1 });
    await writeOne(again, edit("b"));
    assert.deepEqual(
      (await changesSince(again)).map(([seq]) => seq),
      [1, 2],
    );
  });
});

/** In a function of its own, so that nothing of the database stays on the caller's stack. */
async function followAndForget(databases: Databases, of: ReturnType<typeof name>, heard: string[]): Promise<void> {
  const database = await databases.create(of);
  database.subscribe({ changed: (changes) => heard.push(...changes.map(({ id }) => id)) });
}

async function writeAndForget(databases: Databases, of: ReturnType<typeof name>): Promise<string> {
  const database = await databases.create(of);
  // Followed once, and no longer: that must not keep it either.
  database.subscribe({ changed: () => undefined })();
  return await writeOne(database, edit("a", { body: { n: 1 } }));
}
