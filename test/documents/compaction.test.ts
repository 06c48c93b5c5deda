import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { AttachmentInfo } from "../../server/documents/attachments/attachment-info.js";
import { readAttachment } from "../../server/documents/attachments/read-attachment.js";
import type { Database } from "../../server/documents/database.js";
import type { IncomingAttachment } from "../../server/documents/incoming-revision.js";
import { recount } from "../helpers/database-facts.js";
import { bodyOf, edit, mustFind, replicated, writeOne } from "../helpers/incoming-revisions.js";
import { keysOnDisk } from "../helpers/raw-store.js";
import { linesOf } from "../helpers/revision-trees.js";
import { openTestStore, type TestStore } from "../helpers/temp-store.js";

const bytes = (letter: string, length = 50_000): Buffer => Buffer.alloc(length, letter);
const stub = (name: string): IncomingAttachment => ({ kind: "stub", name });

async function brought(database: Database, content: Buffer, contentType = "image/png"): Promise<IncomingAttachment> {
  const taken = await database.takeAttachment(content, { contentType, limit: 1e9 });
  return { kind: "new", name: "file", contentType, content: taken };
}

function attachmentOf(database: Database, id: string): AttachmentInfo {
  const document = mustFind(database, id);
  return database.value(document, document.record.winner)?.attachments[0] as AttachmentInfo;
}

