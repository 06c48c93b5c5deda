import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { sandboxFor } from "./ask.js";

interface Asked {
  readonly doc?: unknown;
  readonly req?: unknown;
  readonly modules?: unknown;
  readonly timeLimitMs?: number;
}

function renderFor(t: TestContext) {
  const { sandbox, logs } = sandboxFor(t);
  const question = (source: string, { doc, req = {}, modules, ...rest }: Asked) => ({
    database: "db",
    function: {
      designDoc: "_design/app",
      source,
      ...(modules === undefined ? {} : { modules: JSON.stringify(modules) }),
    },
    doc: doc === undefined ? null : JSON.stringify(doc),
    req: JSON.stringify(req),
    ...rest,
  });
  const rows = (count: number) =>
    Array.from({ length: count }, (_, n) => JSON.stringify({ id: `doc-${n}`, key: n, value: null }));
  let pulled = 0;
  const list = (source: string, count: number, asked: Asked & { readonly head?: unknown } = {}) => {
    pulled = 0;
    async function* pull() {
      for (const row of rows(count)) {
        pulled++;
        yield row;
      }
    }
    const { doc: _, ...rest } = question(source, asked);
    return sandbox.list({
      ...rest,
      head: JSON.stringify(asked.head ?? { total_rows: count, offset: 0 }),
      rows: pull(),
    });
  };
  return {
    show: (source: string, asked: Asked = {}) => sandbox.show(question(source, asked)),
    update: (source: string, asked: Asked = {}) => sandbox.update(question(source, asked)),
    rewrite: (source: string, asked: Asked = {}) => sandbox.rewrite(question(source, asked)),
    list,
    pulled: () => pulled,
    logs,
  };
}

test("a show gives a text, a response, or nothing", async (t) => {
  const { show } = renderFor(t);
  const greet = "function (doc, req) { return doc ? 'doc ' + doc._id : 'no doc ' + req.id; }";
  assert.deepEqual(await show(greet, { doc: { _id: "a" } }), { body: "doc a" });
  assert.deepEqual(await show(greet, { req: { id: null } }), { body: "no doc null" });
  const response = { code: 201, headers: { "Content-Type": "text/x-mine" }, body: "<p>" };
  assert.deepEqual(await show(`function () { return ${JSON.stringify(response)}; }`), response);
  assert.deepEqual(await show("function () { return { json: { a: [1] } }; }"), { json: { a: [1] } });
  assert.deepEqual(await show("function () {}"), {});
  assert.deepEqual(await show("function () { send('a'); send(1); return 'b'; }"), { headers: {}, body: "a1b" });
  assert.deepEqual(
    await show("function () { return require('lib/x').y; }", { modules: { lib: { x: "exports.y = 'z';" } } }),
    { body: "z" },
  );
});

test("what a function throws, in CouchDB's words", async (t) => {
  const { show, update } = renderFor(t);
  const failures: readonly (readonly [string, Record<string, unknown>])[] = [
    ["throw 'no';", { error: "render_error", reason: "function raised error: no", status: 500 }],
    ["throw { forbidden: 'no' };", { error: "render_error", reason: 'function raised error: {"forbidden":"no"}' }],
    ["doc.x;", { error: "render_error", reason: /^function raised error: TypeError/ }],
    ["throw ['error', 'not_found', 'my reason'];", { error: "not_found", reason: "my reason", status: 404 }],
    ["throw ['error', 'my_error', 'my reason'];", { detail: { error: "my_error" }, reason: "my reason", status: 500 }],
    ["throw { error: 'conflict', reason: 'old form' };", { error: "conflict", reason: "old form", status: 409 }],
    ["return 1;", { error: "render_error", reason: "undefined response from show function" }],
    ["throw null;", { error: "render_error", reason: "function raised error: null" }],
    ["throw { get error() { throw 1; } };", { error: "render_error", reason: /cannot be read/ }],
    ["for (;;);", { error: "timeout" }],
  ];
  for (const [body, failure] of failures) {
    await assert.rejects(show(`function (doc) { ${body} }`, { timeLimitMs: 500 }), failure, body);
  }
  await assert.rejects(show("function (doc, req){"), { error: "compilation_error", status: 500 });
  const onPath = { path: ["db", "_design", "app", "_show", "f", "nope"] };
  await assert.rejects(show("function (doc) { return doc.x; }", { req: onPath }), {
    error: "not_found",
    reason: "document not found",
  });
  await assert.rejects(update("function () {}"), { error: "render_error" });
});

const three = `function () {
  provides("json", function () { return { json: { is: "json" }, body: "{}" }; });
  provides("html", function () { return "<p>"; });
  provides("xml", function () { return "<xml/>"; });
}`;

