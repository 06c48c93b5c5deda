import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { runInNewContext } from "node:vm";
import { loadTemplates } from "../../../server/gateway/design-docs/source.js";
import { folderWith } from "../../helpers/template-folder.js";

interface Deployed {
  readonly views: Readonly<Record<string, { readonly map: string; readonly reduce?: string }>>;
  readonly filters: Readonly<Record<string, string>>;
  readonly updates: Readonly<Record<string, string>>;
  readonly validate_doc_update: string;
}

/** The single design document that the source of `t/d.ts` becomes. */
async function deploy(
  t: TestContext,
  source: string,
  others: Readonly<Record<string, string>> = {},
): Promise<Deployed> {
  const templates = await loadTemplates(await folderWith(t, { "t/d.ts": source, ...others }));
  return templates.get("t")?.designDocuments[0] as unknown as Deployed;
}

/** Rows that a deployed map function emits, run as it stands and with nothing around it. */
function rowsOf(map: string, doc: object): unknown[] {
  const rows: unknown[] = [];
  runInNewContext(`(${map})(doc)`, { doc, emit: (key: unknown, value: unknown) => rows.push([key, value]) });
  return JSON.parse(JSON.stringify(rows)) as unknown[];
}

function call(source: string, ...args: unknown[]): unknown {
  return JSON.parse(JSON.stringify(runInNewContext(`(${source})(...args)`, { args })) ?? "null");
}

test("functions that use nothing around them are deployed as they stand", async (t) => {
  const { views, filters, updates, validate_doc_update } = await deploy(
    t,
    `import type { Views } from "../design-doc.js";
    export const views: Views = {
      method: { map(doc) { emit(doc._id, 1); }, reduce: "_sum" },
      "with-dash": {
        // A comment is not deployed.
        map: (doc: { n?: number }) => { emit(doc.n ?? 0, null); },
        reduce(keys, values, rereduce) {
          return rereduce ? values : keys;
        },
      },
    };
    export const filters = { mine: function (doc: any, req: any) { return doc.owner === req.userCtx.name; } };
    export const updates = {
      async(doc) { return [doc, "x"]; },
    };
    export function validate_doc_update(newDoc: { type?: string }) {
      if (!newDoc.type) throw { forbidden: "no type" };
    }`,
  );
  assert.deepEqual(views, {
    method: { map: "function(doc) {\n  emit(doc._id, 1);\n}", reduce: "_sum" },
    "with-dash": {
      map: "(doc) => {\n  var _a;\n  emit((_a = doc.n) != null ? _a : 0, null);\n}",
      reduce: "function(keys, values, rereduce) {\n  return rereduce ? values : keys;\n}",
    },
  });
  assert.deepEqual(filters, { mine: "function(doc, req) {\n  return doc.owner === req.userCtx.name;\n}" });
  assert.deepEqual(updates, { async: 'function(doc) {\n  return [doc, "x"];\n}' });
  assert.equal(validate_doc_update, 'function(newDoc) {\n  if (!newDoc.type) throw { forbidden: "no type" };\n}');
});

test("what a function uses comes along, and what it does not use stays behind", async (t) => {
  const { views, validate_doc_update } = await deploy(
    t,
    `import { money } from "./lib/money.js";
    import { isAdmin, unused } from "../_shared/roles.js";
    const prefix = "p-";
    export const views = {
      a: { map(doc) { emit(prefix + money(doc.price), null); } },
      b: { map(doc) { emit(doc._id, null); } },
    };
    export const validate_doc_update = (newDoc, oldDoc, userCtx) => {
      if (!isAdmin(userCtx)) throw { unauthorized: "admins only" };
    };`,
    {
      "t/lib/money.ts":
        "const currency = 'EUR';\nexport function money(n: number): string { return n + ' ' + currency; }",
      "_shared/roles.ts": "export const isAdmin = (u: any) => u.roles.includes('_admin'); export const unused = 1;",
    },
  );
  assert.deepEqual(rowsOf(views["a"]?.map as string, { price: 5 }), [["p-5 EUR", null]]);
  assert.equal(views["b"]?.map, "function(doc) {\n  emit(doc._id, null);\n}");
  assert.doesNotMatch(views["a"]?.map as string, /isAdmin|unused|"?b"?:/);
  assert.equal(
    validate_doc_update,
    `function (newDoc, oldDoc, userCtx, secObj) {
  var isAdmin = (u) => u.roles.includes("_admin");
  var theFunction = (newDoc, oldDoc, userCtx) => {
    if (!isAdmin(userCtx)) throw { unauthorized: "admins only" };
  };
  return theFunction.apply(this, arguments);
}`,
  );
});