/** Bytes of the files that a database's attachments are. */
function fileBytes({ dataDir, database }: TestStore): number {
  const folder = join(dataDir, "blobs", String(database.number));
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

describe("compaction", () => {
  it("gives back old bodies and the files of dropped attachments, and leaves every leaf as it was", async (t) => {
    const store = await openTestStore(t);
    const { database } = store;
    const text = "x".repeat(10_000);
    let rev: string | undefined;
    for (let n = 1; n <= 5; n++) {
      const attachments = [await brought(database, bytes(String(n)))];
      rev = await writeOne(database, edit("a", { on: rev, body: { n, text }, attachments }));
    }
    await writeOne(
      database,
      replicated("b", "1-a 2-b", { body: { n: 1 }, attachments: [await brought(database, bytes("b"))] }),
    );
    await writeOne(database, replicated("b", "1-a 2-c", { body: { text } }));
    const before = await database.fileBytes();
    assert.ok(before >= 6 * 50_000 + 6 * 10_000, `${before} bytes`);
    assert.equal(fileBytes(store), 6 * 50_000);
    await database.compact();
    assert.equal(fileBytes(store), 2 * 50_000);
    const after = await database.fileBytes();
    assert.ok(after < before - 4 * 60_000 + 1000, `${after} of ${before} bytes`);
    assert.equal(database.garbageBytes, 0);
    assert.deepEqual(bodyOf(database, "a", rev as string), { n: 5, text });
    assert.deepEqual(await readAttachment(database, attachmentOf(database, "a"), true), bytes("5"));
    assert.deepEqual(bodyOf(database, "b", "2-b"), { n: 1 });
    assert.deepEqual(bodyOf(database, "b", "2-c"), { text });
    assert.match(linesOf(mustFind(database, "a").record.tree).join(), /^1-\w+\? 2-\w+\? 3-\w+\? 4-\w+\? 5-\w+$/);
    assert.deepEqual(database.log.committed.counters, await recount(database));
    const { bodies } = database.keys;
    await store.close();
    assert.equal((await keysOnDisk(store.dataDir, bodies)).length, 3, "a's, and both of b's");
  });

  it("counts an attachment that revisions share once, whoever brought it", async (t) => {
    const { database } = await openTestStore(t);
    const size = 50_000;
    let rev = await writeOne(database, edit("a", { attachments: [await brought(database, bytes("a", size))] }));
    for (let n = 0; n < 9; n++)
      rev = await writeOne(database, edit("a", { on: rev, body: { n }, attachments: [stub("file")] }));
    const { liveBytes, storedBytes } = database.log.committed.counters;
    assert.ok(liveBytes > size && storedBytes < size + 200, `${storedBytes} bytes`);
    assert.ok(database.garbageBytes < 200);
    await database.compact();
    const compacted = database.log.committed.counters;
    assert.equal(compacted.storedBytes, compacted.liveBytes);
    assert.equal(compacted.liveBytes, liveBytes);
    await writeOne(database, edit("a", { on: rev, body: {} }));
    assert.ok(database.garbageBytes >= size, "its last revision with the attachment is no leaf any more");
    assert.deepEqual(database.log.committed.counters, await recount(database));
  });

  it("spares what came in long before it and is written after it, through several compactions", async (t) => {
    const { database } = await openTestStore(t);
    const [large, small] = [await brought(database, bytes("a")), await brought(database, Buffer.from("small"))];
    for (let n = 0; n < 3; n++) await database.compact();
    await writeOne(database, edit("large", { attachments: [large] }));
    await writeOne(database, edit("small", { attachments: [small] }));
    assert.deepEqual(await readAttachment(database, attachmentOf(database, "large"), true), bytes("a"));
    await database.compact();
    assert.deepEqual(await readAttachment(database, attachmentOf(database, "large"), true), bytes("a"));
    assert.deepEqual(await readAttachment(database, attachmentOf(database, "small"), true), Buffer.from("small"));
  });

  it("removes what a refused write brought, which is garbage until then", async (t) => {
    const store = await openTestStore(t);
    const { database } = store;
    await writeOne(database, edit("a"));
    const attachments = [await brought(database, bytes("a"))];
    const [outcome] = await database.write([edit("a", { attachments })], "trusted");
    assert.equal(outcome?.error?.error, "conflict");
    assert.ok(database.garbageBytes >= 50_000);
    await database.compact();
    assert.equal(fileBytes(store), 0);
    assert.equal(database.garbageBytes, 0);
  });

  it("removes the attachments of purged documents", async (t) => {
    const store = await openTestStore(t);
    const { database } = store;
    const rev = await writeOne(database, edit("a", { attachments: [await brought(database, bytes("a"))] }));
    await database.purge([{ id: "a" as never, revs: [rev] }]);
    assert.ok(database.garbageBytes >= 50_000);
    await database.compact();
    assert.equal(fileBytes(store), 0);
    assert.equal(database.garbageBytes, 0);
  });

  it("spares a content that a second document was given of the first, which is gone", async (t) => {
    const { database } = await openTestStore(t);
    const rev = await writeOne(database, edit("a", { attachments: [await brought(database, bytes("a"))] }));
    const content = database.shareAttachment(attachmentOf(database, "a"));
    await writeOne(database, edit("a", { on: rev, deleted: true }));
    await database.compact();
    const attachments = [{ kind: "new", name: "file", contentType: "image/png", content } as const];
    await writeOne(database, edit("b", { attachments }));
    assert.deepEqual(await readAttachment(database, attachmentOf(database, "b"), true), bytes("a"));
  });

  it("ends between two steps when it is asked to, and when the database is deleted, and brings nothing back", async (t) => {
    const store = await openTestStore(t);
    const { database, databases } = store;
    for (let n = 0; n < 3; n++) {
      const line = Array.from({ length: n + 1 }, (_, i) => `${i + 1}-x`).join(" ");
      await database.write(
        Array.from({ length: 300 }, (_, i) => replicated(`d${i}`, line, { body: { n } })),
        "trusted",
      );
    }
    const { storedBytes, liveBytes } = database.log.committed.counters;
    const compacting = database.compact();
    await database.endCompaction();
    await compacting;
    assert.equal(database.compacting, false);
    assert.ok(database.log.committed.counters.storedBytes > liveBytes, "it was not finished");
    assert.ok(database.log.committed.counters.storedBytes <= storedBytes);
    assert.deepEqual(database.log.committed.counters, await recount(database));

    const again = database.compact();
    await databases.delete(database.name);
    await again;
    await store.close();
    assert.deepEqual(await keysOnDisk(store.dataDir, database.keys.all), []);
  });

  it("tells the bytes that readers get of what is stored compressed", async (t) => {
    const { database } = await openTestStore(t);
    const rev = await writeOne(
      database,
      edit("a", { attachments: [await brought(database, bytes("a"), "text/plain")] }),
    );
    const { liveBytes, externalBytes } = database.log.committed.counters;
    assert.equal(externalBytes, 50_002);
    assert.ok(liveBytes < 1000, `${liveBytes} bytes`);
    await writeOne(database, edit("a", { on: rev, deleted: true }));
    assert.equal(database.log.committed.counters.externalBytes, 2);
    assert.deepEqual(database.log.committed.counters, await recount(database));
  });
});
