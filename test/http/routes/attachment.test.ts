import { deepEqual, equal, match } from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { basic, type HttpReply } from "../../helpers/http-client.js";
import { type HttpWorld, startHttpWorld } from "../../helpers/http-world.js";

const releases: (() => void | Promise<void>)[] = [];
const binary = "application/octet-stream";
const sentence = "the same again and again, ".repeat(2000);
let world: HttpWorld;
before(async () => {
  world = await startHttpWorld({ after: (release) => releases.push(release) });
  await world.client.expect(201, "PUT", "/db");
});
after(async () => {
  for (const release of releases) await release();
});

function put(path: string, body: Buffer | string, headers: Readonly<Record<string, string>> = {}): Promise<HttpReply> {
  return world.client.put(path, body, { headers: { "content-type": binary, ...headers } });
}

function get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpReply> {
  return world.client.get(path, { headers });
}

function md5(bytes: Buffer | string): string {
  return createHash("md5").update(bytes).digest("base64");
}

function refusal(reply: HttpReply): readonly [number, string] {
  return [reply.status, reply.json().error];
}

describe("an attachment by itself", () => {
  for (const length of [0, 5, 8192, 8193, 3_000_000]) {
    test(`of ${length} bytes comes back as it was sent`, async () => {
      const bytes = randomBytes(length);
      equal((await put(`/db/size-${length}/f`, bytes)).status, 201);
      const reply = await get(`/db/size-${length}/f`);
      equal(reply.bytes.equals(bytes), true);
      equal(reply.headers["content-length"], String(length));
      equal(reply.headers.etag, `"${md5(bytes)}"`);
      const head = await world.client.send("HEAD", `/db/size-${length}/f`);
      equal(head.headers["content-length"], String(length));
      equal(head.bytes.length, 0);
    });
  }

  test("may be sent without its length being known", async () => {
    const reply = await put("/db/chunked/f", randomBytes(50_000), { "transfer-encoding": "chunked" });
    equal(reply.status, 201);
    equal((await get("/db/chunked/f")).bytes.length, 50_000);
  });

  test("keeps the body and the other attachments, and stands in front of them", async () => {
    const first = await world.client.put("/db/kept", { text: "é", n: 1 });
    const second = await put(`/db/kept/one?rev=${first.json().rev}`, "1");
    const third = await put("/db/kept/two", "2", { "if-match": `"${second.json().rev}"` });
    const fourth = await put(`/db/kept/one?rev=${third.json().rev}`, "one");
    const { _id, _rev, _attachments, ...body } = (await get("/db/kept")).json();
    deepEqual(body, { text: "é", n: 1 });
    deepEqual(
      Object.entries<{ revpos: number }>(_attachments).map(([name, { revpos }]) => [name, revpos]),
      [
        ["one", 4],
        ["two", 3],
      ],
    );
    const deleted = await world.client.send("DELETE", `/db/kept/one?rev=${fourth.json().rev}`);
    deepEqual([deleted.status, deleted.json().rev.slice(0, 2)], [200, "5-"]);
    deepEqual(Object.keys((await get("/db/kept")).json()._attachments), ["two"]);
    equal((await get(`/db/kept/one?rev=${third.json().rev}`)).text, "1");
  });

  test("is refused before its bytes are sent when the revision is not the current one", async () => {
    const { rev } = (await put("/db/current/f", "1")).json();
    const next = (await put(`/db/current/f?rev=${rev}`, "2")).json().rev;
    deepEqual(refusal(await put("/db/current/g", "x")), [409, "conflict"]);
    deepEqual(refusal(await put(`/db/current/g?rev=${rev}`, "x")), [409, "conflict"]);
    deepEqual(refusal(await put(`/db/current/g?rev=2-${"0".repeat(32)}`, "x")), [409, "not_found"]);
    deepEqual(refusal(await put(`/db/absent/g?rev=${rev}`, "x")), [409, "not_found"]);
    deepEqual(refusal(await put(`/db/current/g?rev=${next}`, "x", { "if-match": rev })), [400, "bad_request"]);
    deepEqual(refusal(await world.client.send("DELETE", "/db/current/f")), [409, "conflict"]);
    deepEqual(refusal(await world.client.send("DELETE", `/db/current/none?rev=${next}`)), [404, "not_found"]);
    equal((await get("/db/current/f")).text, "2");
  });

  test("gives a deleted document a new life", async () => {
    const { rev } = (await world.client.put("/db/gone", { old: true })).json();
    await world.client.expect(200, "DELETE", `/db/gone?rev=${rev}`);
    equal((await get("/db/gone/f")).json().reason, "deleted");
    equal((await put("/db/gone/f", "back")).json().rev.slice(0, 2), "3-");
    const { _attachments, old } = (await get("/db/gone")).json();
    deepEqual([old, _attachments.f.revpos], [undefined, 3]);
  });

  test("may have any name that does not begin with an underscore", async () => {
    const names = [
      "a%20b",
      "%C3%A9",
      "dir/file",
      "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
      "__proto__x",
      "constructor",
      "%22%0A",
    ];
    for (const name of names) {
      const path = `/db/name-${names.indexOf(name)}/${name}`;
      if (name.startsWith("_")) {
        deepEqual(refusal(await put(path, "x")), [400, "bad_request"]);
        continue;
      }
      const reply = await put(path, name);
      equal(reply.status, 201, name);
      equal((await get(path)).text, name);
      equal((await get(new URL(reply.headers.location as string).pathname)).text, name, "the Location leads to it");
    }
    equal((await get("/db/name-0/toString")).json().reason, "Document is missing attachment");
  });

  test("cannot belong to a local document", async () => {
    for (const path of ["/db/_local/x/f", "/db/_local%2Fx/f"]) {
      deepEqual(refusal(await put(path, "x")), [400, "bad_request"]);
      deepEqual(refusal(await get(path)), [400, "bad_request"]);
    }
  });
});

