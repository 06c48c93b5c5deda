import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { gunzipSync } from "node:zlib";
import { CouchError, type ErrorName } from "../../../protocol/errors.js";
import { BlobStore } from "../../../server/documents/attachments/blob-store.js";
import {
  type IntakeOptions,
  smallAttachment,
  type TakenContent,
  takeContent,
} from "../../../server/documents/attachments/intake.js";
import { openTestStore, temporaryDirectory } from "../../helpers/temp-store.js";

const database = 7;
const png: IntakeOptions = { contentType: "image/png", limit: 10_000_000 };
const text: IntakeOptions = { ...png, contentType: "text/plain; charset=utf-8" };

interface Intake {
  readonly root: string;
  readonly blobs: BlobStore;
  readonly known: string[];
  take(source: Buffer | Readable, options: IntakeOptions): Promise<TakenContent>;
  incoming(): string[];
  read(content: TakenContent, range?: { start: number; end: number }): Promise<Buffer>;
}

async function open(t: TestContext): Promise<Intake> {
  const root = join(temporaryDirectory(t), "blobs");
  const blobs = new BlobStore(root);
  await blobs.open();
  const known: string[] = [];
  return {
    root,
    blobs,
    known,
    take: (source, options) => takeContent(blobs, database, source, options, (digest) => known.push(digest)),
    incoming: () => readdirSync(join(root, "incoming")),
    read: async ({ digest }, range) => Buffer.concat(await blobs.read(database, digest, range).toArray()),
  };
}

const md5 = (bytes: Buffer): string => createHash("md5").update(bytes).digest("base64");
/** Bytes that do not compress, the same each time. */
const manyBytes = Buffer.concat(
  Array.from({ length: 200_000 }, (_, i) => createHash("md5").update(String(i)).digest()),
);
const noise = (length: number): Buffer => manyBytes.subarray(0, length);
const chunks = (bytes: Buffer, size: number): Readable =>
  Readable.from(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size)),
  );
const fails = (error: ErrorName) => (thrown: unknown) => thrown instanceof CouchError && thrown.error === error;

