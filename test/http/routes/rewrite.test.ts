/** Rewrites. The ordinary cases are replayed from CouchDB (`49-rewrites.json`), rules by themselves in `http/rewrites`. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Couchapp, startCouchapp } from "../../helpers/couchapp-world.js";
import type { HttpRequest } from "../../helpers/http-client.js";

const shows = {
  welcome: "function (doc, req) { return 'Welcome ' + req.query.name; }",
  doc: "function (doc, req) { return 'Welcome ' + (doc ? doc.name : 'nobody'); }",
  req: "function (doc, req) { return { json: req }; }",
};
const updates = {
  hello:
    "function (doc, req) { if (!doc) return [{ _id: req.id, name: req.id }, 'New World']; doc.world = 'hello'; return [doc, 'hello doc']; }",
  body: "function (doc, req) { return [null, { json: [req.body, req.headers['Content-Type'] || null, req.method] }]; }",
};
const _attachments = {
  "foo.txt": { content_type: "application/octet-stream", data: "VGhpcyBpcyBhIGJhc2U2NCBlbmNvZGVkIHRleHQ=" },
};

const rules = {
  shows,
  updates,
  _attachments,
  rewrites: [
    { from: "foo", to: "foo.txt" },
    { from: "hello/:id", to: "_update/hello/:id", method: "PUT" },
    { from: "/welcome", to: "_show/welcome" },
    { from: "/welcome/:name", to: "_show/welcome", query: { name: ":name" } },
    { from: "/welcome3/:name", to: "_update/hello/:name", method: "PUT" },
    { from: "/welcome3/:name", to: "_show/doc/:name", method: "GET" },
    { from: "/welcome4/*", to: "_show/welcome", query: { name: "*" } },
    { from: "/db/*", to: "../../*" },
    { from: "/twice/*", to: "_rewrite/db/*" },
    { from: "/all", to: "../../_all_docs" },
    { from: "/security", to: "../../_security" },
    { from: "/long/*", to: `${"x".repeat(7000)}/*` },
  ],
};

/** A function that does what the query says. */
const byQuery = {
  shows,
  updates,
  _attachments,
  rewrites: "function (req) { return req.query.to === undefined ? undefined : JSON.parse(req.query.to); }",
};

const readsBody = {
  updates,
  rewrites:
    "function (req) { return { path: '_update/body', method: 'POST', headers: JSON.parse(req.body).headers, body: JSON.parse(req.body).send }; }",
};

