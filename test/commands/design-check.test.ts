/** `settee design check`: what it finds, and what it prints. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { checkFolder } from "../../server/commands/design-check/check-folder.js";
import { isAllRight, printChecked } from "../../server/commands/design-check/print.js";
import { repositoryRoot } from "../helpers/repository-root.js";
import { folderWith } from "../helpers/template-folder.js";
import { within } from "../helpers/wait-for.js";

/** What is printed, a line each and without indentation, less the file's own and the sum; and whether all is right. */
async function check(t: TestContext, files: Readonly<Record<string, string>>) {
  const folder = await folderWith(t, files);
  const checked = await checkFolder(folder);
  const printed = printChecked(checked, folder).split("\n");
  const lines = printed.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("✓ "));
  return { lines, isRight: isAllRight(checked) };
}

const app = `
export const validate_doc_update = (newDoc, oldDoc, userCtx, secObj) => {
  if (newDoc.who) throw { forbidden: [userCtx.db, userCtx.name, userCtx.roles, secObj.members.names, oldDoc && oldDoc.n] };
  if (!newDoc.type) throw { forbidden: "no type" };
};
export const views = {
  tags: { map(doc) { for (const tag of doc.tags ?? []) emit(tag, doc.n); }, reduce: "_sum" },
  raw: { map(doc) { emit(doc.key, null); }, options: { collation: "raw" } },
};
export const filters = { mine: (doc, req) => doc.owner === req.userCtx.name || req.query.all === "yes" };
export const shows = { page: (doc, req) => ({ code: 201, headers: { "X-A": "1", "X-B": "2" }, body: (doc ? doc._id : "none") + (req.query.q ?? "") }) };
export const updates = { add: (doc, req) => [{ ...doc, n: (doc?.n ?? 0) + 1 }, req.method + req.body] };
export const lists = {
  lines(head, req) {
    provides("text", () => {
      start({ code: 202 });
      send(head.total_rows + ":");
      for (let row = getRow(); row; row = getRow()) send(row.key + "=" + (row.doc ? row.doc.n : row.value) + ";");
      return req.userCtx.name;
    });
  },
};
export const rewrites = (req) => (req.path[4] === "no" ? null : { path: "../../" + req.path[4], method: "GET" });
`;

const right = `
export const documents = [
  { _id: "a", tags: ["x", "y"], n: 1, owner: "ada", key: "a" },
  { _id: "b", tags: ["x"], n: 2, owner: "bob", key: "B" },
  { tags: ["z"], n: 4, key: null },
  { _id: "gone", _deleted: true, tags: ["x"] },
];
export const writes = [
  { doc: { type: "t" }, expect: "accepted" },
  { doc: {}, expect: "forbidden" },
  { doc: {}, expect: "forbidden: no type" },
  { doc: { who: 1 }, oldDoc: { n: 7 }, expect: 'forbidden: ["userdb-616461","ada",[],["ada"],7]' },
  { doc: { who: 1 }, user: null, security: { members: { names: ["x"] } }, roles: ["r"], expect: 'forbidden: ["shared",null,["r"],["x"],null]' },
];
export const views = {
  tags: {
    rows: [{ key: "x", value: 1, id: "a" }, { key: "x", value: 2 }, { key: "y", value: 1 }, { key: "z", value: 4, id: "sample-3" }],
    reduced: 8,
    groups: [{ key: "x", value: 3 }, { key: "y", value: 1 }, { key: "z", value: 4 }],
  },
  raw: { rows: [{ key: null, value: null }, { key: "B", value: null }, { key: "a", value: null }] },
};
export const filters = { mine: [{ expect: ["a"] }, { user: "bob", expect: ["b"] }, { query: { all: "yes" }, expect: ["a", "b", "sample-3", "gone"] }] };
export const shows = {
  page: [{ expect: "none" }, { doc: { _id: "d" }, query: { q: "!" }, expect: { code: 201, headers: { "X-A": "1" }, body: "d!" } }],
};
export const updates = {
  add: [{ doc: { _id: "d", _rev: "1-a", n: 1 }, body: "x", stores: { _id: "d", _rev: "1-a", n: 2 }, expect: "POSTx" }],
};
export const lists = {
  lines: [
    { view: "tags", headers: { Accept: "text/plain" }, query: { reduce: "false", include_docs: "true" }, expect: "4:x=1;x=2;y=1;z=4;ada" },
    { view: "tags", query: { format: "text" }, expect: { code: 202, body: "undefined:null=8;ada" } },
    { view: "tags", query: { format: "text", group: "true" }, user: "bob", expect: "undefined:x=3;y=1;z=4;bob" },
    { view: "raw", query: { format: "text" }, expect: { headers: { "Content-Type": "text/plain; charset=utf-8" } } },
    { view: "raw", query: { format: "json" }, expect: "not_acceptable: Content-Type application/json not supported, try one of: text/plain; charset=utf-8, txt" },
  ],
};
export const rewrites = [{ path: ["d"], expect: { path: "../../d" } }, { path: ["no"], expect: null }];
`;

