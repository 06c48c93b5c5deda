import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CouchError } from "../../../protocol/errors.js";
import { multipartBoundary, readMultipart } from "../../../server/documents/attachments/multipart-reader.js";

interface ReadPart {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function readAll(stream: Readable, boundary = "abc123"): Promise<ReadPart[]> {
  const parts: ReadPart[] = [];
  for await (const { headers, body } of readMultipart(stream, boundary)) {
    parts.push({ headers: { ...headers }, body: (await buffer(body)).toString("latin1") });
  }
  return parts;
}

const whole = (text: string) => Readable.from([Buffer.from(text, "latin1")], { objectMode: false });
const badRequest = (error: unknown) => error instanceof CouchError && error.error === "bad_request";

const example = [
  "--abc123\r\nContent-Type: application/json\r\n\r\n{}",
  '--abc123 \t\r\nContent-Disposition: attachment;\r\n  filename="x"\r\nCONTENT-LENGTH:3\r\n\r\n\r\n-',
  "--abc123\r\n\r\n",
  "--abc123--\r\n",
].join("\r\n");
const parts: ReadPart[] = [
  { headers: { "content-type": "application/json" }, body: "{}" },
  { headers: { "content-disposition": 'attachment; filename="x"', "content-length": "3" }, body: "\r\n-" },
  { headers: {}, body: "" },
];

describe("multipartBoundary", () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['multipart/related; boundary="abc123"', "abc123"],
    ["multipart/related;boundary=abc123", "abc123"],
    ["multipart/mixed; type=x; BOUNDARY=a.b_c; start=1", "a.b_c"],
    ['multipart/mixed; boundary="a b\\=c"', "a b=c"],
    ["multipart/related", undefined],
    ["multipart/related; boundary=", undefined],
    ['multipart/related; boundary=""', undefined],
    ['multipart/related; boundary="ends with a space "', undefined],
    ['multipart/related; boundary="a\r\nb"', undefined],
    [`multipart/related; boundary=${"x".repeat(70)}`, "x".repeat(70)],
    [`multipart/related; boundary=${"x".repeat(71)}`, undefined],
  ];
  for (const [type, boundary] of cases) {
    it(`${JSON.stringify(type).slice(0, 70)}: ${boundary?.slice(0, 12)}`, () => {
      assert.equal(multipartBoundary(type), boundary);
    });
  }
});

