import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { readBody, readJsonObject, requireJson } from "../../server/http/body.js";
import { json } from "../../server/http/call.js";
import { readFields } from "../../server/http/form-body.js";
import type { PathRoutes } from "../../server/http/route.js";
import { startFrame } from "../helpers/frame-world.js";
import { within } from "../helpers/wait-for.js";

const limit = 100_000;
const routes: readonly PathRoutes[] = [
  {
    path: "/_bytes",
    allow: "POST",
    methods: {
      GET: { need: "public", handler: () => json({ ok: true }) },
      POST: { need: "public", handler: async (call) => json({ length: (await readBody(call, limit)).length }) },
      PUT: { need: "public", handler: () => json({ read: "nothing" }) },
    },
  },
  {
    path: "/_object",
    allow: "POST",
    methods: {
      POST: {
        need: "public",
        handler: async (call) => {
          requireJson(call);
          return json(await readJsonObject(call));
        },
      },
    },
  },
  {
    path: "/_fields",
    allow: "POST",
    methods: { POST: { need: "public", handler: async (call) => json(await readFields(call)) } },
  },
];

describe("a body", () => {
  interface Scenario {
    readonly name: string;
    readonly path: string;
    readonly type?: string;
    readonly body: string | Buffer;
    readonly encoding?: string;
    readonly status: number;
    readonly answer?: unknown;
    readonly error?: string;
  }
  const form = "application/x-www-form-urlencoded";
  const scenarios: readonly Scenario[] = [
    { name: "of no bytes", path: "/_bytes", body: "", status: 200, answer: { length: 0 } },
    { name: "up to the limit", path: "/_bytes", body: "x".repeat(limit), status: 200, answer: { length: limit } },
    { name: "above the limit", path: "/_bytes", body: "x".repeat(limit + 1), status: 413, error: "too_large" },
    {
      name: "that is compressed",
      path: "/_bytes",
      body: gzipSync("x".repeat(limit)),
      encoding: "gzip",
      status: 200,
      answer: { length: limit },
    },
    {
      name: "that is a bomb",
      path: "/_bytes",
      body: gzipSync(Buffer.alloc(limit * 100)),
      encoding: "gzip",
      status: 413,
      error: "too_large",
    },
    {
      name: "that only says that it is compressed",
      path: "/_bytes",
      body: "plain",
      encoding: "gzip",
      status: 400,
      error: "bad_request",
    },
    {
      name: "of a type that makes no sense",
      path: "/_bytes",
      type: "garbage",
      body: "x",
      status: 200,
      answer: { length: 1 },
    },
    { name: "that is an object", path: "/_object", body: '{"a":1}', status: 200, answer: { a: 1 } },
    {
      name: "that is an object with a character set",
      path: "/_object",
      type: "application/json; charset=utf-8",
      body: '{"a":1}',
      status: 200,
      answer: { a: 1 },
    },
    { name: "that is a list", path: "/_object", body: "[]", status: 400, error: "bad_request" },
    { name: "that is no JSON", path: "/_object", body: "{", status: 400, error: "bad_request" },
    {
      name: "that is no UTF-8",
      path: "/_object",
      body: Buffer.from([0x7b, 0xff, 0x7d]),
      status: 400,
      error: "bad_request",
    },
    { name: "that is empty where an object belongs", path: "/_object", body: "", status: 400, error: "bad_request" },
    {
      name: "that is JSON by another name",
      path: "/_object",
      type: "text/plain",
      body: "{}",
      status: 415,
      error: "bad_content_type",
    },
    {
      name: "that is a form",
      path: "/_fields",
      type: form,
      body: "name=ada&password=a+b%26&name=eve",
      status: 200,
      answer: { name: "ada", password: "a b&" },
    },
    { name: "that is a form in JSON", path: "/_fields", body: '{"name":"ada"}', status: 200, answer: { name: "ada" } },
    { name: "that is a form with __proto__", path: "/_fields", type: form, body: "__proto__=x", status: 200 },
    {
      name: "that is a form of no type",
      path: "/_fields",
      type: "text/plain",
      body: "name=ada",
      status: 415,
      error: "bad_content_type",
    },
    {
      name: "that is a form of a megabyte",
      path: "/_fields",
      type: form,
      body: `name=${"x".repeat(1_000_000)}`,
      status: 413,
      error: "too_large",
    },
  ];
  for (const { name, path, type = "application/json", body, encoding, status, answer, error } of scenarios) {
    test(name, async (t) => {
      const { client } = await startFrame(t, { routes });
      const headers = { "content-type": type, ...(encoding === undefined ? {} : { "content-encoding": encoding }) };
      const reply = await client.send("POST", path, { body, headers });
      assert.equal(reply.status, status, reply.text);
      if (answer !== undefined) assert.deepEqual(reply.json(), answer);
      if (error !== undefined) assert.equal(reply.json().error, error);
      assert.equal((await client.get("/_bytes")).status, 200, "the next request");
    });
  }

  test("above the limit in pieces of unknown number is refused as well", async (t) => {
    const { port } = await startFrame(t, { routes });
    const piece = "x".repeat(10_000);
    const pieces = `${piece.length.toString(16)}\r\n${piece}\r\n`.repeat(11);
    const head = "POST /_bytes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert.match(await exchange(port, `${head}${pieces}0\r\n\r\n`), /^HTTP\/1\.1 413 .*"error":"too_large"/s);
  });

  test("that is refused by its announced length is not waited for", async (t) => {
    const { port } = await startFrame(t, { routes });
    const head = `POST /_bytes HTTP/1.1\r\nHost: x\r\nContent-Length: ${limit * 1000}\r\n\r\n`;
    assert.match(await exchange(port, head), /^HTTP\/1\.1 413 .*"error":"too_large"/s);
  });

  test("that nobody read does not become the next request", async (t) => {
    const { port } = await startFrame(t, { routes });
    const inner = "GET /_bytes HTTP/1.1\r\nHost: x\r\n\r\n";
    const text = await exchange(
      port,
      `PUT /_bytes HTTP/1.1\r\nHost: x\r\nContent-Length: ${inner.length}\r\nConnection: close\r\n\r\n${inner}`,
    );
    assert.match(text, /"read":"nothing"/);
    assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, 1, text);
  });
});

/** Sends exactly these characters, and resolves to what comes back until the server has answered or closed. */
function exchange(port: number, text: string): Promise<string> {
  const answered = new Promise<string>((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let received = "";
    const done = (): void => {
      socket.destroy();
      resolve(received);
    };
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      if (/\r\n\r\n.*\}\n$/s.test(received)) done();
    });
    socket.on("close", done);
    socket.on("error", done);
  });
  return within("the answer", answered);
}
