import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { EmittedRows, MapBatch, SandboxOptions } from "../../server/sandbox/sandbox.js";
import { sandboxFor } from "./ask.js";

type Extra = Partial<Omit<MapBatch, "documents" | "map">> & { readonly modules?: unknown; readonly shareKey?: string };

/** Maps documents given as values. */
function mapperFor(t: TestContext, options: SandboxOptions = {}) {
  const { sandbox, logs, deaths } = sandboxFor(t, options);
  const map = (
    sources: readonly string[],
    documents: readonly unknown[],
    { modules, shareKey, ...extra }: Extra = {},
  ) =>
    sandbox.map({
      database: "db",
      timeLimitMs: 10_000,
      ...extra,
      map: {
        designDoc: "_design/app",
        sources,
        ...(modules === undefined ? {} : { modules: JSON.stringify(modules) }),
        ...(shareKey === undefined ? {} : { shareKey }),
      },
      documents: documents.map((document) => JSON.stringify(document)),
    });
  const mapOne = async (source: string, document: unknown = { _id: "a" }, extra: Extra = {}): Promise<EmittedRows> =>
    (await map([source], [document], extra))[0]?.[0] as EmittedRows;
  return { sandbox, map, mapOne, logs, deaths };
}

test("each function emits rows for each document, as JSON texts", async (t) => {
  const { map } = mapperFor(t);
  const rows = await map(
    [
      "function (doc) { emit(doc.k, doc._id); }",
      "(doc) => { for (const tag of doc.tags || []) emit([tag, doc.k], null); }",
    ],
    [{ _id: "a", k: 1, tags: ["x", "y"] }, { _id: "b" }],
  );
  assert.deepEqual(rows, [
    [
      [["1", '"a"']],
      [
        ['["x",1]', "null"],
        ['["y",1]', "null"],
      ],
    ],
    [[["null", '"b"']], []],
  ]);
});

test("keys and values are what JavaScript prints", async (t) => {
  const { mapOne } = mapperFor(t);
  const rows = await mapOne(
    `function (doc) {
      emit(); emit(undefined, function () {}); emit(NaN, -Infinity); emit(-0, 1e21); emit(0.1 + 0.2, 1.0);
      emit(new Date(0), [undefined, NaN]); emit("\\n\\u2028\\ud800", { b: 1, a: undefined, 1: doc.n });
      emit(true, Object("text")); emit({ toJSON: function () { return 7; } }, false);
    }`,
    { _id: "a", n: 2 ** 80 },
  );
  assert.deepEqual(rows, [
    ["null", "null"],
    ["null", "null"],
    ["null", "null"],
    ["0", "1e+21"],
    ["0.30000000000000004", "1"],
    ['"1970-01-01T00:00:00.000Z"', "[null,null]"],
    ['"\\n\u2028\\ud800"', '{"1":1.2089258196146292e+24,"b":1}'],
    ["true", '"text"'],
    ["7", "false"],
  ]);
});

test("what a function emitted it may change until it is done", async (t) => {
  const { mapOne } = mapperFor(t);
  assert.deepEqual(await mapOne("function () { var list = []; emit(1, list); list.push(2); }"), [["1", "[2]"]]);
});

test("a document cannot be changed: nothing happens, in strict code it throws", async (t) => {
  const { map, logs } = mapperFor(t);
  const document = { _id: "a", k: 1, tags: ["y", "x"], deep: { n: [{ m: 1 }] } };
  const rows = await map(
    [
      "function (doc) { doc.k = 100; delete doc.tags; doc.deep.n[0].m = 2; doc.more = 1; emit(doc.k, doc); }",
      "function (doc) { 'use strict'; doc.k = 100; }",
      "function (doc) { emit(doc.tags.sort(), null); }",
      "function (doc) { emit(doc.k, doc.tags); }",
    ],
    [document],
  );
  assert.deepEqual(rows[0], [[["1", JSON.stringify(document)]], null, null, [["1", '["y","x"]']]]);
  assert.deepEqual(
    logs.map(({ message }) => message.replace(/TypeError: .* with/, "TypeError with")),
    ["function raised exception TypeError with doc._id a", "function raised exception TypeError with doc._id a"],
  );
});

test("a function that throws has no rows for that document, and the log says so", async (t) => {
  const { map, logs } = mapperFor(t);
  const rows = await map(
    [
      "function (doc) { emit(doc._id, 1); if (doc._id === 'b') throw 'oops'; }",
      "function (doc) { emit(doc.list.length, null); }",
      "function (doc) { emit(doc._id, doc._id === 'a' ? 1n : 2); }",
    ],
    [{ _id: "a", list: [1] }, { _id: "b", list: [] }, { _id: "c" }],
  );
  assert.deepEqual(rows, [
    [[['"a"', "1"]], [["1", "null"]], null],
    [null, [["0", "null"]], [['"b"', "2"]]],
    [[['"c"', "1"]], null, [['"c"', "2"]]],
  ]);
  const designDoc = "_design/app";
  assert.deepEqual(logs[1], { database: "db", designDoc, message: "function raised exception oops with doc._id b" });
  assert.match(logs[2]?.message as string, /^function raised exception TypeError: .* with doc\._id c$/);
  assert.equal(logs.length, 3);
});

