import { deepEqual, equal } from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { multipartBoundary, readMultipart } from "../../server/documents/attachments/multipart-reader.js";
import { multipartType, relatedBody } from "../../server/documents/attachments/multipart-writer.js";
import type { HttpReply } from "../helpers/http-client.js";
import { type HttpWorld, startHttpWorld } from "../helpers/http-world.js";

const releases: (() => void | Promise<void>)[] = [];
const binary = "application/octet-stream";
let world: HttpWorld;
before(async () => {
  world = await startHttpWorld({ after: (release) => releases.push(release) });
  for (const path of ["/db", "/copy"]) await world.client.expect(201, "PUT", path);
});
after(async () => {
  for (const release of releases) await release();
});

interface File {
  readonly name: string;
  readonly bytes: Buffer;
  readonly type?: string;
}

/** The body of a request that sends a document with these files behind it. */
async function related(document: object, files: readonly File[], boundary: string): Promise<Buffer> {
  const promises = files.map(({ name, bytes, type = binary }) => {
    return [name, { follows: true, content_type: type, length: bytes.length }] as const;
  });
  const json = Buffer.from(JSON.stringify({ ...document, _attachments: Object.fromEntries(promises) }));
  const attachments = files.map(({ name, bytes, type = binary }) => {
    return { name, contentType: type, length: bytes.length, read: () => [bytes] };
  });
  return Buffer.concat(await Readable.from(relatedBody({ json, attachments }, boundary)).toArray());
}

function send(path: string, body: Buffer | string, boundary = "abc123"): Promise<HttpReply> {
  return world.client.put(path, body, { headers: { "content-type": multipartType("related", boundary) } });
}

interface ReceivedPart {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Parts of an answer. */
async function partsOf({ headers, bytes }: Pick<HttpReply, "headers" | "bytes">): Promise<ReceivedPart[]> {
  const boundary = multipartBoundary(headers["content-type"] as string) as string;
  const parts: ReceivedPart[] = [];
  for await (const part of readMultipart(Readable.from([bytes]), boundary)) {
    parts.push({ headers: part.headers, body: Buffer.concat(await part.body.toArray()) });
  }
  return parts;
}

function inner({ headers, body }: ReceivedPart): Promise<ReceivedPart[]> {
  return partsOf({ headers: { "content-type": headers["content-type"] as string }, bytes: body });
}

/** `a\nb`: lines as they are on the wire. */
function lines(text: string): string {
  return text.replaceAll("\n", "\r\n");
}

function promised(attachments: object): string {
  return `--abc123\nContent-Type: application/json\n\n${JSON.stringify({ _attachments: attachments })}\n`;
}

describe("a document sent with its attachments", () => {
  test("comes back as it was sent, and travels on as it comes", async () => {
    const name = fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" }).filter((text) => !text.startsWith("_"));
    const size = fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 8000, max: 20_000 }));
    const type = fc.constantFrom(binary, "text/plain", "image/png");
    const file = fc.record({ name, size, type });
    const files = fc.uniqueArray(file, { selector: (one) => one.name, maxLength: 5 });
    let number = 0;
    await fc.assert(
      fc.asyncProperty(files, async (wanted) => {
        const sent = wanted.map((one) => ({ ...one, bytes: randomBytes(one.size) }));
        number += 1;
        const id = `doc-${number}`;
        equal((await send(`/db/${id}`, await related({ n: number }, sent, "abc123"))).status, 201);
        const reply = await world.client.get(`/db/${id}?attachments=true&revs=true`, {
          headers: { accept: "multipart/related" },
        });
        if (sent.length > 0) {
          equal(reply.headers["content-length"], String(reply.bytes.length));
          const boundary = multipartBoundary(reply.headers["content-type"] as string);
          equal((await send(`/copy/${id}?new_edits=false`, reply.bytes, boundary)).status, 201);
        } else {
          equal((await world.client.put(`/copy/${id}?new_edits=false`, reply.bytes)).status, 201);
        }
        for (const one of sent) {
          for (const database of ["db", "copy"]) {
            const stored = await world.client.get(`/${database}/${id}/${encodeURIComponent(one.name)}`);
            equal(stored.bytes.equals(one.bytes), true, `${one.name} in ${database}`);
          }
        }
        deepEqual((await world.client.get(`/copy/${id}`)).json(), (await world.client.get(`/db/${id}`)).json());
      }),
      { numRuns: 25 },
    );
  });

  test("may name its parts, which then come in any order", async () => {
    const promise = { follows: true, content_type: binary, length: 1 };
    const body = lines(
      `${promised({ x: promise, y: promise, 'q"q': promise })}--abc123\nContent-Disposition: attachment; filename="y"\n\nY\n` +
        `--abc123\nContent-Disposition: attachment; filename="q%22q"\n\nQ\n--abc123\n\nX\n--abc123--`,
    );
    equal((await send("/db/named", body)).status, 201);
    for (const [name, text] of Object.entries({ x: "X", y: "Y", "q%22q": "Q" })) {
      equal((await world.client.get(`/db/named/${name}`)).text, text);
    }
  });

  test("keeps a part compressed that comes so, and knows what it decodes to", async () => {
    const text = "again and again ".repeat(100);
    const packed = gzipSync(text);
    const promise = {
      follows: true,
      content_type: "text/plain",
      encoding: "gzip",
      length: text.length,
      encoded_length: packed.length,
    };
    const body = Buffer.concat([
      Buffer.from(lines(`${promised({ f: promise })}--abc123\n\n`)),
      packed,
      Buffer.from(lines("\n--abc123--")),
    ]);
    equal((await send("/db/packed", body)).status, 201);
    const digest = `md5-${createHash("md5").update(packed).digest("base64")}`;
    const shown = (await world.client.get("/db/packed?att_encoding_info=true")).json()._attachments.f;
    deepEqual(shown, {
      content_type: "text/plain",
      revpos: 1,
      digest,
      length: text.length,
      stub: true,
      encoding: "gzip",
      encoded_length: packed.length,
    });
    equal((await world.client.get("/db/packed/f")).text, text);
    const headers = { accept: "multipart/related" };
    const [, part] = await partsOf(await world.client.get("/db/packed?attachments=true", { headers }));
    equal(part?.headers["content-encoding"], "gzip");
    equal(gunzipSync(part?.body as Buffer).toString(), text);
  });

  test("may have attachments inside, stubs and parts at once", async () => {
    const first = (
      await send("/db/all", await related({ v: 1 }, [{ name: "kept", bytes: Buffer.from("k") }], "abc123"))
    ).json();
    const attachments = {
      kept: { stub: true },
      inline: { content_type: binary, data: Buffer.from("i").toString("base64") },
      part: { follows: true, content_type: binary, length: 1 },
    };
    const body = lines(`${promised(attachments)}--abc123\n\np\n--abc123--`);
    equal((await send(`/db/all?rev=${first.rev}`, body)).status, 201);
    const stored = (await world.client.get("/db/all?attachments=true")).json()._attachments;
    const texts = Object.entries<{ data: string }>(stored).map(([name, { data }]) => [
      name,
      Buffer.from(data, "base64").toString(),
    ]);
    deepEqual(Object.fromEntries(texts), { kept: "k", inline: "i", part: "p" });
  });
});

