import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CouchError } from "../../../protocol/errors.js";
import type { AttachmentInfo } from "../../../server/documents/attachments/attachment-info.js";
import { readAttachment, streamAttachment } from "../../../server/documents/attachments/read-attachment.js";
import type { Database } from "../../../server/documents/database.js";
import type { IncomingAttachment } from "../../../server/documents/incoming-revision.js";
import { recount } from "../../helpers/database-facts.js";
import { edit, mustFind, replicated, writeOne } from "../../helpers/incoming-revisions.js";
import { keysOnDisk } from "../../helpers/raw-store.js";
import { openTestStore } from "../../helpers/temp-store.js";

const large = Buffer.alloc(200_000, "0123456789");
const small = Buffer.from("small");
const stub = (name: string): IncomingAttachment => ({ kind: "stub", name });
const missingStub = (error: unknown): boolean => error instanceof CouchError && error.error === "missing_stub";

async function brought(
  database: Database,
  name: string,
  bytes: Buffer,
  contentType = "image/png",
): Promise<IncomingAttachment> {
  return { kind: "new", name, contentType, content: await database.takeAttachment(bytes, { contentType, limit: 1e7 }) };
}

/** The attachments of a document's winner. */
function attachmentsOf(database: Database, id: string): readonly AttachmentInfo[] {
  const document = mustFind(database, id);
  return database.value(document, document.record.winner)?.attachments ?? [];
}