describe("compression", () => {
  test("text is stored compressed, and sent so to those who understand it", async () => {
    await put("/db/text/f", sentence, { "content-type": "text/plain" });
    const plain = await get("/db/text/f");
    deepEqual([plain.text, plain.headers["content-encoding"]], [sentence, undefined]);
    const packed = await get("/db/text/f", { "accept-encoding": "gzip" });
    deepEqual([gunzipSync(packed.bytes).toString(), packed.headers["content-encoding"]], [sentence, "gzip"]);
    equal(packed.headers["content-length"], String(packed.bytes.length));
    equal(packed.bytes.length < sentence.length / 10, true);
    deepEqual(refusal(await get("/db/text/f", { "accept-encoding": "identity;q=0" })), [406, "not_acceptable"]);
  });

  test("what comes compressed is stored as it comes, and its length is not believed", async () => {
    const packed = gzipSync(sentence);
    await put("/db/packed/f", packed, { "content-type": "text/plain", "content-encoding": "gzip" });
    const plain = await get("/db/packed/f");
    deepEqual([plain.text, plain.headers["content-length"]], [sentence, undefined]);
    const same = await get("/db/packed/f", { "accept-encoding": "gzip" });
    equal(same.bytes.equals(packed), true);
  });

  test("other encodings are refused", async () => {
    deepEqual(refusal(await put("/db/br/f", "x", { "content-encoding": "br" })), [415, "bad_content_type"]);
  });
});

describe("what a reader may ask", () => {
  before(async () => {
    await put("/db/read/f", "0123456789");
    await put("/db/large/f", Buffer.alloc(2_000_000, "0123456789"));
  });

  test("one range, of small attachments and of files", async () => {
    for (const path of ["/db/read/f", "/db/large/f"]) {
      const reply = await get(path, { range: "bytes=2-5" });
      deepEqual([reply.status, reply.text, reply.headers["content-length"]], [206, "2345", "4"]);
      match(reply.headers["content-range"] as string, /^bytes 2-5\/(10|2000000)$/);
    }
  });

  test("several ranges, in parts", async () => {
    const reply = await get("/db/large/f", { range: "bytes=10-12, -2" });
    const boundary = /^multipart\/byteranges; boundary="(\w+)"$/.exec(reply.headers["content-type"] as string)?.[1];
    const part = (text: string, range: string) =>
      `--${boundary}\r\nContent-Type: ${binary}\r\nContent-Range: bytes ${range}/2000000\r\n\r\n${text}\r\n`;
    equal(reply.text, `${part("012", "10-12")}${part("89", "1999998-1999999")}--${boundary}--`);
    equal(reply.status, 206);
  });

  test("a range only of the content that it has the beginning of", async () => {
    const etag = `"${md5("0123456789")}"`;
    const rest = { range: "bytes=5-" };
    deepEqual((await get("/db/read/f", { ...rest, "if-range": etag })).text, "56789");
    deepEqual((await get("/db/read/f", { ...rest, "if-range": '"other"' })).text, "0123456789");
  });

  test("whether it has changed", async () => {
    const etag = `"${md5("0123456789")}"`;
    const reply = await get("/db/read/f", { "if-none-match": `"x", ${etag}` });
    deepEqual([reply.status, reply.headers.etag, reply.bytes.length], [304, etag, 0]);
    equal((await get("/db/read/f", { "if-none-match": '"x"' })).status, 200);
  });

  test("the head of a part, without it", async () => {
    const reply = await world.client.send("HEAD", "/db/large/f", { headers: { range: "bytes=0-99" } });
    deepEqual([reply.status, reply.headers["content-length"], reply.bytes.length], [206, "100", 0]);
  });
});