describe("rewrites", () => {
  let world: Couchapp;
  before(async () => {
    world = await startCouchapp(rules);
    await world.admin.expect(201, "PUT", "/notes/_design/fn", { body: byQuery });
    await world.admin.expect(201, "PUT", "/notes/_design/body", { body: readsBody });
    await world.admin.expect(201, "PUT", "/notes/a", { body: { name: "Rusty" } });
    await world.admin.expect(201, "PUT", "/other");
    await world.admin.expect(201, "PUT", "/other/secret", { body: {} });
  });
  after(() => world.close());
  const ask = (rest: string, options: HttpRequest = {}, method = "GET", client = world.ada) =>
    client.send(method, `/notes/_design/app/_rewrite/${rest}`, options);
  /** By the function, to whatever it is told. */
  const to = (wanted: unknown, options: HttpRequest = {}, method = "GET", client = world.ada) =>
    client.send(method, `/notes/_design/fn/_rewrite?to=${encodeURIComponent(JSON.stringify(wanted))}`, options);

  test("rules lead to attachments, shows, updates and documents", async () => {
    const foo = await ask("foo");
    assert.deepEqual(
      [foo.text, foo.headers["content-type"]],
      ["This is a base64 encoded text", "application/octet-stream"],
    );
    assert.equal((await ask("welcome?name=user")).text, "Welcome user");
    assert.equal((await ask("welcome/user")).text, "Welcome user");
    assert.equal((await ask("welcome4/user")).text, "Welcome user");
    const made = await ask("welcome3/test", {}, "PUT");
    assert.deepEqual([made.status, made.text, made.headers["x-couch-id"]], [201, "New World", "test"]);
    assert.equal((await ask("welcome3/test")).text, "Welcome test");
    assert.equal((await ask("hello/a", {}, "PUT")).text, "hello doc");
    assert.equal((await ask("db/a")).json().world, "hello");
    assert.ok((await ask("db/_design/app?meta=true")).json()._revs_info);
    assert.equal((await ask("twice/a")).json().world, "hello");
  });

  test("what is written through a rule is what was sent", async () => {
    const put = await ask("db/sent", { body: { n: 1 } }, "PUT");
    assert.deepEqual([put.status, put.json().id], [201, "sent"]);
    assert.equal((await ask("db/sent", { body: { n: 2 } }, "PUT")).status, 409);
    const large = Buffer.alloc(20 * 1024 * 1024, "x");
    const headers = { "content-type": "application/octet-stream" };
    const attached = await ask(`db/sent/large?rev=${put.json().rev}`, { body: large, headers }, "PUT");
    assert.equal(attached.status, 201);
    assert.ok((await ask("db/sent/large")).bytes.equals(large));
  });

  test("HEAD is GET without the body", async () => {
    const head = await ask("foo", {}, "HEAD");
    assert.deepEqual([head.status, head.headers["content-length"], head.text], [200, "29", ""]);
    assert.equal((await to("foo.txt", {}, "HEAD")).headers["content-length"], "29");
    // The other way round a client would wait for a body that does not come.
    assert.equal((await to({ path: "foo.txt", method: "HEAD" })).text, "This is a base64 encoded text");
  });

  test("the caller's own database by its alias", async () => {
    const alias = await world.admin.get("/_me");
    const { db_name: name } = alias.json();
    await world.admin.expect(201, "PUT", `/${name}/_design/rules`, { body: rules });
    assert.equal((await world.admin.get("/_me/_design/rules/_rewrite/db/_design/rules")).json()._id, "_design/rules");
    assert.deepEqual((await world.admin.get("/_me/_design/rules/_rewrite/db/")).json().db_name, name);
  });

  test("nobody reaches anything that they could not reach themselves", async () => {
    assert.equal((await ask("welcome", {}, "GET", world.eve)).status, 403);
    assert.equal((await ask("welcome", {}, "GET", world.here.client)).status, 401);
    assert.equal((await ask("security", { body: {} }, "PUT")).status, 401);
    assert.equal((await ask("db/_design/more", { body: {} }, "PUT")).status, 403);
    assert.equal((await to("../../../other/secret")).status, 403);
    assert.equal((await to("../../../_all_dbs")).status, 401);
    assert.equal((await to("../../../_users/_all_docs")).status, 401);
    assert.equal((await to({ path: "../../../_node/_local/_config" })).status, 401);
  });

  test("a function cannot ask as somebody else", async () => {
    const headers = {
      authorization: world.here.adminAuthorization,
      Authorization: world.here.adminAuthorization,
      cookie: "a=b",
    };
    assert.equal((await to({ path: "../../../other/secret", headers })).status, 403);
    const proxy = { "X-Auth-CouchDB-UserName": "admin", "X-Auth-CouchDB-Roles": "_admin" };
    assert.equal((await to({ path: "../../../other/secret", headers: proxy })).status, 403);
    const { userCtx, headers: seen } = (
      await to({ path: "_show/req", headers: { ...headers, ...proxy, "X-Mine": "y" } })
    ).json();
    assert.deepEqual([userCtx.name, userCtx.roles, seen["X-Mine"]], ["ada", [], "y"]);
    assert.equal(seen.Authorization, undefined);
  });

  test("a link stays a link, also for an administrator", async () => {
    const doc = { path: "../../b", method: "PUT", body: "{}", headers: { "content-type": "application/json" } };
    const refused: readonly (readonly [string, unknown])[] = [
      ["GET", doc],
      ["OPTIONS", doc],
      ["HEAD", doc],
      ["GET", { path: "../..", method: "DELETE" }],
      ["GET", { path: "../../_security", method: "PUT", body: "{}" }],
      // By way of another rewrite, which by itself only reads.
      ["GET", { path: "_rewrite", method: "POST", query: { to: JSON.stringify(doc) } }],
      // Not even what may change things may change what its database's administrators could not.
      ["POST", { path: "../..", method: "DELETE" }],
      ["POST", { path: "../../_purge", body: "{}" }],
      ["POST", { path: "../../../other", method: "PUT" }],
      ["POST", { path: "../../../other/x", method: "PUT", body: "{}" }],
      ["POST", { path: "../../../_session" }],
      ["PUT", { path: "../../../_node/_local/_config/admins/eve", body: '"x"' }],
    ];
    for (const [method, wanted] of refused) {
      const reply = await to(wanted, {}, method, world.admin);
      assert.equal(reply.status, 500, `${method} ${JSON.stringify(wanted)}`);
      if (method !== "HEAD") assert.equal(reply.json().error, "insecure_rewrite_rule");
    }
    assert.equal((await world.admin.get("/notes/b")).status, 404);
    assert.equal((await to(doc, {}, "POST")).status, 201);
    // Reading by another method is reading.
    const keys = {
      path: "../../_all_docs",
      method: "POST",
      body: '{"keys":["a"]}',
      headers: { "Content-type": "application/json" },
    };
    assert.equal((await to(keys)).json().rows[0].id, "a");
  });

  test("CVE-2010-2234 a page of another site cannot use a visitor's log-in", async () => {
    const headers = { origin: "https://evil.example", "content-type": "text/plain" };
    const path = "db/c";
    assert.equal((await ask(path, { headers, body: "{}" }, "PUT")).status, 403);
    assert.equal((await world.admin.get("/notes/c")).status, 404);
  });

  test("functions: paths, queries, headers, bodies", async () => {
    assert.equal((await to("foo.txt")).text, "This is a base64 encoded text");
    assert.equal((await to({ path: "_show/welcome", query: { name: "user" } })).text, "Welcome user");
    assert.equal((await to("_show/welcome?name=own")).text, "Welcome own");
    assert.equal((await to("/_show/doc/a")).text, "Welcome Rusty");
    assert.equal((await to("../../_design/app/./_show/doc/a")).text, "Welcome Rusty");
    assert.equal((await to("_show/doc/ü x")).text, "Welcome nobody");
    assert.equal((await to("../../../_uuids")).json().uuids.length, 1);
    const { query, path, raw_path } = (await to("_show/req")).json();
    assert.deepEqual([query, path], [{ to: '"_show/req"' }, ["notes", "_design", "fn", "_show", "req"]]);
    assert.match(raw_path, /^\/notes\/_design\/fn\/_show\/req\?to=/);
  });

  test("functions: what was sent, and what is sent instead", async () => {
    const sent = { headers: { "Content-Type": "text/x-mine", "content-length": "1" }, send: "other" };
    const reply = await world.ada.post("/notes/_design/body/_rewrite", sent);
    assert.deepEqual(reply.json(), ["other", "text/x-mine", "POST"]);
    const kept = await world.ada.post("/notes/_design/body/_rewrite", { headers: {} });
    assert.deepEqual(kept.json(), ['{"headers":{}}', "application/json", "POST"]);
    const changes = { path: "../../_changes", query: { filter: "_doc_ids" } };
    const { results } = (await to(changes, { body: { doc_ids: ["a"] } }, "POST")).json();
    assert.deepEqual(
      results.map(({ id }: { id: string }) => id),
      ["a"],
    );
  });

  test("functions: an answer right away", async () => {
    const headers = { "x-foo": "bar", "Content-Type": "application/json", "Set-Cookie": "a=b" };
    for (const code of [200, 451, 500]) {
      const reply = await to({ code, headers, body: '{"a":1}' });
      assert.deepEqual([reply.status, reply.json(), reply.headers["x-foo"]], [code, { a: 1 }, "bar"]);
      assert.equal(reply.headers["content-security-policy"], "sandbox");
      assert.equal(reply.headers["set-cookie"], undefined);
    }
    assert.equal((await to({ code: 204 })).text, "");
  });

  test("functions: what makes no sense", async () => {
    const nonsense: readonly (readonly [unknown, string])[] = [
      [{}, "Rewrite result must produce a new path."],
      [{ path: 1 }, "bad path"],
      [{ path: "x", method: 1 }, "bad method"],
      [{ path: "x", method: "constructor" }, "bad method"],
      [{ path: "x", body: {} }, "bad body"],
      [{ path: "x", headers: { a: 1 } }, "bad headers"],
      [{ path: "x", query: { a: 1 } }, "bad query"],
      [{ path: "x", query: [] }, "bad query"],
      [{ code: 600 }, "bad code"],
      [{ code: "200" }, "bad code"],
      [[], "bad rewrite"],
      [1, "bad rewrite"],
    ];
    for (const [wanted, reason] of nonsense) {
      const reply = await to(wanted);
      assert.deepEqual([reply.status, reply.json()], [500, { error: "rewrite_error", reason }], JSON.stringify(wanted));
    }
    for (const nothing of [null, false, 0]) assert.equal((await to(nothing)).status, 404);
    assert.deepEqual((await world.ada.get("/notes/_design/fn/_rewrite")).json(), {
      error: "rewrite_error",
      reason: "Invalid path.",
    });
  });

  test("a hundred rewrites, and no more", async () => {
    const rewrites =
      "function (req) { var n = req.query.n - 1; return n > 0 ? { path: '_rewrite', query: { n: String(n) } } : '_show/welcome?name=end'; }";
    await world.admin.expect(201, "PUT", "/notes/_design/count", { body: { shows, rewrites } });
    assert.equal((await world.ada.get("/notes/_design/count/_rewrite?n=100")).status, 200);
    assert.equal((await world.ada.get("/notes/_design/count/_rewrite?n=101")).status, 400);
  });

  test("circles end", async () => {
    const loop = { path: "_rewrite/x" };
    const reply = await to(loop);
    assert.deepEqual(
      [reply.status, reply.json()],
      [400, { error: "bad_request", reason: "Exceeded rewrite recursion limit" }],
    );
    const wide = await ask(`long/${"y".repeat(1100)}`);
    assert.deepEqual([wide.status, wide.json().error], [400, "bad_request"]);
  });
});
