import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DatabaseName, parseDatabaseName } from "../../protocol/ids.js";
import type { Database } from "../../server/documents/database.js";
import { AutoCompaction } from "../../server/jobs/auto-compaction.js";
import { recount } from "../helpers/database-facts.js";
import { edit, replicated, writeOne } from "../helpers/incoming-revisions.js";
import { openTestStore, type TestStore } from "../helpers/temp-store.js";
import { within } from "../helpers/wait-for.js";

const settings = { garbagePercent: 50, garbageBytes: 10_000 };

interface World extends TestStore {
  readonly job: AutoCompaction;
  readonly failed: (readonly [error: unknown, database: DatabaseName])[];
}

async function world(t: Parameters<typeof openTestStore>[0], given = settings): Promise<World> {
  const store = await openTestStore(t);
  const failed: (readonly [unknown, DatabaseName])[] = [];
  const onError = (error: unknown, database: DatabaseName) => void failed.push([error, database]);
  const job = new AutoCompaction({ databases: store.databases, settings: given, onError });
  return Object.assign(store, { job, failed });
}

/** Revisions of one document, each of so many bytes; all but the last are garbage then. */
async function rewrite(database: Database, id: string, revisions: number, bytes: number): Promise<void> {
  let rev: string | undefined;
  for (let n = 0; n < revisions; n++) {
    rev = await writeOne(database, edit(id, { on: rev, body: { n, text: "x".repeat(bytes) } }));
  }
}

describe("auto-compaction", () => {
  it("compacts what has more garbage than is lived with, in bytes and as a share, and nothing else", async (t) => {
    const { databases, job } = await world(t);
    const create = (name: string) => databases.create(parseDatabaseName(name));
    const [garbage, fewBytes, smallShare] = [
      await create("garbage"),
      await create("few-bytes"),
      await create("small-share"),
    ];
    await rewrite(garbage, "a", 4, 6000);
    await rewrite(fewBytes, "a", 10, 900);
    await rewrite(smallShare, "live", 1, 30_000);
    await rewrite(smallShare, "a", 4, 6000);
    await job.run();
    assert.equal(garbage.garbageBytes, 0);
    assert.ok(fewBytes.garbageBytes > 8000);
    assert.ok(smallShare.garbageBytes > 18_000);
    assert.deepEqual(garbage.log.committed.counters, await recount(garbage));
  });

  it("looks only at what was written since its last run, and then again at what is written again", async (t) => {
    const { database, job } = await world(t);
    await rewrite(database, "a", 4, 6000);
    let compactions = 0;
    const compact = database.compact.bind(database);
    database.compact = () => {
      compactions++;
      return compact();
    };
    await job.run();
    await job.run();
    assert.equal(compactions, 1);
    await writeOne(database, edit("b"));
    await job.run();
    assert.equal(compactions, 1, "there is nothing to gain");
    await rewrite(database, "c", 6, 6000);
    await job.run();
    assert.equal(compactions, 2);
  });

  it("compacts after a purge too", async (t) => {
    const { database, job } = await world(t);
    const content = await database.takeAttachment(Buffer.alloc(20_000), { contentType: "image/png", limit: 1e6 });
    const attachments = [{ kind: "new", name: "file", contentType: "image/png", content } as const];
    const rev = await writeOne(database, edit("a", { attachments }));
    await database.purge([{ id: "a" as never, revs: [rev] }]);
    assert.ok(database.garbageBytes >= 20_000);
    await job.run();
    assert.equal(database.garbageBytes, 0);
  });

  it("goes on with the next one when one fails, and leaves deleted ones alone", async (t) => {
    const { databases, job, failed } = await world(t);
    const names = ["deleted", "failing", "fine"].map(parseDatabaseName);
    const made = [];
    for (const name of names) {
      const database = await databases.create(name);
      await rewrite(database, "a", 4, 6000);
      made.push(database);
    }
    const [, failing, fine] = made as [Database, Database, Database];
    const error = new Error("the disk is on fire");
    failing.compact = () => Promise.reject(error);
    await databases.delete(names[0] as DatabaseName);
    await job.run();
    assert.deepEqual(failed, [[error, "failing"]]);
    assert.equal(fine.garbageBytes, 0);
  });

  it("never compacts by itself when all may be garbage", async (t) => {
    const { database, job } = await world(t, { garbagePercent: 100, garbageBytes: 0 });
    await rewrite(database, "a", 4, 6000);
    await job.run();
    assert.ok(database.garbageBytes > 0);
  });

  it("is stopped in the middle of a database, and is as good as new afterwards", async (t) => {
    const { database, job } = await world(t);
    for (let n = 1; n <= 2; n++) {
      const line = n === 1 ? "1-x" : "1-x 2-x";
      const body = { n, text: "x".repeat(100) };
      await database.write(
        Array.from({ length: 500 }, (_, i) => replicated(`d${i}`, line, { body: n === 1 ? body : {} })),
        "trusted",
      );
    }
    const running = job.run();
    assert.ok(database.compacting);
    await within("the job to stop", job.stop());
    await running;
    assert.ok(database.garbageBytes > 0, "it was not finished");
    await writeOne(database, edit("a"));
    await job.run();
    assert.equal(database.garbageBytes, 0);
  });
});
