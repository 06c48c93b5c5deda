import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BlobStore } from "../../../server/documents/attachments/blob-store.js";
import { temporaryDirectory } from "../../helpers/temp-store.js";

const digest = (letter: string): string => `md5-${Buffer.alloc(16, letter).toString("base64")}`;

describe("the bytes of a database's files", () => {
  it("are those on disk, after every file that comes and goes", async (t) => {
    const blobs = new BlobStore(temporaryDirectory(t));
    await blobs.open();
    const put = async (database: number, letter: string, length: number): Promise<void> => {
      const draft = await blobs.draft(database);
      await draft.write([Buffer.alloc(length)]);
      await draft.keep(digest(letter));
    };
    assert.equal(await blobs.bytes(1), 0, "without a file there is no folder");
    for (let i = 0; i < 10; i++) await put(1, String.fromCharCode(97 + i), 100);
    assert.equal(await blobs.bytes(1), 1000);
    await put(1, "a", 100);
    assert.equal(await blobs.bytes(1), 1000, "the same content again");
    await put(2, "a", 7);
    blobs.remove(1, digest("b"));
    assert.deepEqual([await blobs.bytes(1), await blobs.bytes(2)], [900, 7]);
    await blobs.removeAll(1);
    assert.deepEqual([await blobs.bytes(1), await blobs.bytes(2)], [0, 7]);
  });

  it("are counted anew when a file comes while they are counted", async (t) => {
    const blobs = new BlobStore(temporaryDirectory(t));
    await blobs.open();
    const counting = blobs.bytes(1);
    const draft = await blobs.draft(1);
    await draft.write([Buffer.alloc(100)]);
    await draft.keep(digest("a"));
    await counting;
    assert.equal(await blobs.bytes(1), 100);
  });
});