describe("taking an attachment in", () => {
  for (const length of [0, 1, smallAttachment]) {
    it(`keeps ${length} bytes for the write that names them`, async (t) => {
      const intake = await open(t);
      const bytes = noise(length);
      const content = await intake.take(bytes, png);
      assert.deepEqual(content, { digest: `md5-${md5(bytes)}`, length, storedLength: length, small: bytes });
      assert.deepEqual(readdirSync(intake.root), ["incoming"]);
      assert.deepEqual(intake.known, [content.digest]);
    });
  }

  const shapes = [
    { how: "one byte more, byte by byte", length: smallAttachment + 1, size: 1 },
    { how: "more, at once", length: 300_000, size: 300_000 },
    { how: "more than is gathered before it is written, in pieces", length: 3_000_000, size: 70_001 },
  ];
  for (const { how, length, size } of shapes) {
    it(`makes a file of ${how}`, async (t) => {
      const intake = await open(t);
      const bytes = noise(length);
      const content = await intake.take(chunks(bytes, size), png);
      assert.deepEqual(content, { digest: `md5-${md5(bytes)}`, length: bytes.length, storedLength: bytes.length });
      assert.deepEqual(await intake.read(content), bytes);
      assert.deepEqual(await intake.read(content, { start: 10, end: 8000 }), bytes.subarray(10, 8001));
      const hex = createHash("md5").update(bytes).digest("hex");
      const path = join(intake.root, String(database), hex);
      assert.deepEqual(readFileSync(path), bytes, "named by its digest");
      assert.equal(statSync(path).mode & 0o077, 0, "nobody else may read it");
      assert.deepEqual(intake.incoming(), []);
    });
  }

  it("compresses what compresses well, and says both lengths", async (t) => {
    const intake = await open(t);
    const bytes = Buffer.from("a line of text that repeats itself\n".repeat(2000));
    for (const contentType of [
      "text/plain",
      "TEXT/HTML",
      "application/json",
      "application/javascript;x",
      "application/xml",
    ]) {
      const content = await intake.take(chunks(bytes, 999), { ...text, contentType });
      assert.ok(content.small && content.encoding === "gzip", contentType);
      assert.deepEqual(gunzipSync(content.small), bytes);
      assert.equal(content.length, bytes.length);
      assert.equal(content.storedLength, content.small.length);
      assert.equal(content.digest, `md5-${md5(content.small)}`, "of the bytes as they are stored");
    }
    for (const contentType of ["image/png", "application/octet-stream", "application/jsonx", "x-text/plain"]) {
      assert.equal((await intake.take(bytes, { ...text, contentType })).encoding, undefined, contentType);
    }
  });

  it("makes a file of compressed bytes when they are still large", async (t) => {
    const intake = await open(t);
    const bytes = Buffer.from(noise(100_000).toString("base64"));
    const content = await intake.take(chunks(bytes, 5000), text);
    assert.equal(content.small, undefined);
    assert.ok(content.storedLength > smallAttachment && content.storedLength < bytes.length);
    assert.deepEqual(gunzipSync(await intake.read(content)), bytes);
  });

  it("leaves alone what comes compressed", async (t) => {
    const intake = await open(t);
    const bytes = Buffer.from("pretend that this is gzip");
    const content = await intake.take(bytes, { ...text, encoding: "gzip" });
    assert.deepEqual(content, {
      digest: `md5-${md5(bytes)}`,
      length: 25,
      storedLength: 25,
      encoding: "gzip",
      small: bytes,
    });
  });

  it("keeps one file of one content, however often it comes", async (t) => {
    const intake = await open(t);
    const bytes = noise(50_000);
    const [one, other] = await Promise.all([intake.take(bytes, png), intake.take(chunks(bytes, 700), png)]);
    assert.equal(one?.digest, other?.digest);
    const digests: string[] = [];
    for await (const digest of intake.blobs.digests(database)) digests.push(digest);
    assert.deepEqual(digests, [one?.digest]);
    assert.ok(await intake.blobs.has(database, digests[0] as string));
    assert.ok(!(await intake.blobs.has(database + 1, digests[0] as string)), "another database has files of its own");
    intake.blobs.remove(database, digests[0] as string);
    assert.ok(!(await intake.blobs.has(database, digests[0] as string)));
  });

  interface Refusal {
    readonly name: string;
    readonly options: Partial<IntakeOptions>;
    readonly error: ErrorName;
  }
  const refusals: readonly Refusal[] = [
    {
      name: "another MD5 than was promised",
      options: { contentMd5: md5(Buffer.from("other")) },
      error: "content_md5_mismatch",
    },
    { name: "fewer bytes than were promised", options: { expectedLength: 100_001 }, error: "bad_request" },
    { name: "more bytes than were promised", options: { expectedLength: 99_999 }, error: "bad_request" },
    { name: "more bytes than are allowed", options: { limit: 99_999 }, error: "attachment_too_large" },
  ];
  for (const { name, options, error } of refusals) {
    for (const kind of [png, text]) {
      it(`refuses ${name} (${kind.contentType}), and keeps nothing`, async (t) => {
        const intake = await open(t);
        const large = { ...kind, ...options };
        await assert.rejects(intake.take(chunks(noise(100_000), 1000), large), fails(error));
        assert.deepEqual(intake.incoming(), []);
        assert.deepEqual(readdirSync(intake.root), ["incoming"]);
      });
    }
  }

  it("accepts exactly what was promised and allowed", async (t) => {
    const intake = await open(t);
    const bytes = noise(100_000);
    const content = await intake.take(bytes, {
      ...png,
      contentMd5: md5(bytes),
      expectedLength: bytes.length,
      limit: bytes.length,
    });
    assert.equal(content.length, bytes.length);
    // The promise is about the bytes as they come, not as they are stored.
    await intake.take(bytes, { ...text, contentMd5: md5(bytes), expectedLength: bytes.length });
  });

  for (const kind of [png, text]) {
    it(`fails with its source (${kind.contentType}), and keeps nothing`, async (t) => {
      const intake = await open(t);
      // More than is gathered before the first write, so that there is a file to throw away.
      async function* breaking(): AsyncIterable<Buffer> {
        yield noise(3_000_000);
        throw new Error("the client went away");
      }
      await assert.rejects(intake.take(Readable.from(breaking()), kind), fails("bad_request"));
      assert.deepEqual(intake.incoming(), []);
      assert.deepEqual(readdirSync(intake.root), ["incoming"]);
    });
  }

  it("throws a file away that was begun when too much comes", async (t) => {
    const intake = await open(t);
    let begun = false;
    async function* endless(): AsyncIterable<Buffer> {
      for (;;) {
        yield noise(600_000);
        begun ||= intake.incoming().length > 0;
      }
    }
    await assert.rejects(intake.take(Readable.from(endless()), png), fails("attachment_too_large"));
    assert.ok(begun);
    assert.deepEqual(intake.incoming(), []);
  });
});

describe("the blob store", () => {
  it("removes what a crash left half received, and nothing else", async (t) => {
    const store = await openTestStore(t);
    const bytes = noise(20_000);
    const { digest } = await store.database.takeAttachment(bytes, png);
    await store.close();
    const incoming = join(store.dataDir, "blobs", "incoming");
    for (const name of ["0123456789abcdef01234567", "fedcba987654321001234567"])
      writeFileSync(join(incoming, name), "half");
    await store.reopen();
    assert.deepEqual(readdirSync(incoming), []);
    const info = {
      name: "a",
      contentType: "image/png",
      revpos: 1,
      digest,
      length: bytes.length,
      storedLength: bytes.length,
    };
    assert.deepEqual(Buffer.concat(await store.database.attachment(info).toArray()), bytes);
  });

  it("removes the files of one database only", async (t) => {
    const intake = await open(t);
    const { digest } = await intake.take(noise(20_000), png);
    // Its number begins with that of the other.
    await takeContent(intake.blobs, 70, noise(20_000), png, () => undefined);
    await intake.blobs.removeAll(database);
    assert.ok(!(await intake.blobs.has(database, digest)));
    assert.ok(await intake.blobs.has(70, digest));
    await assert.rejects(intake.read({ digest, length: 0, storedLength: 0 }), { code: "ENOENT" });
    // And takes the same content in again.
    await intake.take(noise(20_000), png);
    assert.ok(await intake.blobs.has(database, digest));
  });

  it("opens where its directories are there already", async (t) => {
    const root = join(temporaryDirectory(t), "blobs");
    mkdirSync(join(root, "incoming"), { recursive: true });
    await new BlobStore(root).open();
    await new BlobStore(root).open();
    assert.deepEqual(readdirSync(root), ["incoming"]);
  });
});