test("samples of every kind, as they are expected", async (t) => {
  const { lines, isRight } = await check(t, { "t/app.ts": app, "t/app.samples.ts": right });
  assert.deepEqual(lines, [
    "t/app.ts  _design/app",
    ...["writes", "view tags", "view raw", "filter mine", "show page", "update add", "list lines", "rewrites"],
    "1 design document: 23 right, 0 wrong",
  ]);
  assert.ok(isRight);
});

test("what is not as expected is told with what came instead", async (t) => {
  const { lines, isRight } = await check(t, {
    "t/app.ts": app,
    "t/app.samples.json": JSON.stringify({
      documents: [{ _id: "a", tags: ["x"], n: 1, owner: "ada" }],
      writes: [
        { title: "no type", doc: {}, expect: "accepted" },
        { doc: { type: "t" }, expect: "forbidden" },
      ],
      views: { tags: { rows: [{ key: "y", value: 1 }], reduced: 2, groups: [] }, raw: { reduced: 1 } },
      filters: { mine: [{ title: "hers", expect: [] }] },
      shows: { page: [{ expect: { body: "none", headers: { "X-A": "2" } } }] },
      updates: { add: [{ stores: null, expect: "GET" }] },
      rewrites: [{ path: ["x"], expect: "y" }],
    }),
  });
  assert.equal(isRight, false);
  const answer = '{"code":201,"headers":{"X-A":"1","X-B":"2"},"body":"none"}';
  assert.deepEqual(lines.slice(1), [
    ...["writes", "✗ no type", "expected accepted", "got      forbidden: no type"],
    ...['✗ {"type":"t"}', "expected forbidden", "got      accepted"],
    ...[
      "view tags",
      "✗ rows",
      'expected [{"id":"a","key":"y","value":1}]',
      'got      [{"id":"a","key":"x","value":1}]',
    ],
    ...["✗ reduced", "expected 2", "got      1"],
    ...["✗ groups", "expected []", 'got      [{"key":"x","value":1}]'],
    ...["view raw", "✗ reduce", "expected a reduction", "got      no reduce function"],
    ...["filter mine", "✗ hers", "expected []", 'got      ["a"]'],
    ...["show page", "✗ asked for", 'expected {"body":"none","headers":{"X-A":"2"}}', `got      ${answer}`],
    ...["update add", "✗ asked for", "expected GET", 'got      {"body":"POSTundefined"}'],
    ...["✗ asked for: stores", "expected null", 'got      {"n":1}'],
    ...["rewrites", "✗ asked for", "expected y", 'got      {"path":"../../x","method":"GET"}'],
    "1 design document: 0 right, 11 wrong",
  ]);
});

