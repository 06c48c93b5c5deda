import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { compressed, defaultCompression, isCompressible } from "../../../server/documents/attachments/compression.js";

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function gzipped(bytes: Buffer, size = 1000): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of compressed(inPieces(bytes, size), defaultCompression.level)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const md5 = (bytes: Buffer): string => createHash("md5").update(bytes).digest("base64");

describe("compression", () => {
  it("gives short texts the digests that CouchDB gives them", async () => {
    // As PouchDB's and CouchDB's own tests have them.
    const text = await gzipped(Buffer.from("This is a base64 encoded text"));
    assert.deepEqual([text.length, md5(text)], [47, "qUUYqS41RhwF0TrCsTAxFg=="]);
    assert.equal(md5(await gzipped(Buffer.from("This is a base64 encoded text"), 3)), md5(text));
  });

  for (const length of [0, 1, 8192, 8193, 300_000]) {
    it(`of ${length} bytes can be undone`, async () => {
      const bytes = Buffer.from(randomBytes(length).toString("base64").slice(0, length));
      assert.deepEqual(gunzipSync(await gzipped(bytes, 4000)), bytes);
    });
  }

  it("fails as its source does, early and late", async () => {
    for (const good of [10, 100_000]) {
      async function* source(): AsyncGenerator<Buffer> {
        yield Buffer.alloc(good, "x");
        throw new Error("the source broke");
      }
      const reading = async (): Promise<void> => {
        for await (const _ of compressed(source(), 8));
      };
      await assert.rejects(reading(), /the source broke/);
    }
  });
});

describe("what is compressed", () => {
  for (const [type, expected] of [
    ["text/plain", true],
    ["text/html; charset=utf-8", true],
    ["TEXT/CSV", true],
    [" text/plain", true],
    ["application/json", true],
    ["application/json;v=1", true],
    ["application/javascript", true],
    ["application/xml", true],
    ["application/json5", false],
    ["application/xml+x", false],
    ["image/png", false],
    ["nontext/plain", false],
    ["", false],
  ] as const) {
    it(`${expected ? "is" : "is not"} ${JSON.stringify(type)}`, () => {
      assert.equal(isCompressible(type, defaultCompression), expected);
    });
  }

  it("is nothing at level 0, and nothing without types", () => {
    assert.ok(!isCompressible("text/plain", { ...defaultCompression, level: 0 }));
    assert.ok(!isCompressible("text/plain", { types: [], level: 8 }));
  });

  it("is told by types in which a point is a point", () => {
    const compression = { types: ["application/vnd.api+json", "*/x"], level: 8 };
    assert.ok(isCompressible("application/vnd.api+json", compression));
    assert.ok(!isCompressible("application/vndXapi+json", compression));
    assert.ok(isCompressible("image/x", compression));
  });
});