test("provides chooses by Accept and by format", async (t) => {
  const { show } = renderFor(t);
  const chosen = async (req: unknown) => {
    const { headers, body } = await show(three, { req });
    return [(headers as Record<string, unknown>)["Content-Type"], body];
  };
  const accepting = (Accept: string) => chosen({ headers: { Accept } });
  assert.deepEqual(await accepting("application/json"), ["application/json", "{}"]);
  assert.deepEqual(await accepting("text/html"), ["text/html; charset=utf-8", "<p>"]);
  assert.deepEqual(await accepting("application/xml;q=0.9,text/html;q=0.5"), ["application/xml", "<xml/>"]);
  assert.deepEqual(await accepting("*/*"), ["text/x-json", "{}"]);
  assert.deepEqual(await chosen({ headers: {} }), ["application/json", "{}"]);
  assert.deepEqual(await chosen({ headers: { Accept: "text/html" }, query: { format: "xml" } }), [
    "application/xml",
    "<xml/>",
  ]);
  await assert.rejects(accepting("image/png"), {
    error: "not_acceptable",
    reason:
      "Content-Type image/png not supported, try one of: application/xml, text/xml, application/x-xml, text/html; charset=utf-8, application/json, text/x-json",
    status: 406,
  });
  await assert.rejects(chosen({ query: { format: "nope" } }), { error: "render_error" });
  const own =
    "function () { registerType('foo', 'application/x-foo', 'text/foo'); provides('foo', function () { return 'foo'; }); }";
  const { headers } = await show(own, { req: { headers: { Accept: "text/foo" } } });
  assert.deepEqual(headers, { "Content-Type": "text/foo" });
});

test("an update gives a document to write and a response", async (t) => {
  const { update } = renderFor(t);
  const count = "function (doc, req) { doc.n = (doc.n || 0) + 1; return [doc, 'n is ' + doc.n]; }";
  assert.deepEqual(await update(count, { doc: { _id: "a", n: 1 } }), {
    doc: '{"_id":"a","n":2}',
    response: { body: "n is 2" },
  });
  assert.deepEqual(await update("function () { return [null, { code: 202 }]; }"), {
    doc: null,
    response: { code: 202 },
  });
  assert.deepEqual(await update("function () { return ['x', 'y']; }"), { doc: null, response: { body: "y" } });
  await assert.rejects(update("function () { return [null, null]; }"), {
    reason: "undefined response from update function",
  });
});

test("a rewrite gives what to ask for instead", async (t) => {
  const { rewrite } = renderFor(t);
  assert.deepEqual(await rewrite("(req) => ({ path: '_show/' + req.method })", { req: { method: "GET" } }), {
    path: "_show/GET",
  });
  assert.deepEqual(await rewrite("() => '../x'", { req: { method: "PUT" } }), { path: "../x", method: "PUT" });
  assert.equal(await rewrite("function () {}"), null);
});

test("a list pulls rows with getRow()", async (t) => {
  const { list } = renderFor(t);
  const all =
    "function (head, req) { var r; send('['); while (r = getRow()) send(r.key + ':' + r.id + ';'); return ']'; }";
  assert.deepEqual(await list(all, 3), { start: { headers: {} }, body: "[0:doc-0;1:doc-1;2:doc-2;]" });
  assert.deepEqual(await list(all, 0), { start: { headers: {} }, body: "[]" });
  const head = "function (head, req) { return JSON.stringify([head, req.query]); }";
  assert.equal((await list(head, 1, { req: { query: { a: "1" } } })).body, '[{"total_rows":1,"offset":0},{"a":"1"}]');
  assert.equal((await list("function () { getRow(); getRow(); return JSON.stringify(getRow()); }", 2)).body, "null");
  assert.equal((await list("function () {}", 2)).body, "");
});

test("start counts until the first row is read", async (t) => {
  const { list } = renderFor(t);
  const source =
    "function () { start({ code: 203, headers: { A: 'b' } }); send('1'); getRow(); start({ code: 500 }); send('2'); }";
  assert.deepEqual(await list(source, 1), { start: { code: 203, headers: { A: "b" } }, body: "12" });
  const provided = "function () { provides('html', function () { getRow(); return '<p>'; }); }";
  assert.deepEqual(await list(provided, 1), {
    start: { headers: { "Content-Type": "text/html; charset=utf-8" } },
    body: "<p>",
  });
});

test("a list reads more rows than fit into one call, and pulls no more than it reads", async (t) => {
  const { list, pulled, logs } = renderFor(t);
  const count = 20_000;
  const source = "function () { var n = 0; while (getRow()) n++; log('seen'); return String(n); }";
  assert.equal((await list(source, count)).body, String(count));
  assert.deepEqual(
    logs.map(({ message }) => message),
    ["seen"],
    "only the last run is heard",
  );
  assert.equal((await list("function () { return getRow().id; }", count)).body, "doc-0");
  assert.ok(pulled() < 2_000, `${pulled()} rows pulled`);
  const strict = "function () { for (var n = 0; n < 15000; n++) if (!getRow()) throw 'too few'; return 'enough'; }";
  assert.equal((await list(strict, count)).body, "enough");
});

test("a list that throws", async (t) => {
  const { list } = renderFor(t);
  await assert.rejects(list("function () { send('start'); getRow(); throw 'late'; }", 1), {
    reason: "function raised error: late",
  });
});

test("types and rows of one call are not seen by the next", async (t) => {
  const { show, list } = renderFor(t);
  assert.equal((await list("function () { send('x'); getRow(); }", 3)).body, "x");
  const source =
    "function (doc, req) { if (req.first) { provides('html', function () { return '1'; }); send('2'); } return getRow() === null ? 'none' : 'row'; }";
  const first = await show(source, { req: { first: true, headers: {} } });
  assert.equal(first.body, "2none1");
  assert.deepEqual(await show(source, { req: {} }), { body: "none" });
});