test("where nothing is expected, what happens is shown, with what was logged", async (t) => {
  const { lines, isRight } = await check(t, {
    "t/d.ts": `export const views = { v: { map(doc) { log("seen " + doc._id); emit(doc.n, [doc._id]); } } };
      export const filters = { f: (doc) => doc.n > 1 };
      export const validate_doc_update = (doc) => { if (doc.bad) doc.bad.more.less(); };`,
    "t/d.samples.ts": `export const documents = [{ _id: "b", n: 2 }, { _id: "a", n: 1 }];
      export const filters = { f: [{}] };
      export const writes = [{ doc: {} }, { doc: { bad: true } }];`,
    "t/e.ts": "export const filters = { f: () => true };",
  });
  assert.deepEqual(lines, [
    "t/d.ts  _design/d",
    ...["writes", "· {}: accepted"],
    "· {\"bad\":true}: unknown_error: TypeError: cannot read property 'less' of undefined",
    ...["view v", "· rows", '{"id":"a","key":1,"value":["a"]}', '{"id":"b","key":2,"value":["b"]}'],
    ...["· log(): seen b", "· log(): seen a"],
    ...["filter f", '· asked for: ["b"]'],
    "t/e.ts  _design/e",
    "· no samples: t/e.samples.ts would be the place for them",
    "2 design documents: 0 right, 0 wrong",
  ]);
  assert.ok(isRight);
});

test("functions that fail, never end, or reduce differently in parts", async (t) => {
  const { lines, isRight } = await check(t, {
    "t/d.ts": `export const views = {
        throws: { map(doc) { emit(doc.list.length, null); } },
        endless: { map(doc) { if (doc.list) for (;;); } },
        average: { map(doc) { emit(null, doc.n); }, reduce: (keys, values) => sum(values) / values.length },
        fine: { map(doc) { emit(null, doc.n / 3); }, reduce: (keys, values) => sum(values) },
      };`,
    "t/d.samples.ts": `export const documents = [{ _id: "a", n: 1, list: [] }, { _id: "b", n: 2 }, { _id: "c", n: 9 }];
      export const views = { throws: { rows: [{ key: 0, value: null }] }, endless: { rows: [] }, average: { reduced: 4 }, fine: { reduced: 4 } };`,
  });
  assert.equal(isRight, false);
  const noRows = "the function failed, and a database would have no rows of this document";
  assert.deepEqual(lines.slice(1, -1), [
    "view throws",
    ...[`✗ map of b: ${noRows}`, `✗ map of c: ${noRows}`],
    "· log(): function raised exception TypeError: cannot read property 'length' of undefined with doc._id b",
    "· log(): function raised exception TypeError: cannot read property 'length' of undefined with doc._id c",
    "view endless",
    `✗ map of a: ${noRows}`,
    "· log(): function was ended: A function of _design/d took longer than 5000 ms. with doc._id a",
    ...["view average", "✗ rereduce", "all rows at once 4", "in two parts     3.25"],
    "A database keeps reductions of parts: the function must give the same for both.",
    "view fine",
  ]);
});

test("functions are tried in a realm that is frozen against them, as templates have it", async (t) => {
  const { lines } = await check(t, {
    "t/d.ts": `export const validate_doc_update = (doc) => {
      Array.prototype.last = function () { return this[this.length - 1]; };
      if ([1].last() !== 1) throw { forbidden: "x" };
    };`,
    "t/d.samples.ts": 'export const writes = [{ title: "patched", doc: {}, expect: "accepted" }];',
  });
  assert.deepEqual(lines.slice(1, 4), ["writes", "✗ patched", "expected accepted"]);
  assert.match(lines[4] as string, /^got {6}unknown_error: TypeError/);
});

test("what is not there where functions run is warned of, unless they look first", async (t) => {
  const { lines, isRight } = await check(t, {
    "t/d.ts": `import { ask } from "../_lib/ask.js";
export const filters = {
  asks: (doc) => ask(doc),
  guarded: (doc) => (typeof process === "undefined" ? true : process.pid > 1),
  shadowed: (doc) => { const console = { log }; console.log("x"); return true; },
};
export const views = { v: { map: (doc) => emit(1), map: (doc) => emit(2) } };`,
    "_lib/ask.ts": 'export function ask(doc) {\n  return fetch("http://x/" + Buffer.from(doc._id)).ok;\n}',
  });
  assert.deepEqual(lines, [
    "t/d.ts  _design/d",
    '! t/d.ts:7:52: Duplicate key "map" in object literal',
    "! _lib/ask.ts:2:10: `filters.asks` uses `fetch`, which is not there where it runs.",
    "! _lib/ask.ts:2:30: `filters.asks` uses `Buffer`, which is not there where it runs.",
    "· no samples: t/d.samples.ts would be the place for them",
    "1 design document: 0 right, 0 wrong, 3 warnings",
  ]);
  assert.ok(isRight);
});