describe("refused, and nothing stored", () => {
  const promise = { follows: true, content_type: binary, length: 3 };
  const one = promised({ x: promise });
  const large = "y".repeat(3_000_000);
  const bodies: readonly (readonly [what: string, body: string, status: number, error: string, reason?: string])[] = [
    ["a part too few", `${one}--abc123--`, 400, "bad_request", "The attachment x did not follow."],
    ["a part too many", `${one}--abc123\n\nxxx\n--abc123\n\nyyy\n--abc123--`, 400, "bad_request"],
    ["a part too short", `${one}--abc123\n\nx\n--abc123--`, 400, "bad_request", "attachment shorter than expected"],
    ["a part too long", `${one}--abc123\n\nxxxx\n--abc123--`, 400, "bad_request", "attachment longer than expected"],
    [
      "a part much too long",
      `${one}--abc123\n\n${large}\n--abc123--`,
      400,
      "bad_request",
      "attachment longer than expected",
    ],
    ["cut short in a part", `${one}--abc123\n\nxx`, 400, "bad_request"],
    [
      "cut short in a large part",
      `${promised({ x: { ...promise, length: 5e6 } })}--abc123\n\n${large}`,
      400,
      "bad_request",
    ],
    ["cut short after a part", `${one}--abc123\n\nxxx\n--abc123\n`, 400, "bad_request"],
    [
      "another digest",
      `${promised({ x: { ...promise, digest: "md5-AAAAAAAAAAAAAAAAAAAAAA==" } })}--abc123\n\nxxx\n--abc123--`,
      400,
      "content_md5_mismatch",
    ],
    ["no length", `${promised({ x: { follows: true } })}--abc123\n\nxxx\n--abc123--`, 400, "bad_request"],
    ["no parts", "--abc123--", 400, "bad_request"],
    ["nothing", "", 400, "bad_request"],
    ["another boundary", "--zzz\nContent-Type: application/json\n\n{}\n--zzz--", 400, "bad_request"],
    ["a document without its type", "--abc123\n\n{}\n--abc123--", 415, "bad_content_type"],
    ["a document that is no JSON", "--abc123\nContent-Type: application/json\n\nnope\n--abc123--", 400, "bad_request"],
  ];
  for (const [what, body, status, error, reason] of bodies) {
    test(what, async () => {
      const reply = await send("/db/refused", lines(body));
      deepEqual([reply.status, reply.json().error], [status, error]);
      if (reason !== undefined) equal(reply.json().reason, reason);
      equal((await world.client.get("/db/refused")).status, 404);
      deepEqual(readdirSync(join(world.dataDir, "blobs", "incoming")), []);
    });
  }

  test("a promise in a body that is not multipart", async () => {
    const reply = await world.client.put("/db/refused", { _attachments: { x: promise } });
    deepEqual([reply.status, reply.json().error], [400, "bad_request"]);
  });

  test("a document, an attachment, a request that is too large", async (t) => {
    const limits = { maxDocumentSize: 1000, maxAttachmentSize: 2000, maxHttpRequestSize: 5000 };
    const { client } = await startHttpWorld(t, undefined, { config: { limits } });
    await client.expect(201, "PUT", "/db");
    const headers = { "content-type": multipartType("related", "abc123") };
    const file = (name: string, length: number) => ({ name, bytes: Buffer.alloc(length) });
    const put = async (document: object, files: readonly File[], more = {}) => {
      const reply = await client.put("/db/a", await related(document, files, "abc123"), {
        headers: { ...headers, ...more },
      });
      return [reply.status, reply.json().error];
    };
    deepEqual(await put({ text: "x".repeat(1000) }, []), [413, "document_too_large"]);
    deepEqual(await put({}, [file("a", 2001)]), [413, "attachment_too_large"]);
    const three = [file("a", 2000), file("b", 2000), file("c", 2000)];
    deepEqual(await put({}, three), [413, "too_large"]);
    deepEqual(await put({}, three, { "transfer-encoding": "chunked" }), [413, "too_large"]);
    equal((await client.get("/db/a")).status, 404);
    deepEqual(await put({}, [file("a", 2000), file("b", 1000)]), [201, undefined]);
  });
});