describe("what a sender promises", () => {
  test("a Content-MD5 that is right is silent, one that is wrong refuses the bytes", async () => {
    for (const type of [binary, "text/plain"]) {
      const right = { "content-type": type, "content-md5": md5(sentence) };
      equal((await put(`/db/md5-right-${type.length}/f`, sentence, right)).status, 201);
      const wrong = { "content-type": type, "content-md5": md5("other") };
      deepEqual(refusal(await put("/db/md5-wrong/f", sentence, wrong)), [400, "content_md5_mismatch"]);
    }
    equal((await get("/db/md5-wrong")).status, 404);
  });
});

describe("who may write", () => {
  const member = { authorization: basic("ada", "secret words") };
  before(async () => {
    await world.client.expect(201, "PUT", "/_users/org.couchdb.user:ada", {
      body: { name: "ada", password: "secret words", type: "user", roles: [] },
    });
    await world.client.expect(201, "PUT", "/shared");
    await world.client.expect(200, "PUT", "/shared/_security", { body: { members: { names: ["ada"] } } });
  });

  test("a member writes attachments of documents, but none of design documents", async () => {
    equal((await world.client.put("/shared/note/f", "x", member)).status, 201);
    deepEqual(refusal(await world.client.put("/shared/_design/app/f", "x", member)), [403, "forbidden"]);
    equal((await put("/shared/_design/app/f", "x")).status, 201);
    equal((await world.client.get("/shared/_design/app/f", member)).text, "x");
    const { _rev } = (await get("/shared/_design/app")).json();
    const removal = await world.client.send("DELETE", `/shared/_design/app/f?rev=${_rev}`, member);
    deepEqual(refusal(removal), [403, "forbidden"]);
  });

  test("strangers see nothing", async () => {
    deepEqual(refusal(await world.client.get("/db/read/f", member)), [403, "forbidden"]);
    deepEqual(refusal(await world.client.get("/db/read/f", { authorization: null })), [401, "unauthorized"]);
  });
});

test("validate_doc_update judges attachments like any other write", async (t) => {
  const judged: string[] = [];
  const strict = await startHttpWorld(t, undefined, {
    validate: async ({ calls, userCtx }) => {
      judged.push(...calls.map(({ newDoc }) => `${userCtx.name} ${Object.keys(JSON.parse(newDoc)._attachments)}`));
      return calls.map(() => ({ error: "forbidden", reason: "no", status: 403 }));
    },
  });
  await strict.client.expect(201, "PUT", "/db");
  await strict.client.expect(201, "PUT", "/db/_design/v", { body: { validate_doc_update: "function () {}" } });
  deepEqual(refusal(await strict.client.put("/db/a/f", "x")), [403, "forbidden"]);
  deepEqual(judged, ["admin f"]);
  equal((await strict.client.get("/db/a")).status, 404);
});

test("an attachment larger than the limit is refused, declared or not, and the client can read why", async (t) => {
  const small = await startHttpWorld(t, undefined, { config: { limits: { maxAttachmentSize: 100_000 } } });
  await small.client.expect(201, "PUT", "/db");
  equal((await small.client.put("/db/just/f", Buffer.alloc(100_000))).status, 201);
  deepEqual(refusal(await small.client.put("/db/a/f", Buffer.alloc(100_001))), [413, "attachment_too_large"]);
  const undeclared = { headers: { "transfer-encoding": "chunked" } };
  deepEqual(refusal(await small.client.put("/db/a/f", Buffer.alloc(3_000_000), undeclared)), [
    413,
    "attachment_too_large",
  ]);
  equal((await small.client.get("/db/a")).status, 404);
});