test("functions that are made by other functions keep what they were made with", async (t) => {
  const { views, filters } = await deploy(
    t,
    `function by(field: string) {
      return { map(doc) { emit(doc[field], null); }, reduce: "_count" };
    }
    const hasType = (type: string) => (doc) => doc.type === type;
    const all = { rest: { map(doc) { emit(doc._id, views.owner.reduce); } } };
    export const views = { type: by("type"), owner: by("owner"), ...all };
    export const filters = { notes: hasType("note"), tasks: hasType("task") };`,
  );
  const doc = { _id: "x", type: "note", owner: "ada" };
  assert.deepEqual(rowsOf(views["type"]?.map as string, doc), [["note", null]]);
  assert.deepEqual(rowsOf(views["owner"]?.map as string, doc), [["ada", null]]);
  assert.deepEqual(rowsOf(views["rest"]?.map as string, doc), [["x", "_count"]]);
  assert.deepEqual([call(filters["notes"] as string, doc), call(filters["tasks"] as string, doc)], [true, false]);
});

test("recursion, equal functions and template literals survive", async (t) => {
  const { views, updates } = await deploy(
    t,
    `const text = \`first
// second
  third\`;
    export function depth(tree) { return 1 + Math.max(0, ...(tree.kids ?? []).map(depth)); }
    export const views = {
      deep: { map: function walk(doc) { if (doc.kid) walk(doc.kid); emit(doc.n, null); } },
      text: { map(doc) { emit(text, null); } },
      one: { map(doc) { emit(1, null); } },
      same: { map(doc) { emit(1, null); } },
    };
    export const updates = { depth: (doc) => [null, String(depth(doc))] };`.replace(
      "export function depth",
      "function depth",
    ),
  );
  assert.deepEqual(rowsOf(views["deep"]?.map as string, { n: 1, kid: { n: 2 } }), [
    [2, null],
    [1, null],
  ]);
  assert.deepEqual(rowsOf(views["text"]?.map as string, {}), [["first\n// second\n  third", null]]);
  assert.deepEqual(rowsOf(views["same"]?.map as string, {}), [[1, null]]);
  assert.deepEqual(call(updates["depth"] as string, { kids: [{}, { kids: [{}] }] }), [null, "3"]);
});

test("templates are folders; options and autoupdate are data; nothing names a place on this machine", async (t) => {
  const folder = await folderWith(t, {
    "team/b.ts": "export const options = { local_seq: true };\nexport const autoupdate = false;",
    "team/a.ts": "export const filters = { all: () => true };",
    "team/a.samples.ts": "export const documents = [];",
    "team/b.samples.json": "{}",
    "team/lib/helper.ts": "export const x = 1;",
    "user/app.ts": "export const views = { all: { map(doc) { emit(null); } } };",
    "_lib/shared.ts": "export const x = 1;",
    "design-doc.ts": "export type Doc = object;",
    "tsconfig.json": "{}",
  });
  const templates = await loadTemplates(folder);
  assert.deepEqual([...templates.keys()], ["team", "user"]);
  assert.deepEqual(templates.get("team")?.designDocuments, [
    { _id: "_design/a", language: "javascript", filters: { all: "() => true" } },
    { _id: "_design/b", language: "javascript", options: { local_seq: true }, autoupdate: false },
  ]);
  assert.ok(!JSON.stringify([...templates.values()]).includes(folder));
});

