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
  return {
    show: (source: string, asked: Asked = {}) => sandbox.show(question(source, asked)),
    update: (source: string, asked: Asked = {}) => sandbox.update(question(source, asked)),
    rewrite: (source: string, asked: Asked = {}) => sandbox.rewrite(question(source, asked)),
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

test("types and what was sent of one call are not seen by the next", async (t) => {
  const { show } = renderFor(t);
  const source =
    "function (doc, req) { if (req.first) { provides('html', function () { return '1'; }); send('2'); } return getRow() === null ? 'none' : 'row'; }";
  const first = await show(source, { req: { first: true, headers: {} } });
  assert.equal(first.body, "2none1");
  assert.deepEqual(await show(source, { req: {} }), { body: "none" });
});