describe("readMultipart", () => {
  it("reads headers and bodies, however the bytes are cut", async () => {
    assert.deepEqual(await readAll(whole(example)), parts);
    const bytes = Buffer.from(example);
    for (const size of [1, 2, 3, 7, 11]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      assert.deepEqual(await readAll(Readable.from(chunks, { objectMode: false })), parts, `chunks of ${size}`);
    }
  });

  it("skips a preamble and leaves the epilogue", async () => {
    assert.deepEqual(await readAll(whole(`preamble\r\n--abc\r\n${example}epilogue --abc123`)), parts);
  });

  it("reads nested multipart", async () => {
    const inner = "--in\r\n\r\n{}\r\n--in\r\n\r\ndata\r\n--in--";
    const text = `--abc123\r\nContent-Type: multipart/related; boundary="in"\r\n\r\n${inner}\r\n--abc123\r\n\r\nlast\r\n--abc123--`;
    const bodies: string[] = [];
    for await (const { headers, body } of readMultipart(whole(text), "abc123")) {
      const boundary = multipartBoundary(headers["content-type"] ?? "");
      if (boundary === undefined) bodies.push((await buffer(body)).toString());
      else for (const part of await readAll(body, boundary)) bodies.push(part.body);
    }
    assert.deepEqual(bodies, ["{}", "data", "last"]);
  });

  it("throws away what its reader leaves: unread, half read or destroyed", async () => {
    const long = "x".repeat(300_000);
    const text = `${`--abc123\r\n\r\n${long}\r\n`.repeat(4)}--abc123\r\nA: b\r\n\r\nlast\r\n--abc123--`;
    const bytes = Buffer.from(text);
    const chunks = Array.from({ length: Math.ceil(bytes.length / 10_000) }, (_, i) =>
      bytes.subarray(i * 10_000, (i + 1) * 10_000),
    );
    const seen: string[] = [];
    for await (const { headers, body } of readMultipart(Readable.from(chunks, { objectMode: false }), "abc123")) {
      const kind = headers.a === undefined ? ["unread", "half read", "destroyed", "broken off"][seen.length] : "read";
      if (kind === "half read") body.read(0);
      if (kind === "destroyed") body.destroy();
      if (kind === "broken off") for await (const _ of body) break;
      if (kind === "read") assert.equal((await buffer(body)).toString(), "last");
      seen.push(kind as string);
    }
    assert.deepEqual(seen, ["unread", "half read", "destroyed", "broken off", "read"]);
  });

  it("leaves the stream open when its reader stops", async () => {
    const stream = whole(example);
    for await (const part of readMultipart(stream, "abc123")) {
      assert.equal(part.headers["content-type"], "application/json");
      break;
    }
    assert.equal(stream.destroyed, false);
  });

  it("takes no more from the stream than its reader reads", async () => {
    let given = 0;
    const chunk = Buffer.alloc(16_384, "x");
    const source = new Readable({
      highWaterMark: chunk.length,
      read() {
        given += chunk.length;
        this.push(given === chunk.length ? Buffer.from("--abc123\r\n\r\n") : chunk);
      },
    });
    const { value: part } = await readMultipart(source, "abc123").next();
    assert.ok(part);
    let read = 0;
    for await (const bytes of part.body) {
      read += bytes.length;
      const buffered = 2 * part.body.readableHighWaterMark + 4 * chunk.length;
      assert.ok(given <= read + buffered, `${given} bytes taken for ${read} read`);
      if (read > 40 * chunk.length) break;
    }
    source.destroy();
  });

  it("refuses what ends too early, wherever it is cut", async () => {
    const end = example.length - "--\r\n".length;
    for (let cut = 0; cut < end; cut++) {
      await assert.rejects(readAll(whole(example.slice(0, cut))), badRequest, `first ${cut} bytes`);
    }
  });

  it("refuses what is malformed", async () => {
    const texts = {
      "line feeds only": example.replaceAll("\r\n", "\n"),
      "another boundary": example.replaceAll("abc123", "zzz"),
      "text behind the boundary": "--abc123x\r\n\r\n\r\n--abc123--",
      "header without a name": "--abc123\r\nnonsense\r\n\r\nx\r\n--abc123--",
      "endless headers": `--abc123\r\nA: ${"x".repeat(40_000)}\r\n\r\nx\r\n--abc123--`,
      nothing: "",
    };
    for (const [name, text] of Object.entries(texts)) await assert.rejects(readAll(whole(text)), badRequest, name);
  });

  it("tells the iteration what broke while a body was read", async () => {
    const stream = new PassThrough();
    stream.write("--abc123\r\n\r\nhello");
    const reading = readMultipart(stream, "abc123");
    const { value: part } = await reading.next();
    assert.ok(part);
    const body = buffer(part.body);
    stream.destroy(new Error("connection reset"));
    await assert.rejects(body, badRequest);
    await assert.rejects(reading.next(), badRequest);
  });

  it("gives back any bodies, cut anywhere", async () => {
    // Few different bytes, so that near misses of the delimiter are frequent.
    const body = fc.array(fc.constantFrom("\r", "\n", "-", "b", "x"), { maxLength: 30 }).map((bytes) => bytes.join(""));
    const safe = body.filter((text) => !`\r\n${text}\r\n`.includes("\r\n--b"));
    await fc.assert(
      fc.asyncProperty(
        fc.array(safe, { maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        async (bodies, cuts) => {
          const bytes = Buffer.from(`${bodies.map((text) => `--b\r\n\r\n${text}\r\n`).join("")}--b--`);
          const chunks: Buffer[] = [];
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const size = cuts[i % cuts.length] as number;
            chunks.push(bytes.subarray(at, at + size));
            at += size;
          }
          const read = await readAll(Readable.from(chunks, { objectMode: false }), "b");
          assert.deepEqual(
            read.map((part) => part.body),
            bodies,
          );
        },
      ),
    );
  });
});
