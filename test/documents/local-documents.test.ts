import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CouchError, type ErrorName } from "../../protocol/errors.js";
import { openTestStore } from "../helpers/temp-store.js";

const fails = (error: ErrorName) => (thrown: unknown) => thrown instanceof CouchError && thrown.error === error;
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe("local documents", () => {
  it("are written, found, listed by id, and still there after a restart", async (t) => {
    const store = await openTestStore(t);
    assert.equal(await store.database.writeLocal("checkpoint", json({ seq: 1 })), "0-1");
    await store.database.writeLocal("a/é", json({}));
    await store.reopen();
    const found = store.database.findLocal("checkpoint");
    assert.equal(found?.rev, "0-1");
    assert.deepEqual(JSON.parse(String(found?.body)), { seq: 1 });
    assert.equal(store.database.findLocal("other"), undefined);
    const listed: string[] = [];
    for await (const step of store.database.locals()) listed.push(...step.map(({ id, rev }) => `${id} ${rev}`));
    assert.deepEqual(listed, ["a/é 0-1", "checkpoint 0-1"]);
  });

  it("count one up from the revision that the writer names, and never conflict", async (t) => {
    const { database } = await openTestStore(t);
    assert.equal(await database.writeLocal("a", json({ n: 1 })), "0-1");
    assert.equal(await database.writeLocal("a", json({ n: 2 })), "0-1");
    assert.equal(await database.writeLocal("a", json({ n: 3 }), "0-41"), "0-42");
    assert.equal(await database.writeLocal("a", json({ n: 4 }), "0-1"), "0-2");
    assert.deepEqual(JSON.parse(String(database.findLocal("a")?.body)), { n: 4 });
    for (const rev of ["1-a", "0-x", "0-", "7"])
      await assert.rejects(async () => await database.writeLocal("a", json({}), rev), fails("bad_request"));
  });

  it("are deleted once, with the revision that is there or none", async (t) => {
    const { database } = await openTestStore(t);
    await database.writeLocal("a", json({}));
    await assert.rejects(database.deleteLocal("a", "0-7"), fails("not_found"));
    assert.equal(await database.deleteLocal("a", "0-1"), "0-0");
    assert.equal(database.findLocal("a"), undefined);
    await assert.rejects(database.deleteLocal("a"), fails("not_found"));
    await database.writeLocal("a", json({}));
    await database.deleteLocal("a");
    assert.equal(database.findLocal("a"), undefined);
  });

  it("are in no feed, no count and no list of documents", async (t) => {
    const { database } = await openTestStore(t);
    const heard: string[] = [];
    database.subscribe({ changed: (changes) => heard.push(...changes.map(({ id }) => id)) });
    await database.writeLocal("a", json({}));
    assert.equal(database.updateSeq, 0);
    assert.equal(database.log.committed.counters.documents, 0);
    assert.deepEqual(heard, []);
    assert.equal(database.find("a"), undefined);
    for await (const step of database.documents({})) assert.deepEqual(step, []);
  });
});