test("problems of samples are told with file, line and column", async (t) => {
  const some = { "t/d.ts": "export const filters = { f: () => true };" };
  const told: readonly (readonly [file: string, source: string, ...told: readonly string[]])[] = [
    [
      "d.samples.ts",
      "export const writs = [];",
      "t/d.samples.ts:1:14: `writs`: there is no such member among samples.",
    ],
    [
      "d.samples.ts",
      "export const documents = [];\nexport const filters = { f: [{ query: { a: 1 } }, { expct: [] }] };",
      "t/d.samples.ts:2:26: `filters.f.0.query.a`: Invalid input: expected string, received number.",
      "t/d.samples.ts:2:26: `filters.f.1.expct`: there is no such member among samples.",
    ],
    [
      "d.samples.ts",
      "export const writes = [{ doc: {} }];\nexport const views = { v: {} };\nexport const shows = { s: [] };\nexport const lists = { l: [{ view: 'w' }] };\nexport const rewrites = [{}];",
      "t/d.samples.ts: there is no validate_doc_update in _design/d.",
      "t/d.samples.ts: there is no function `rewrites` in _design/d.",
      "t/d.samples.ts: there is no view `v` in _design/d.",
      "t/d.samples.ts: there is no `shows.s` in _design/d.",
      "t/d.samples.ts: there is no `lists.l` in _design/d.",
      "t/d.samples.ts: there is no view `w` in _design/d.",
    ],
    [
      "d.samples.json",
      '{"documents": [{"_id": "a"}, {"_id": "a"}]}',
      't/d.samples.json: two documents have the id "a".',
    ],
    ["d.samples.ts", "export const documents = nope();", "t/d.samples.ts:1:26: ReferenceError: nope is not defined"],
  ];
  for (const [file, source, ...lines] of told) {
    const found = await check(t, { ...some, [`t/${file}`]: source });
    assert.equal(found.isRight, false);
    assert.deepEqual(
      found.lines.slice(1, -1),
      lines.map((line) => `✗ ${line}`),
    );
  }
  const broken = await check(t, { ...some, "t/d.samples.json": "{" });
  assert.match(broken.lines[1] as string, /^✗ t\/d\.samples\.json: .*JSON/);
});

test("a design document is checked by the rules that hold when it is saved", async (t) => {
  const source = "export const options = {\n  partitioned: true,\n};";
  const { lines } = await check(t, { "user/d.ts": source, "team/d.ts": source });
  assert.deepEqual(lines.slice(0, -1), [
    "team/d.ts  _design/d",
    "· no samples: team/d.samples.ts would be the place for them",
    "user/d.ts  _design/d",
    "✗ user/d.ts:2:3: invalid_design_doc: partitioned option cannot be true in a non-partitioned database.",
  ]);
});

async function settee(
  args: readonly string[],
  cwd: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const main = join(repositoryRoot, "dist", "server", "main.js");
  const child = spawn(process.execPath, [main, ...args], { cwd });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code: await within(`settee ${args.join(" ")} to end`, ended, 60_000), output };
}

test("the command: exit codes, the folder by default, and links that fit", async (t) => {
  const shipped = await settee(["design", "check"], repositoryRoot);
  assert.equal(shipped.code, 0, shipped.output);
  assert.match(shipped.output, /(^|\n)design-docs\/user\/app\.ts {2}_design\/app\n/);
  assert.match(shipped.output, /\n2 design documents: 48 right, 0 wrong\n$/);

  const folder = await folderWith(t, { "t/d.ts": "export const views = 1;" });
  const wrong = await settee(["design", "check", "."], folder);
  assert.deepEqual([wrong.code, wrong.output.split("\n")[1]], [1, "  ✗ t/d.ts:1:14: `views` must be an object."]);
  const nowhere = await settee(["design", "check", "nowhere"], folder);
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.output, /nowhere: the folder cannot be read/);
  assert.equal((await settee(["design"], folder)).code, 2);
  assert.equal((await settee(["design", "check", "a", "b"], folder)).code, 2);
});
