import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeDirectoryRecord } from "../../server/documents/directory-record.js";
import { noCounters } from "../../server/documents/sequence-entry.js";
import { directoryKey } from "../../server/storage/keys.js";
import { recount } from "../helpers/database-facts.js";
import { heldName, openHeldDatabase } from "../helpers/held-database.js";
import { changesSince, edit, replicated } from "../helpers/incoming-revisions.js";

const broken = new Error("disk full");

describe("a write whose flush fails", () => {
  it("leaves nothing behind: its sequence is given out again, nobody hears of it, and what was built upon it is lost too", async (t) => {
    const { store, database } = openHeldDatabase(t);
    const heard: number[] = [];
    database.subscribe({ changed: (changes) => heard.push(...changes.map(({ seq }) => seq)) });
    const first = database.write([edit("a", { body: { n: 1 } })], "trusted");
    const held = await store.nextCommit();
    const upon = database.write([replicated("a", "1-x 2-y"), edit("b")], "trusted");
    const outcomes = Promise.allSettled([first, upon]);
    assert.equal(database.updateSeq, 0, "readers see what is on disk");
    held.fail(broken);
    assert.deepEqual(
      (await outcomes).map((outcome) => outcome.status === "rejected" && outcome.reason),
      [broken, broken],
    );
    assert.deepEqual(database.log.pending, { seq: 0, counters: noCounters });
    assert.equal(database.find("a"), undefined);

    store.holding = false;
    const [outcome] = await database.write([edit("a", { body: { n: 2 } })], "trusted");
    assert.ok(outcome?.rev, "the document is not there, so this is no conflict");
    assert.deepEqual(await changesSince(database), [[1, "a", outcome.rev]]);
    assert.deepEqual(heard, [1]);
    assert.deepEqual(database.log.committed.counters, await recount(database));
  });

  it("takes back a setting, which took effect at once", async (t) => {
    const { store, database } = openHeldDatabase(t);
    const setting = database.setSecurity({ members: { names: ["ada"] } });
    assert.deepEqual(database.security(), { members: { names: ["ada"] } });
    (await store.nextCommit()).fail(broken);
    await assert.rejects(setting, broken);
    assert.deepEqual(database.security(), { members: { roles: ["_admin"] }, admins: { roles: ["_admin"] } });
  });

  it("does not lose where a new epoch begins", async (t) => {
    const { store, database } = openHeldDatabase(t, { epoch: "second" });
    const lost = database.write([edit("a")], "trusted");
    (await store.nextCommit()).fail(broken);
    await assert.rejects(lost, broken);
    store.holding = false;
    await database.write([edit("b")], "trusted");
    const { epochs } = decodeDirectoryRecord(store.get(directoryKey(heldName)) as Buffer);
    assert.deepEqual(epochs, [
      { epoch: "first", first: 1 },
      { epoch: "second", first: 1 },
    ]);
  });
});

describe("a revision that another request has on its way to the disk", () => {
  it("is acknowledged to the second sender only when it is there", async (t) => {
    const { store, database } = openHeldDatabase(t);
    const answered: string[] = [];
    const first = database.write([replicated("a", "1-a")], "trusted").then(() => answered.push("first"));
    const held = await store.nextCommit();
    const second = database.write([replicated("a", "1-a")], "trusted").then(() => answered.push("second"));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(answered, []);
    held.succeed();
    await Promise.all([first, second]);
    assert.equal(database.updateSeq, 1);
    assert.equal(store.held.length, 0, "one flush was enough");
  });

  it("is no success for the second sender when the flush fails", async (t) => {
    const { store, database } = openHeldDatabase(t);
    const first = database.write([replicated("a", "1-a")], "trusted");
    const held = await store.nextCommit();
    const second = database.write([replicated("a", "1-a")], "trusted");
    const outcomes = Promise.allSettled([first, second]);
    held.fail(broken);
    assert.deepEqual(
      (await outcomes).map(({ status }) => status),
      ["rejected", "rejected"],
    );
  });
});