describe("attachments of a document", () => {
  it("are read back as they came, small ones and files, compressed ones, and parts of them", async (t) => {
    const store = await openTestStore(t);
    const contents = { small, large, "empty.txt": Buffer.alloc(0), "text.txt": Buffer.from("repeats ".repeat(9000)) };
    const attachments = await Promise.all(
      Object.entries(contents).map(([name, bytes]) =>
        brought(store.database, name, bytes, name.endsWith(".txt") ? "text/plain" : "image/png"),
      ),
    );
    await writeOne(store.database, edit("a", { attachments }));
    await store.reopen();
    const infos = attachmentsOf(store.database, "a");
    assert.deepEqual(
      infos.map(({ name }) => name),
      Object.keys(contents),
    );
    for (const info of infos) {
      const bytes = contents[info.name as keyof typeof contents];
      assert.equal(info.length, bytes.length);
      assert.equal(info.revpos, 1);
      assert.deepEqual(await readAttachment(store.database, info, true), bytes);
      assert.deepEqual(Buffer.concat(await streamAttachment(store.database, info, true).toArray()), bytes);
      const stored = Buffer.concat(await store.database.attachment(info).toArray());
      assert.equal(stored.length, info.storedLength);
      if (info.encoding) continue;
      const part = Buffer.concat(await store.database.attachment(info, { start: 1, end: 3 }).toArray());
      assert.deepEqual(part, bytes.subarray(1, 4));
    }
    assert.deepEqual(store.database.log.committed.counters, await recount(store.database));
  });

  it("stay by their stubs, go when they are not named, and keep the generation that brought them", async (t) => {
    const { database } = await openTestStore(t);
    const one = await writeOne(database, edit("a", { attachments: [await brought(database, "x", small)] }));
    const two = await writeOne(
      database,
      edit("a", { on: one, attachments: [stub("x"), await brought(database, "y", large)] }),
    );
    assert.deepEqual(
      attachmentsOf(database, "a").map(({ name, revpos }) => [name, revpos]),
      [
        ["x", 1],
        ["y", 2],
      ],
    );
    const three = await writeOne(database, edit("a", { on: two, attachments: [stub("y")] }));
    assert.deepEqual(
      attachmentsOf(database, "a").map(({ name, revpos }) => [name, revpos]),
      [["y", 2]],
    );
    await assert.rejects(writeOne(database, edit("a", { on: three, attachments: [stub("x")] })), missingStub);
    assert.deepEqual(await readAttachment(database, attachmentsOf(database, "a")[0] as AttachmentInfo, true), large);
    assert.deepEqual(database.log.committed.counters, await recount(database));
  });

  it("make a revision of their own when only they differ", async (t) => {
    const { database } = await openTestStore(t);
    const attach = async (id: string, bytes: Buffer) =>
      writeOne(database, edit(id, { attachments: [await brought(database, "x", bytes)] }));
    const [a, b, c] = [await attach("a", small), await attach("b", small), await attach("c", Buffer.from("other"))];
    assert.equal(a, b, "the same edit is the same revision");
    assert.notEqual(a, c);
  });

  it("fail the whole request when a stub stands for nothing, before anything is written", async (t) => {
    const { database } = await openTestStore(t);
    const request = [edit("fine"), edit("a", { attachments: [stub("x")] }), edit("fine too")];
    await assert.rejects(database.write(request, "trusted"), missingStub);
    await assert.rejects(
      database.write([replicated("a", "1-a 2-b", { attachments: [stub("x")] })], "trusted"),
      missingStub,
    );
    assert.equal(database.updateSeq, 0);
    assert.equal(database.find("fine"), undefined);
  });

  it("of a replicated revision are found by its stubs in the ancestor that is here", async (t) => {
    const { database } = await openTestStore(t);
    await writeOne(database, replicated("a", "1-a", { attachments: [await brought(database, "x", large)] }));
    // 2-b is not here, and named by history only.
    await writeOne(database, replicated("a", "1-a 2-b 3-c", { attachments: [stub("x")] }));
    assert.deepEqual(await readAttachment(database, attachmentsOf(database, "a")[0] as AttachmentInfo, true), large);
    // Sent again, it finds them in itself.
    await writeOne(database, replicated("a", "1-a 2-b 3-c", { attachments: [stub("x")] }));
    assert.equal(database.updateSeq, 2);
  });

  it("lie on disk once for each content: small ones in the store, others as files", async (t) => {
    const store = await openTestStore(t);
    const { database } = store;
    for (const id of ["a", "b"]) {
      await writeOne(
        database,
        edit(id, { attachments: [await brought(database, "x", small), await brought(database, "y", large)] }),
      );
    }
    const digests = attachmentsOf(database, "a").map(({ digest }) => digest);
    assert.deepEqual(
      attachmentsOf(database, "b").map(({ digest }) => digest),
      digests,
    );
    await store.close();
    assert.deepEqual(await keysOnDisk(store.dataDir, database.keys.attachments), [
      database.keys.attachment(digests[0] as string),
    ]);
  });

  it("are collected when nothing names them any more, and not before", async (t) => {
    const { database } = await openTestStore(t);
    const attachments = [
      await brought(database, "gone", Buffer.from("gone")),
      await brought(database, "gone large", large),
      await brought(database, "kept", small),
    ];
    const one = await writeOne(database, edit("a", { attachments }));
    const [gone, goneLarge, kept] = attachmentsOf(database, "a") as [AttachmentInfo, AttachmentInfo, AttachmentInfo];
    await writeOne(database, edit("a", { on: one, attachments: [stub("kept")] }));
    // A content that was just taken in is named by nothing yet.
    const coming = await brought(database, "coming", Buffer.alloc(50_000, "c"));
    // The first sweep spares what came since the one before it.
    await database.compact();
    await database.compact();
    assert.equal(database.smallAttachment(gone), undefined);
    await assert.rejects(readAttachment(database, goneLarge, true), { code: "ENOENT" });
    assert.deepEqual(await readAttachment(database, kept, true), small);
    const later = await brought(database, "coming", Buffer.alloc(50_000, "c"));
    await database.compact();
    await writeOne(database, edit("b", { attachments: [later] }));
    assert.deepEqual(
      await readAttachment(database, attachmentsOf(database, "b")[0] as AttachmentInfo, true),
      Buffer.alloc(50_000, "c"),
    );
    assert.equal(coming.kind, "new");
  });
});
