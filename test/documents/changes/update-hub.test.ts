import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DatabaseName, parseDatabaseName } from "../../../protocol/ids.js";
import type { UpdateFollower } from "../../../server/documents/changes/update-hub.js";
import type { Databases } from "../../../server/documents/databases.js";
import { Random } from "../../faults/random.js";
import { edit } from "../../helpers/incoming-revisions.js";
import { openTestStore } from "../../helpers/temp-store.js";
import { waitFor } from "../../helpers/wait-for.js";

let count = 0;
async function write(databases: Databases, name: DatabaseName): Promise<void> {
  await (await databases.open(name)).write([edit(`doc-${++count}`, {})], "trusted");
}

/** Gathers what a follower is told until it ends. */
function gather(follower: UpdateFollower) {
  const told = new Map<string, number>();
  const done = (async () => {
    for (;;) {
      const event = await follower.next(5000);
      if (event === "ended") return;
      if (typeof event !== "string") for (const { name, seq } of event) told.set(name, seq);
    }
  })();
  return { told, done };
}

async function named(databases: Databases, number: number): Promise<readonly DatabaseName[]> {
  const names = Array.from({ length: number }, (_, index) => parseDatabaseName(`db-${index}`));
  for (const name of names) await databases.create(name);
  return names;
}

describe("followers of updates", () => {
  it("hear of what they want and of nothing else, and can change their minds", async (t) => {
    const { databases } = await openTestStore(t);
    const [a, b] = (await named(databases, 2)) as [DatabaseName, DatabaseName];
    const [one, other] = [databases.updateHub.follow(), databases.updateHub.follow()];
    one.want(new Set([a]));
    other.want(new Set([b]));
    const [ofOne, ofOther] = [gather(one), gather(other)];
    await write(databases, a);
    await write(databases, b);
    await waitFor("both to hear", () => ofOne.told.size === 1 && ofOther.told.size === 1);
    assert.deepEqual([[...ofOne.told.keys()], [...ofOther.told.keys()]], [[a], [b]]);
    one.want(new Set([b]));
    await write(databases, a);
    await write(databases, b);
    await waitFor("the other one", () => ofOne.told.has(b));
    one.close();
    other.close();
    await Promise.all([ofOne.done, ofOther.done]);
    assert.equal(databases.updates.listenerCount, 0);
  });

  it("lose nothing between what they read before and what they are told, whenever they come", async (t) => {
    const { databases } = await openTestStore(t);
    const names = await named(databases, 20);
    const random = new Random(Math.floor(Math.random() * 2 ** 32));
    t.diagnostic(`seed ${random.seed}`);
    let isWriting = true;
    const writing = (async () => {
      for (let i = 0; i < 400; i++) await write(databases, names[random.below(names.length)] as DatabaseName);
      isWriting = false;
    })();
    const { updates, updateHub } = databases;
    const readers: Promise<void>[] = [];
    while (isWriting) {
      readers.push(
        (async () => {
          const wanted = new Set(names.filter(() => random.below(2) === 0));
          const known = new Map<string, number>();
          const follower = updateHub.follow();
          follower.want(wanted);
          const upTo = await updates.observe();
          for await (const found of updates.changes({ since: 0, upTo })) {
            for (const { name, seq } of found) if (wanted.has(name)) known.set(name, seq);
          }
          const { told, done } = gather(follower);
          await writing;
          const last = new Map<string, number>();
          for await (const found of updates.changes({ since: 0, upTo: updates.updateSeq })) {
            for (const { name, seq } of found) if (wanted.has(name)) last.set(name, seq);
          }
          await waitFor("all that was written", () =>
            [...last].every(([name, seq]) => Math.max(known.get(name) ?? 0, told.get(name) ?? 0) >= seq),
          );
          for (const name of told.keys()) assert.ok(wanted.has(name as DatabaseName), name);
          follower.close();
          await done;
        })(),
      );
      for (let turns = random.below(20); turns >= 0; turns--) await new Promise(setImmediate);
    }
    await Promise.all([writing, ...readers]);
    assert.ok(readers.length > 5, `${readers.length} readers`);
  });

  it("are ended with the server", async (t) => {
    const store = await openTestStore(t);
    const { done } = gather(store.databases.updateHub.follow());
    await store.close();
    await done;
  });
});

describe("the time of a database's last write", () => {
  it("is on disk, and survives a restart", async (t) => {
    const store = await openTestStore(t);
    const began = Date.now();
    await write(store.databases, store.database.name);
    const noted = store.databases.updates.lastChange(store.database.name) as number;
    assert.ok(Math.abs(noted - began) < 60_000);
    await store.reopen();
    assert.equal(store.databases.updates.lastChange(store.database.name), noted);
    assert.equal(store.databases.updates.lastChange(parseDatabaseName("nothing")), undefined);
  });
});
