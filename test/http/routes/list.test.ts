/** List functions. The ordinary cases are replayed from CouchDB (`48-lists.json`); these are the ones beside. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Couchapp, startCouchapp } from "../../helpers/couchapp-world.js";
import type { HttpRequest } from "../../helpers/http-client.js";
import { waitFor } from "../../helpers/wait-for.js";

const views = {
  basic: { map: "function (doc) { if ('integer' in doc) emit(doc.integer, doc.string); }" },
  withReduce: {
    map: "function (doc) { if ('integer' in doc) emit(doc.integer, doc.string); }",
    reduce: "function (keys, values, rereduce) { return rereduce ? sum(values) : values.length; }",
  },
  stats: { map: "function (doc) { emit(null, doc.string); }", reduce: "_stats" },
  linked: { map: "function (doc) { if (doc.integer === 0) emit(0, { _id: 'doc-5' }); }" },
};
const lists = {
  basicBasic: "function (head, req) { send('head'); var row; while (row = getRow()) send(row.key); return 'tail'; }",
  basicJSON:
    "function (head, req) { start({ headers: { 'Content-Type': 'application/json' } }); send('{\"head\":' + toJSON(head) + ', \"req\":' + toJSON(req) + ', \"rows\":['); var row, sep = ''; while (row = getRow()) { send(sep + toJSON(row)); sep = ', '; } return ']}'; }",
  simpleForm:
    "function (head, req) { var row, n = 0, prev, first = null; while (row = getRow()) { n++; if (first === null) first = row.key; prev = row.key; send('\\n<li>Key: ' + row.key + ' Value: ' + row.value + ' LineNo: ' + n + '</li>'); } return '</ul><p>FirstKey: ' + first + ' LastKey: ' + prev + '</p>'; }",
  acceptSwitch: "function () { provides('html', function () { send('HTML'); while (getRow()); return '</ul>'; }); }",
  stopIter:
    "function () { send('head'); var row, n = 0; while (row = getRow()) { if (n > 2) break; send(' ' + n); n++; } return ' tail'; }",
  tooManyGetRows:
    "function () { send('head'); var row; while (row = getRow()) send(row.key); getRow(); getRow(); row = getRow(); return 'after row: ' + toJSON(row); }",
  emptyList: "function () { return ' '; }",
  docReference: "function () { send('head'); var row = getRow(); send(row.doc.integer); return 'tail'; }",
  setHeaderAfterGotRow:
    "function () { getRow(); start({ code: 400, headers: { 'X-My-Header': 'MyHeader' } }); send('bad request'); }",
  badStart:
    "function () { start({ code: '400' }); for (var n = 0; n < 100000; n++) send('0123456789'); while (getRow()); }",
  headers: "function () { start({ headers: { 'Set-Cookie': 'a=b', 'ETag': '\"mine\"' } }); return 'x'; }",
  splits: "function () { start({ headers: { 'X-A': 'a\\r\\nSet-Cookie: b=c' } }); return 'x'; }",
  rowError: "function () { send('head'); getRow(); send(fooBarBam); return 'tail'; }",
  lateError: "function () { for (var n = 0; n < 20000; n++) send('0123456789'); getRow(); throw 'late'; }",
  endless: "function () { send('head'); getRow(); for (;;); }",
};

describe("lists", () => {
  let world: Couchapp;
  before(async () => {
    world = await startCouchapp({ views, lists });
    await world.admin.expect(201, "PUT", "/notes/_design/other", {
      body: {
        views: { negative: { map: "function (doc) { if ('integer' in doc) emit(-doc.integer, doc.string); }" } },
      },
    });
    const docs = Array.from({ length: 10 }, (_, n) => ({ _id: `doc-${n}`, integer: n, string: String(n) }));
    await world.admin.expect(201, "POST", "/notes/_bulk_docs", { body: { docs } });
  });
  after(() => world.close());
  const list = (rest: string, options: HttpRequest = {}, method = "GET", client = world.ada) =>
    client.send(method, `/notes/_design/app/_list/${rest}`, options);
  /** No thread is held by a list that nobody reads any more. */
  const idle = () =>
    waitFor("the sandbox", async () => {
      const { text } = await world.admin.get("/_node/_local/_prometheus");
      return /^settee_sandbox_threads\{.*state="busy".*\} 0$/m.test(text);
    });

  test("CouchDB's own cases", async () => {
    assert.equal((await list("basicBasic/basic")).text, "head0123456789tail");
    assert.equal((await list("basicBasic/basic", {}, "OPTIONS")).text, "head0123456789tail");
    assert.match((await list("simpleForm/basic?startkey=3&endkey=8")).text, /FirstKey: 3 LastKey: 8/);
    assert.match((await list("simpleForm/basic?startkey=30")).text, /FirstKey: null LastKey: undefined/);
    assert.match((await list("simpleForm/withReduce?startkey=30")).text, /LastKey: undefined/);
    assert.match((await list("simpleForm/withReduce?reduce=false")).text, /Key: 1 Value: 1/);
    assert.match((await list("simpleForm/withReduce?group=true")).text, /Key: 1 Value: 1/);
    assert.match((await list("simpleForm/withReduce")).text, /Key: null Value: 10 LineNo: 1/);
    assert.equal((await list("tooManyGetRows/basic")).text, "head0123456789after row: null");
    assert.equal((await list("emptyList/basic")).text, " ");
    assert.equal((await list("emptyList/withReduce?group=true")).text, " ");
    assert.match(
      (await list("simpleForm/basic", { body: { keys: [2, 4, 5, 7] } }, "POST")).text,
      /Key: 2.*FirstKey: 2 LastKey: 7/s,
    );
    assert.match((await list("simpleForm/basic?keys=[2,4,5,7]")).text, /FirstKey: 2 LastKey: 7/);
    assert.equal((await list("docReference/basic?include_docs=true")).text, "head0tail");
    assert.equal((await list("docReference/linked?include_docs=true")).text, "head5tail");
    assert.equal((await list("stopIter/basic")).text, "head 0 1 2 tail");
    assert.equal((await list("stopIter/withReduce?group=true")).text, "head 0 1 2 tail");
    const html = await list("acceptSwitch/basic", { headers: { accept: "text/html" } });
    assert.deepEqual([html.text, html.headers["content-type"]], ["HTML</ul>", "text/html; charset=utf-8"]);
    assert.match((await list("simpleForm/other/negative?startkey=-3")).text, /FirstKey: -3 LastKey: 0/);
    assert.match(
      (await list("simpleForm/other/negative", { body: { keys: [-2, -7] } }, "POST")).text,
      /FirstKey: -2 LastKey: -7/,
    );
    const late = await list("setHeaderAfterGotRow/basic");
    assert.deepEqual([late.status, late.text, late.headers["x-my-header"]], [400, "bad request", "MyHeader"]);
    const form = { headers: { "content-type": "application/x-www-form-urlencoded" } };
    assert.equal((await list("emptyList/basic", form)).status, 200);
  });

  test("the richness of the arguments", async () => {
    const { head, req, rows } = (await list("basicJSON/basic?update_seq=true&foo=blam")).json();
    assert.deepEqual([head.total_rows, head.offset, typeof head.update_seq], [10, 0, "string"]);
    assert.deepEqual(rows[0], { id: "doc-0", key: 0, value: "0" });
    assert.equal(rows.length, 10);
    assert.deepEqual(req.path, ["notes", "_design", "app", "_list", "basicJSON", "basic"]);
    assert.deepEqual([req.method, req.id, req.query.foo, req.info.db_name], ["GET", null, "blam", "notes"]);
    assert.equal(req.secObj.members.names[0], "ada");
    assert.deepEqual((await list("basicJSON/withReduce?update_seq=true")).json().head.total_rows, undefined);
    assert.deepEqual((await list("basicJSON/basic", { body: { keys: [] } }, "POST")).json().req.body, '{"keys":[]}');
  });

  test("_all_docs by a list is _all_docs", async () => {
    for (const query of [
      "",
      "?limit=3&skip=2",
      "?descending=true&include_docs=true",
      '?keys=["doc-1","doc-2"]',
      "?key=%22nope%22",
      "?startkey=%22doc-7%22&update_seq=true",
    ]) {
      const { head, rows } = (await list(`basicJSON/_all_docs${query}`)).json();
      assert.deepEqual({ ...head, rows }, (await world.ada.get(`/notes/_all_docs${query}`)).json(), query);
    }
    assert.equal((await list("basicJSON/nope/_all_docs")).status, 404);
  });

  test("a view by a list is the view", async () => {
    for (const query of [
      "basic",
      "basic?limit=3&skip=2",
      "basic?descending=true&include_docs=true",
      "basic?key=99",
      "withReduce?group=true",
      "withReduce?group_level=1&limit=2",
      "withReduce?startkey=99",
    ]) {
      const { head, rows } = (await list(`basicJSON/${query}`)).json();
      assert.deepEqual({ ...head, rows }, (await world.ada.get(`/notes/_design/app/_view/${query}`)).json(), query);
    }
  });

  test("what cannot be asked", async () => {
    const refused: readonly (readonly [string, string, unknown, number, string])[] = [
      ["GET", "nope/basic", undefined, 404, "not_found"],
      ["GET", "basicBasic/nope", undefined, 404, "not_found"],
      ["GET", "basicBasic/nope/basic", undefined, 404, "not_found"],
      ["GET", "basicBasic", undefined, 404, "list_error"],
      ["GET", "basicBasic/a/b/c", undefined, 404, "list_error"],
      ["PUT", "basicBasic/basic", {}, 405, "method_not_allowed"],
      ["DELETE", "basicBasic/basic", undefined, 405, "method_not_allowed"],
      ["GET", "basicBasic/basic?limit=x", undefined, 400, "query_parse_error"],
      ["GET", "basicBasic/basic?key=x", undefined, 400, "bad_request"],
      ["GET", "basicBasic/basic?group=true", undefined, 400, "query_parse_error"],
      ["POST", "simpleForm/withReduce?group=false", { keys: [2, 4] }, 400, "query_parse_error"],
      ["POST", "basicBasic/basic", [1], 400, "bad_request"],
      ["POST", "basicBasic/basic", { keys: 1 }, 400, "bad_request"],
      ["GET", "basicBasic/stats", undefined, 500, "invalid_value"],
      ["GET", "rowError/basic", undefined, 500, "render_error"],
      ["GET", "badStart/basic", undefined, 500, "external_response_error"],
      ["GET", "splits/basic", undefined, 500, "external_response_error"],
    ];
    for (const [method, rest, body, status, error] of refused) {
      const reply = await list(rest, { body }, method);
      assert.deepEqual([reply.status, reply.json().error], [status, error], `${method} ${rest}`);
    }
    const form = await list("basicBasic/basic", { body: "keys=1", headers: { "content-type": "text/plain" } }, "POST");
    assert.equal(form.status, 415);
    await idle();
  });

  test("members may, others may not", async () => {
    assert.equal((await list("basicBasic/basic", {}, "GET", world.eve)).status, 403);
    assert.equal((await list("basicBasic/basic", {}, "GET", world.here.client)).status, 401);
    assert.equal((await list("basicBasic", {}, "GET", world.eve)).status, 403);
  });

  test("headers", async () => {
    const reply = await list("headers/basic");
    assert.equal(reply.headers["content-security-policy"], "sandbox");
    assert.equal(reply.headers["set-cookie"], undefined);
    assert.equal(reply.headers.etag, '"mine"');
    const head = await list("basicBasic/basic", {}, "HEAD");
    assert.deepEqual([head.status, head.text, head.headers["content-type"]], [200, "", "application/json"]);
  });

  test("a list that fails late breaks off, one that never ends is ended", async () => {
    await assert.rejects(list("lateError/basic"), /aborted|socket hang up|ECONNRESET/);
    const endless = await list("endless/basic");
    assert.deepEqual([endless.status, endless.json().error], [500, "timeout"]);
    await idle();
  });

  test("by a rewrite", async () => {
    const rewrites = [
      {
        from: "/form/:start/:end",
        to: "../app/_list/simpleForm/basic",
        query: { startkey: ":start", endkey: ":end" },
        formats: { start: "int", end: "int" },
      },
    ];
    await world.admin.expect(201, "PUT", "/notes/_design/r", { body: { rewrites } });
    assert.match((await world.ada.get("/notes/_design/r/_rewrite/form/3/8")).text, /FirstKey: 3 LastKey: 8/);
  });
});