test("views.lib is all that require finds", async (t) => {
  const { map, logs } = mapperFor(t);
  const modules = { views: { lib: { one: "exports.f = function (k) { return 'lib' + k; };" } } };
  const sources = ["views/lib/one", "lib/a"].map(
    (path) => `function (doc) { emit(require("${path}").f(doc.k), null); }`,
  );
  assert.deepEqual(await map(sources, [{ _id: "a", k: 1 }], { modules }), [[[['"lib1"', "null"]], null]]);
  assert.match(logs[0]?.message as string, /invalid_require_path/);
});

test("CouchDB's helpers are there", async (t) => {
  const { mapOne } = mapperFor(t);
  const names = "log sum isArray toJSON require send getRow start provides registerType emit".split(" ");
  const source = `function (doc) { emit([${names.map((name) => `typeof ${name}`)}], sum([1, 2, 3])); }`;
  assert.deepEqual(await mapOne(source), [[JSON.stringify(names.map(() => "function")), "6"]]);
});

test("a function that does not compile is an error of all", async (t) => {
  const { map } = mapperFor(t);
  const broken = { error: "compilation_error", reason: /^SyntaxError: .* \(function \(\)$/, status: 500 };
  await assert.rejects(map(["function (doc) {}", "function ("], [{ _id: "a" }]), broken);
});

test("a function that overruns loses that document only, and the others none", async (t) => {
  const { map, logs } = mapperFor(t);
  const documents = ["a", "b", "c"].map((_id) => ({ _id }));
  const sources = [
    "function (doc) { if (doc._id === 'b') for (;;); emit(doc._id, 1); }",
    "function (doc) { emit(doc._id, 2); }",
  ];
  assert.deepEqual(await map(sources, documents, { timeLimitMs: 200 }), [
    [[['"a"', "1"]], [['"a"', "2"]]],
    [null, [['"b"', "2"]]],
    [[['"c"', "1"]], [['"c"', "2"]]],
  ]);
  assert.deepEqual(
    logs.map(({ message }) => message),
    ["function was ended: A function of _design/app took longer than 200 ms. with doc._id b"],
  );
});

test("so does one that takes too much memory, or ends the thread", async (t) => {
  const { map, logs, deaths } = mapperFor(t, { memoryLimitBytes: 8 * 1024 * 1024 });
  const documents = ["a", "b", "c"].map((_id) => ({ _id }));
  const greedy =
    "function (doc) { var all = []; while (doc._id === 'b') all.push(new Uint8Array(1e5)); emit(doc._id, 1); }";
  const hanging = "function (doc) { if (doc._id === 'c') 'x'.repeat(2e6).search(/(x+x+)+y/); emit(doc._id, 2); }";
  const rows = await map([greedy, hanging], documents, { timeLimitMs: 300 });
  assert.deepEqual(
    rows.map((ofDocument) => ofDocument.map((emitted) => emitted !== null)),
    [
      [true, true],
      [false, true],
      [true, false],
    ],
  );
  assert.equal(logs.length, 2);
  assert.match(logs[0]?.message as string, /used more memory than it may\. with doc\._id b/);
  assert.ok(deaths.length <= 3);
});

test("many documents keep their order over several calls", async (t) => {
  const { map } = mapperFor(t);
  const documents = Array.from({ length: 1234 }, (_, index) => ({
    _id: `doc-${index}`,
    padding: "x".repeat(index % 7),
  }));
  const rows = await map(["function (doc) { emit(doc._id, doc.padding.length); }"], documents);
  assert.deepEqual(
    rows,
    documents.map(({ _id, padding }) => [[[`"${_id}"`, `${padding.length}`]]]),
  );
});

test("a document that cannot be read is skipped", async (t) => {
  const { sandbox, logs } = mapperFor(t);
  const deep = `{"_id":"deep","d":${"[".repeat(20_000)}${"]".repeat(20_000)}}`;
  const documents = ['{"_id":"a"}', deep, '{"_id":"b"}'];
  const map = { designDoc: "_design/app", sources: ["function (doc) { emit(doc._id, null); }"] };
  assert.deepEqual(await sandbox.map({ database: "db", map, documents }), [
    [[['"a"', "null"]]],
    [null],
    [[['"b"', "null"]]],
  ]);
  assert.equal(logs.length, 1);
});

test("no documents, or no functions", async (t) => {
  const { map } = mapperFor(t);
  assert.deepEqual(await map(["function () {}"], []), []);
  assert.deepEqual(await map([], [{ _id: "a" }]), [[]]);
});

test("databases that share a realm share nothing else", async (t) => {
  const { mapOne } = mapperFor(t);
  const source = "function (doc) { try { globalThis.last = doc._id; } catch (e) {} emit(typeof last, null); }";
  for (const database of ["one", "two"]) {
    assert.deepEqual(await mapOne(source, { _id: database }, { database, shareKey: "template" }), [
      ['"undefined"', "null"],
    ]);
  }
});

test("a patched prototype does not reach the rows' format", async (t) => {
  const { map } = mapperFor(t);
  const source = `function (doc) {
    JSON.stringify = function () { return "!\\n9\\n"; };
    Array.prototype.join = function () { return "!"; };
    Number.prototype.toString = function () { return "x"; };
    emit(doc._id, 1.5);
  }`;
  const documents = [{ _id: "a" }, { _id: "b" }];
  assert.deepEqual(await map([source], documents), [[[['"a"', "1.5"]]], [[['"b"', "1.5"]]]]);
});
