/** Show functions. The ordinary cases are replayed from CouchDB (`48-shows.json`); these are the ones beside. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Couchapp, startCouchapp } from "../../helpers/couchapp-world.js";
import type { HttpReply } from "../../helpers/http-client.js";

const app = {
  shows: {
    hello: "function (doc, req) { return doc ? 'Hello World' : req.id ? 'New World' : 'Empty World'; }",
    fail: "function (doc) { return doc._id; }",
    answer: "function (doc, req) { return JSON.parse(req.body); }",
    req: "function (doc, req) { return { json: req }; }",
    doc: "function (doc, req) { return { json: doc }; }",
    start:
      "function () { start({ 'X-Couch-Test-Header': 'Yeah' }); send('Hey '); return { headers: { 'X-Other': 'Yes' }, body: 'Dude' }; }",
    order:
      "function () { provides('text', function () { send('4, '); send('5, '); return '6'; }); send('1, '); send('2, '); return '3, '; }",
    design: "function () { return { json: [this._id, typeof this._rev, Object.keys(this.shows).length > 3] }; }",
    page: "function () { return '<form>'; }",
    endless: "function () { for (;;); }",
  },
};

describe("shows", () => {
  let world: Couchapp;
  before(async () => {
    world = await startCouchapp(app);
    for (const _id of ["a", "a/b/c", "gone"])
      await world.admin.expect(201, "POST", "/notes", { body: { _id, word: "plankton" } });
    const { _rev } = (await world.admin.get("/notes/gone")).json();
    await world.admin.expect(200, "DELETE", `/notes/gone?rev=${_rev}`);
    await world.admin.expect(201, "PUT", "/notes/_local/mine", { body: { word: "local" } });
  });
  after(() => world.close());
  const show = (rest: string, headers: Record<string, string> = {}) =>
    world.ada.get(`/notes/_design/app/_show/${rest}`, { headers });
  /** What a function answers that is told to answer just this. */
  const answered = (answer: unknown): Promise<HttpReply> => world.ada.post("/notes/_design/app/_show/answer", answer);

  test("documents, and none", async () => {
    assert.equal((await show("hello/a")).text, "Hello World");
    assert.equal((await show("hello/nope")).text, "New World");
    assert.equal((await show("hello")).text, "Empty World");
    assert.equal((await show("hello/")).text, "Empty World");
    assert.equal((await show("hello/gone")).text, "New World");
    assert.equal((await show("doc/a/b/c")).json()._id, "a/b/c");
    assert.equal((await show("doc/a%2Fb/c")).json()._id, "a/b/c");
    assert.deepEqual((await show("doc/_local/mine")).json().word, "local");
    assert.deepEqual((await show("fail/nope")).json(), { error: "not_found", reason: "document not found" });
  });

  test("a document comes with twenty revisions of its history and with its conflicts", async () => {
    const ids = Array.from({ length: 30 }, (_, n) => `${"0".repeat(30)}${String(n).padStart(2, "0")}`);
    const push = (hashes: readonly string[]) =>
      world.admin.expect(201, "POST", "/notes/_bulk_docs", {
        body: {
          new_edits: false,
          docs: [{ _id: "old", _rev: `30-${hashes[0]}`, _revisions: { start: 30, ids: hashes } }],
        },
      });
    await push(ids);
    await push(["f".repeat(32), ...ids.slice(1)]);
    const { _rev, _revisions, _conflicts } = (await show("doc/old")).json();
    assert.deepEqual([_rev, _revisions.start, _revisions.ids.length], [`30-${"f".repeat(32)}`, 30, 20]);
    assert.deepEqual(_conflicts, [`30-${ids[0]}`]);
  });

  test("start, send and provides in a show", async () => {
    const started = await show("start");
    assert.equal(started.text, "Hey Dude");
    assert.deepEqual([started.headers["x-couch-test-header"], started.headers["x-other"]], ["Yeah", "Yes"]);
    assert.equal((await show("order?format=text")).text, "1, 2, 3, 4, 5, 6");
    assert.deepEqual((await show("design")).json(), ["_design/app", "string", true]);
  });

  test("an entity tag is of the document, the design document, the caller and what is accepted", async () => {
    const tag = async (client = world.ada, headers: Record<string, string> = {}) => {
      const { headers: answer } = await client.get("/notes/_design/app/_show/hello/a", { headers });
      return answer.etag as string;
    };
    const mine = await tag();
    assert.equal(await tag(), mine);
    const again = await show("hello/a", { "if-none-match": mine });
    assert.deepEqual([again.status, again.headers.etag, again.text], [304, mine, ""]);
    assert.notEqual(await tag(world.admin), mine);
    assert.notEqual(await tag(world.ada, { accept: "text/html" }), mine);
    const { _rev } = (await world.admin.get("/notes/a")).json();
    await world.admin.expect(201, "PUT", "/notes/a", { body: { _rev, word: "krill" } });
    const later = await tag();
    assert.notEqual(later, mine);
    const design = (await world.admin.get("/notes/_design/app")).json();
    await world.admin.expect(201, "PUT", "/notes/_design/app", { body: { ...design, more: 1 } });
    assert.notEqual(await tag(), later);
    const own = await answered({ headers: { Etag: "mine", vary: "Cookie" }, body: "" });
    assert.match(own.headers.etag as string, /^"[\w-]{22}"$/);
    assert.equal(own.headers["vary"], "Accept");
  });

  test("members may, others may not", async () => {
    const path = "/notes/_design/app/_show/hello/a";
    assert.equal((await world.eve.get(path)).status, 403);
    assert.equal((await world.here.client.get(path)).status, 401);
    assert.equal((await world.eve.get("/notes/_design/app/_show")).status, 403);
  });

  test("CVE-2023-45725 a function sees nothing that proves who asks", async () => {
    const secrets = {
      cookie: "other=hunter2",
      "x-auth-couchdb-token": "hunter2",
      "proxy-authorization": "hunter2",
      "x-csrf-token": "hunter2",
      "x-api-key": "hunter2",
      "x-amzn-oidc-data": "hunter2",
      "cf-access-jwt-assertion": "hunter2",
      "x-forwarded-authorization": "hunter2",
    };
    const { text } = await show("req?a=1&key=%5B1%5D&descending=true", { ...secrets, "x-mine": "yes" });
    assert.doesNotMatch(text, /hunter2|Basic|correct horse/);
    const req = JSON.parse(text);
    assert.deepEqual(Object.keys(req.headers).sort(), ["Accept", "Connection", "Host", "X-Mine"]);
    assert.deepEqual(req.cookie, {});
    // As CouchDB has them: keys are values, the rest are texts.
    assert.deepEqual(req.query, { a: "1", key: [1], descending: true });
    assert.deepEqual(req.userCtx, { db: "notes", name: "ada", roles: [] });
    assert.deepEqual((await show("req?key=x")).json(), { error: "bad_request", reason: "invalid UTF-8 JSON" });
  });

  test("nothing that a function makes runs as the site", async () => {
    const page = await show("page");
    assert.equal(page.headers["content-security-policy"], "sandbox");
    assert.equal(page.headers["x-content-type-options"], "nosniff");
    const own = await answered({ headers: { "content-security-policy": "sandbox allow-scripts" }, body: "<script>" });
    assert.equal(own.headers["content-security-policy"], "sandbox, sandbox allow-scripts");
    const disguised = await answered({ headers: { "Content-Type": "text/html" }, json: "<script>" });
    assert.equal(disguised.headers["content-security-policy"], "sandbox");
    assert.equal((await answered({ json: 1 })).headers["content-security-policy"], undefined);
  });

  test("headers that are the server's own are left out", async () => {
    const reply = await answered({
      headers: {
        "Set-Cookie": "AuthSession=forged",
        "set-cookie": "a=b",
        "Access-Control-Allow-Origin": "*",
        "Transfer-Encoding": "chunked",
        "Content-Length": "3",
        "Clear-Site-Data": '"*"',
        "X-Content-Type-Options": "none",
        "X-Mine": "ü",
        "Cache-Control": "max-age=60",
        location: "/elsewhere",
      },
      code: 302,
      body: "long enough",
    });
    assert.deepEqual([reply.status, reply.text], [302, "long enough"]);
    assert.equal(reply.headers["set-cookie"], undefined);
    assert.equal(reply.headers["access-control-allow-origin"], undefined);
    assert.equal(reply.headers["transfer-encoding"], undefined);
    assert.equal(reply.headers["clear-site-data"], undefined);
    assert.equal(reply.headers["x-content-type-options"], "nosniff");
    assert.equal(Buffer.from(reply.headers["x-mine"] as string, "latin1").toString(), "ü");
    assert.equal(reply.headers["cache-control"], "max-age=60");
    assert.equal(reply.headers.location, "/elsewhere");
  });

  const impossible: readonly (readonly [string, unknown])[] = [
    ["a line end in a header", { headers: { "X-Mine": "a\r\nSet-Cookie: b=c" }, body: "" }],
    ["a bare line feed in a type", { headers: { "Content-Type": "text/html\n\n<p>" }, body: "" }],
    ["a line end in a header's name", { headers: { "X\r\nY": "a" }, body: "" }],
    ["a header that is an object", { headers: { "X-Mine": { a: 1 } }, body: "" }],
    ["headers that are a list", { headers: ["a"], body: "" }],
    ["a status that is a text", { code: "404", body: "" }],
    ["a status that is none", { code: 99, body: "" }],
    ["an informational status", { code: 101, body: "" }],
    ["a fraction of a status", { code: 200.5, body: "" }],
    ["a body that is no text", { body: 5 }],
    ["a member that nobody knows", { text: "a" }],
    ["stop that is not true", { stop: false }],
  ];
  for (const [what, answer] of impossible) {
    test(`${what} is an error and nothing else`, async () => {
      const reply = await answered(answer);
      assert.deepEqual([reply.status, reply.json().error], [500, "external_response_error"]);
      assert.deepEqual([reply.headers["set-cookie"], reply.headers["x-mine"]], [undefined, undefined]);
      assert.equal((await show("hello")).text, "Empty World");
    });
  }

  test("a function that never ends ends", async () => {
    const reply = await show("endless");
    assert.deepEqual([reply.status, reply.json().error], [500, "timeout"]);
  });

  test("a body is a text, or none, or too long", async () => {
    const bodyOf = async (method: string, body?: string) =>
      (await world.ada.send(method, "/notes/_design/app/_show/req", { body })).json().body;
    assert.equal(await bodyOf("GET"), "undefined");
    assert.equal(await bodyOf("POST", ""), "");
    assert.equal(await bodyOf("POST", "ü{"), "ü{");
    const long = await world.ada.send("POST", "/notes/_design/app/_show/req", { body: "x".repeat(17 * 1024 * 1024) });
    assert.equal(long.json().error, "too_large");
  });

  test("another language than JavaScript", async () => {
    await world.admin.expect(201, "PUT", "/notes/_design/erl", {
      body: { language: "erlang", shows: { s: "fun() -> 1 end." } },
    });
    const reply = await world.ada.get("/notes/_design/erl/_show/s");
    assert.deepEqual([reply.status, reply.json()], [500, { error: "unknown_query_language", reason: "erlang" }]);
  });
});