test("the version changes with what is deployed, and with nothing else", async (t) => {
  const folder = await folderWith(t, { "user/app.ts": "export const filters = { a: (doc) => doc.a };" });
  const version = async () => (await loadTemplates(folder)).get("user")?.version;
  const first = await version();
  assert.match(String(first), /^[0-9a-f]{32}$/);
  await writeFile(
    join(folder, "user/app.ts"),
    "/* why */ export const filters = { a: (doc: { a?: boolean }) => doc.a };",
  );
  assert.equal(await version(), first);
  await writeFile(join(folder, "user/app.ts"), "export const filters = { a: (doc) => !doc.a };");
  assert.notEqual(await version(), first);
});

test("folders with wrong names, or that are not there, are named", async (t) => {
  const folder = await folderWith(t, { "My Team/a.ts": "" });
  await assert.rejects(loadTemplates(folder), /My Team: a template's name consists of/);
  await assert.rejects(loadTemplates(join(folder, "nowhere")), /nowhere: the folder cannot be read/);
  await assert.rejects(loadTemplates(await folderWith(t, { "t/-x.ts": "" })), /-x\.ts: the file's name is not fit/);
  await assert.rejects(
    loadTemplates(await folderWith(t, { "t/a.samples.ts": "" })),
    /a\.samples\.ts: there is no a\.ts that these could be samples for/,
  );
});

test("two folders may be loaded at once", async (t) => {
  const folders = [];
  for (const n of [1, 2, 3])
    folders.push(await folderWith(t, { [`t${n}/d.ts`]: `export const filters = { f: () => ${n} };` }));
  const loaded = await Promise.all(folders.map((folder) => loadTemplates(folder)));
  assert.deepEqual(
    loaded.map((templates) => [...templates.keys()]),
    [["t1"], ["t2"], ["t3"]],
  );
});

test("every kind of member that a design document may have", async (t) => {
  const deployed = (await deploy(
    t,
    `export const lib = { money: "exports.cents = function (n) { return n * 100; };", deep: { er: "exports.x = 1;" } };
    export const views = {
      raw: {
        map(doc) { emit(require("views/lib/money").cents(doc.price), null); },
        reduce: "_top_10",
        options: { collation: "raw" },
      },
    };
    export const shows = { page: (doc, req) => "<p>" + req.query.title };
    export const lists = {
      lines(head, req) { start({ code: 200 }); for (let row = getRow(); row; row = getRow()) send(row.id + "\\n"); },
    };
    export const rewrites = [{ from: "/a/*", to: "../../*", query: { limit: 1 } }];
    export const options = { partitioned: false, include_design: true };`,
  )) as unknown as Record<string, unknown>;
  assert.deepEqual(deployed["views"], {
    lib: { money: "exports.cents = function (n) { return n * 100; };", deep: { er: "exports.x = 1;" } },
    raw: {
      map: 'function(doc) {\n  emit(require("views/lib/money").cents(doc.price), null);\n}',
      reduce: "_top_10",
      options: { collation: "raw" },
    },
  });
  assert.deepEqual(deployed["shows"], { page: '(doc, req) => "<p>" + req.query.title' });
  assert.match(
    (deployed["lists"] as { lines: string }).lines,
    /^function\(head, req\) \{\n {2}start\(\{ code: 200 \}\);\n/,
  );
  assert.deepEqual(deployed["rewrites"], [{ from: "/a/*", to: "../../*", query: { limit: 1 } }]);
  assert.deepEqual(deployed["options"], { partitioned: false, include_design: true });
});

test("rewrites may be a function; a package may bring modules of its own", async (t) => {
  const deployed = (await deploy(
    t,
    `import { twice } from "tools";
    export const rewrites = (req) => ({ path: "../../" + twice(req.path[0]) });`,
    {
      "node_modules/tools/package.json": '{"name": "tools", "main": "main.js"}',
      "node_modules/tools/main.js": 'exports.twice = function (x) { return require("./plus.js")(x, x); };',
      "node_modules/tools/plus.js": "module.exports = function (a, b) { return a + b; };",
    },
  )) as unknown as { readonly rewrites: string };
  assert.deepEqual(call(deployed.rewrites, { path: ["a"] }), { path: "../../aa" });
});
