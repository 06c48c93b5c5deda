/** Update functions. The ordinary cases are replayed from CouchDB (`47-updates.json`); these are the ones beside. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Couchapp, startCouchapp } from "../../helpers/couchapp-world.js";
import type { HttpRequest } from "../../helpers/http-client.js";

const app = {
  validate_doc_update:
    "function (newDoc, oldDoc, userCtx) { if (newDoc.owner && newDoc.owner !== userCtx.name) throw { forbidden: 'not yours' }; }",
  updates: {
    put: "function (doc, req) { var made = JSON.parse(req.body); return [made, 'made']; }",
    bump: "function (doc, req) { doc.counter = (doc.counter || 0) + 1; return [doc, '<h1>bumped it!</h1>']; }",
    form: "function (doc, req) { for (var field in req.form) doc[field] = req.form[field]; return [doc, 'updated doc from form']; }",
    code: "function (doc, req) { return [doc, { code: 302, json: { ok: true }, headers: { 'X-Couch-Id': 'mine' } }]; }",
    page: "function (doc, req) { return [null, '<form>']; }",
    uuid: "function (doc, req) { return [null, req.uuid]; }",
    stale:
      "function (doc, req) { doc._rev = '1-967a00dff5e02add41819138abb3284d'; delete doc._revisions; return [doc, '']; }",
    noId: "function () { return [{}, 'oops']; }",
    ascii: "function () { return [{ _id: 'a b/ü' }, 'made']; }",
  },
};

describe("updates", () => {
  let world: Couchapp;
  before(async () => {
    world = await startCouchapp(app);
    for (const _id of ["a", "with/slash"])
      await world.admin.expect(201, "POST", "/notes", { body: { _id, counter: 1 } });
  });
  after(() => world.close());
  const update = (rest: string, options: HttpRequest = {}, client = world.ada, method = "PUT") =>
    client.send(method, `/notes/_design/app/_update/${rest}`, options);

  test("a document is written and named", async () => {
    const reply = await update("bump/a");
    assert.deepEqual([reply.status, reply.text], [201, "<h1>bumped it!</h1>"]);
    assert.equal(reply.headers["content-security-policy"], "sandbox");
    assert.equal(reply.headers["x-couch-id"], "a");
    const { _rev, counter } = (await world.ada.get("/notes/a")).json();
    assert.deepEqual([counter, reply.headers["x-couch-update-newrev"]], [2, _rev]);
    assert.equal((await update("bump/with/slash")).headers["x-couch-id"], "with%2Fslash");
    assert.equal((await update("ascii")).headers["x-couch-id"], "a%20b%2F%C3%BC");
  });

  test("nothing is written when there is nothing to write", async () => {
    const before = (await world.ada.get("/notes")).json().update_seq;
    const reply = await update("page", {}, world.ada, "POST");
    assert.deepEqual([reply.status, reply.text], [200, "<form>"]);
    assert.equal(reply.headers["x-couch-update-newrev"], undefined);
    assert.match((await update("uuid/")).text, /^[0-9a-f]{32}$/);
    assert.equal((await world.ada.get("/notes")).json().update_seq, before);
  });

  test("the function's status counts, the name of the document does not", async () => {
    const reply = await update("code/a");
    assert.deepEqual([reply.status, reply.json(), reply.headers["x-couch-id"]], [302, { ok: true }, "a"]);
  });

  test("a form", async () => {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const reply = await update("form/a", { headers, body: "formfoo=bar&formbar=two+words" });
    assert.deepEqual([reply.status, reply.text], [201, "updated doc from form"]);
    const { formfoo, formbar } = (await world.ada.get("/notes/a")).json();
    assert.deepEqual([formfoo, formbar], ["bar", "two words"]);
  });

  test("an edit of a revision that is none any more is a conflict", async () => {
    const reply = await update("stale/a");
    assert.deepEqual([reply.status, reply.json()], [409, { error: "conflict", reason: "Document update conflict." }]);
    const put = await update("put", { body: { _id: "a" } });
    assert.equal(put.status, 409);
  });

  test("what may not be written is not", async () => {
    const refused: readonly (readonly [unknown, number, string])[] = [
      [{ _id: "b", owner: "eve" }, 403, "forbidden"],
      [{ _id: "_design/evil", shows: {} }, 403, "forbidden"],
      [{ _id: "b", _unknown: 1 }, 400, "doc_validation"],
      [{ _id: "_x" }, 400, "illegal_docid"],
      [{ _id: "" }, 400, "illegal_docid"],
      [{ _id: 1 }, 400, "illegal_docid"],
      [{ _id: "b", _rev: "x" }, 400, "bad_request"],
      [{ _id: "b", _attachments: { x: { follows: true, length: 1, content_type: "a/b" } } }, 400, "bad_request"],
      [{ _id: "b", _attachments: { x: { stub: true } } }, 412, "missing_stub"],
    ];
    for (const [body, status, error] of refused) {
      const reply = await update("put", { body });
      assert.deepEqual([reply.status, reply.json().error], [status, error], JSON.stringify(body));
    }
    assert.deepEqual((await update("noId")).json().reason, "Document id must not be empty");
    assert.equal((await world.admin.get("/notes/b")).status, 404);
    assert.equal((await update("put", { body: { _id: "mine", owner: "ada" } })).status, 201);
  });

  test("administrators of the database may write design documents so", async () => {
    const reply = await update("put", { body: { _id: "_design/more", shows: { s: "() => 'more'" } } }, world.admin);
    assert.equal(reply.status, 201);
    assert.equal((await world.ada.get("/notes/_design/more/_show/s")).text, "more");
    const broken = { _id: "_design/broken", views: { v: { map: "function (" } } };
    assert.equal((await update("put", { body: broken }, world.admin)).json().error, "compilation_error");
  });

  test("local documents", async () => {
    assert.equal((await update("put", { body: { _id: "_local/x", n: 1 } })).headers["x-couch-update-newrev"], "0-1");
    assert.equal((await update("bump/_local/x")).headers["x-couch-update-newrev"], "0-2");
    assert.deepEqual((await world.ada.get("/notes/_local/x")).json(), {
      _id: "_local/x",
      _rev: "0-2",
      n: 1,
      counter: 1,
    });
  });

  test("members may, others may not", async () => {
    assert.equal((await update("bump/a", {}, world.eve)).status, 403);
    assert.equal((await update("bump/a", {}, world.here.client)).status, 401);
  });

  test("CVE-2010-2234 a page of another site cannot use a visitor's log-in", async () => {
    const count = async () => (await world.ada.get("/notes/a")).json().counter;
    const before = await count();
    const from = (origin: string) =>
      update("bump/a", { headers: { origin, "content-type": "text/plain" } }, world.ada, "POST");
    for (const origin of ["https://evil.example", "null", "http://127.0.0.1.evil.example"]) {
      assert.deepEqual([(await from(origin)).status, await count()], [403, before], origin);
    }
    assert.equal((await from(world.here.url)).status, 201);
    assert.equal(await count(), before + 1);
  });

  test("looking is not changing", async () => {
    for (const method of ["GET", "HEAD"]) assert.equal((await update("bump/a", {}, world.ada, method)).status, 405);
  });
});