describe("answers in several parts", () => {
  let revs: readonly string[];
  before(async () => {
    const push = async (_rev: string, files: readonly File[]) => {
      const document = { _rev, _revisions: { start: 2, ids: [_rev.slice(2), "a"] } };
      const body = await related(document, files, "abc123");
      equal((await send("/db/forked?new_edits=false", body)).status, 201);
    };
    await push("2-x", [{ name: "f", bytes: Buffer.from("of x") }]);
    await push("2-y", []);
    revs = ["2-x", "2-y"];
  });

  test("open_revs: each revision with its attachments, and what is missing", async () => {
    const asked = encodeURIComponent(JSON.stringify([...revs, "9-z"]));
    const reply = await world.client.get(`/db/forked?open_revs=${asked}`, { headers: { accept: "multipart/mixed" } });
    const parts = await partsOf(reply);
    const [document, file] = await inner(parts[0] as ReceivedPart);
    deepEqual(JSON.parse(String(document?.body))._rev, "2-x");
    deepEqual([file?.headers["content-disposition"], String(file?.body)], ['attachment; filename="f"', "of x"]);
    deepEqual(
      parts.slice(1).map(({ headers, body }) => [headers["content-type"], JSON.parse(String(body))]),
      [
        ["application/json", { _id: "forked", _rev: "2-y" }],
        ['application/json; error="true"', { missing: "9-z" }],
      ],
    );
  });

  test("_bulk_get: the same, and each part names its document", async () => {
    const body = { docs: [{ id: "forked", rev: "2-x" }, { id: "forked", rev: "2-y" }, { id: "nope" }] };
    for (const type of ["multipart/mixed", "multipart/related"]) {
      const reply = await world.client.post("/db/_bulk_get", body, { headers: { accept: type } });
      equal((reply.headers["content-type"] as string).split(";")[0], type);
      const parts = await partsOf(reply);
      deepEqual([parts[0]?.headers["x-doc-id"], parts[0]?.headers["x-rev-id"]], ["forked", "2-x"]);
      equal(String((await inner(parts[0] as ReceivedPart))[1]?.body), "of x");
      deepEqual(
        parts.slice(1).map((part) => JSON.parse(String(part.body)).error),
        [undefined, "not_found"],
      );
    }
  });

  test("attachments that the reader has already are stubs, and without others the answer is JSON", async () => {
    const headers = { accept: "multipart/related" };
    const known = encodeURIComponent('["2-x"]');
    const edited = await world.client.put("/db/since/old", "1", { headers: { "content-type": binary } });
    const since = encodeURIComponent(JSON.stringify([edited.json().rev]));
    const none = await world.client.get(`/db/since?atts_since=${since}`, { headers });
    equal(none.headers["content-type"], "application/json");
    equal(none.json()._attachments.old.stub, true);
    const { rev } = (
      await world.client.put(`/db/since/new?rev=${edited.json().rev}`, "2", { headers: { "content-type": binary } })
    ).json();
    const parts = await partsOf(await world.client.get(`/db/since?atts_since=${since}&rev=${rev}`, { headers }));
    deepEqual(
      parts.slice(1).map((part) => String(part.body)),
      ["2"],
    );
    const all = await partsOf(await world.client.get(`/db/since?atts_since=${known}`, { headers }));
    deepEqual(
      all.slice(1).map((part) => String(part.body)),
      ["2", "1"],
    );
  });
});
