import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { FilterBatch } from "../../server/sandbox/sandbox.js";
import { sandboxFor } from "./ask.js";

function filterFor(t: TestContext) {
  const { sandbox } = sandboxFor(t);
  return (source: string, documents: readonly unknown[], req: unknown = {}, extra: Partial<FilterBatch> = {}) =>
    sandbox.filter({
      database: "db",
      filter: { designDoc: "_design/app", source },
      req: JSON.stringify(req),
      documents: documents.map((document) => JSON.stringify(document)),
      ...extra,
    });
}

const documents = [
  { _id: "a", k: 1, type: "x" },
  { _id: "b", k: 0, type: "y" },
  { _id: "c", type: "x" },
];

test("what is like true passes", async (t) => {
  const filter = filterFor(t);
  assert.deepEqual(await filter("function (doc) { return doc.k; }", documents), [true, false, false]);
  assert.deepEqual(await filter("(doc, req) => doc.type === req.query.type", documents, { query: { type: "x" } }), [
    true,
    false,
    true,
  ]);
  assert.deepEqual(await filter("function () {}", []), []);
});

test("many documents, in several calls, with one request", async (t) => {
  const filter = filterFor(t);
  const many = Array.from({ length: 1001 }, (_, n) => ({ n }));
  const passes = await filter("(doc, req) => doc.n % req.query.by === 0", many, { query: { by: "7" } });
  assert.deepEqual(
    passes,
    many.map(({ n }) => n % 7 === 0),
  );
});

test("a view's map function lets through what it emits for", async (t) => {
  const filter = filterFor(t);
  const source = "function (doc) { if (doc.type === 'x') { emit(doc._id, null); emit(1, 2); } return true; }";
  assert.deepEqual(await filter(source, documents, {}, { byView: true }), [true, false, true]);
  assert.deepEqual(await filter("function () { emit(); }", documents), [false, false, false]);
});

test("modules of the design document, and the document as `this`", async (t) => {
  const filter = filterFor(t);
  const source = "function (doc) { return doc.type === require('lib/l').t && this.lib !== undefined; }";
  const modules = JSON.stringify({ lib: { l: "exports.t = 'x';" } });
  const passes = await filter(source, documents, {}, { filter: { designDoc: "_design/app", source, modules } });
  assert.deepEqual(passes, [true, false, true]);
});

test("a filter that fails on one document fails", async (t) => {
  const filter = filterFor(t);
  const throws = filter("function (doc) { return doc.a.b; }", documents);
  await assert.rejects(throws, {
    error: "unknown_error",
    reason: /^TypeError: cannot read property 'b' of undefined/,
    status: 500,
  });
  await assert.rejects(filter("function (doc) { for (;;); }", documents, {}, { timeLimitMs: 50 }), {
    error: "timeout",
  });
  await assert.rejects(filter("function (doc, req){ return", documents), { error: "compilation_error", status: 500 });
});
