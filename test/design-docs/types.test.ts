/** The types that authors write against, as the compiler sees them from a package that has Settee installed. */
import assert from "node:assert/strict";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { compileTypes } from "../helpers/compile-types.js";
import { repositoryRoot } from "../helpers/repository-root.js";
import { folderWith } from "../helpers/template-folder.js";

test("the shipped sources have the types of their world, which has no DOM and no Node in it", async () => {
  assert.equal(await compileTypes(join(repositoryRoot, "design-docs")), "");
});

/** Every line that must not compile is marked; a mark where all is well is an error too. */
const source = `
import type {
  Doc, Filters, Library, Lists, Options, Rewrites, Shows, Updates, ValidateDocUpdate, Views,
} from "settee/design-doc";

interface Note extends Doc { readonly type: "note"; readonly tags: readonly string[]; readonly stars?: number }

export const views: Views<Note> = {
  tags: {
    map(doc) {
      for (const tag of doc.tags) emit([tag, doc.stars ?? 0], { _id: doc._id });
      // @ts-expect-error there is no such member of a note
      emit(doc.tags.nope, null);
      // @ts-expect-error a row has a key and a value
      emit(doc._id);
    },
    reduce: "_top_10",
    options: { collation: "raw" },
  },
  sums: { map: (doc) => emit(doc.type, doc.stars), reduce: (keys, values, rereduce) => (rereduce ? sum(values) : keys?.length) },
  // @ts-expect-error no such reduce
  wrong: { map(doc) { log(toJSON(doc)); }, reduce: "_nope" },
  // @ts-expect-error a view has a map
  none: { reduce: "_count" },
};
// @ts-expect-error a misspelt member
export const misspelt: Views = { v: { map() {}, redcue: "_sum" } };

export const validate_doc_update: ValidateDocUpdate<Note> = (newDoc, oldDoc, userCtx, secObj) => {
  if (userCtx.name === null) throw { unauthorized: "who?" };
  if (oldDoc !== null && oldDoc.stars !== newDoc.stars) throw { forbidden: secObj.members?.names?.join() };
  // @ts-expect-error roles are texts
  const role: number = userCtx.roles[0];
};
export const loose: ValidateDocUpdate = (newDoc) => {
  // @ts-expect-error of a document whose type is not told, members may be anything
  newDoc.text.length;
};
export const filters: Filters<Note> = {
  mine: (doc, req) => doc.owner === req.userCtx.name && req.query.tag !== undefined,
  // @ts-expect-error a filter says yes or no
  wrong: (doc) => "yes",
};
export const updates: Updates = {
  star: (doc, req) => [doc && { ...doc, stars: Number(req.body) }, { code: 201, json: { ok: true } }],
  // @ts-expect-error a document, or null, and an answer
  wrong: (doc) => doc,
};
export const shows: Shows<Note> = {
  page: (doc) => "<p>" + (doc?.tags.join() ?? ""),
  typed() { provides("html", () => "<p>"); registerType("notes", "application/x-notes"); },
};
export const lists: Lists = {
  lines(head, req) {
    start({ code: 200, headers: { "Content-Type": "text/plain" } });
    for (let row = getRow(); row !== null; row = getRow()) send(row.key + "\\n");
    return req.query.end ?? String(head.total_rows);
  },
};
export const rewrites: Rewrites = [{ from: "/a", to: "b", query: { key: ":k" } }];
export const computed: Rewrites = (req) => ({ path: req.path.join("/"), method: "GET" });
export const lib: Library = { money: "exports.f = 1;", deep: { er: "exports.g = 2;" } };
export const used = require("views/lib/money").f;
export const options: Options = { partitioned: false, local_seq: true };
// @ts-expect-error a misspelt option
export const misspeltOption: Options = { partitoned: false };
const everything: unknown = [1];
export const first = isArray(everything) ? everything[0] : 0;
// @ts-expect-error no DOM
fetch("x");
// @ts-expect-error no Node
process.exit();
`;

const samples = `
import type { Documents, FilterSamples, ListSamples, RewriteSamples, ShowSamples, UpdateSamples, ViewSamples, Writes } from "settee/design-doc-samples";

export const documents: Documents = [{ type: "note" }, { _id: "b" }];
export const writes: Writes = [
  { title: "x", doc: { type: "note" }, oldDoc: null, user: null, roles: ["r"], security: { members: {} }, expect: "accepted" },
  // @ts-expect-error a misspelt member
  { doc: {}, expct: "accepted" },
];
export const views: ViewSamples = { v: { rows: [{ key: 1, value: null }], reduced: 1, groups: [{ key: 1, value: 1 }] } };
export const filters: FilterSamples = { f: [{ query: { a: "1" }, user: "bob", req: { id: "x" }, expect: ["a"] }] };
export const shows: ShowSamples = { s: [{ doc: null, expect: { code: 200 } }] };
export const updates: UpdateSamples = { u: [{ doc: { _id: "a" }, body: "x", stores: { _id: "a" }, expect: "ok" }] };
export const lists: ListSamples = { l: [{ view: "v", expect: "1\\n" }] };
export const rewrites: RewriteSamples = [{ path: ["a"], expect: null }];
`;

test("mistakes are refused by the compiler, and what is right is not", async (t) => {
  const options = { extends: join(repositoryRoot, "design-docs", "tsconfig.json"), include: ["t/*.ts"] };
  const folder = await folderWith(t, {
    "tsconfig.json": JSON.stringify(options),
    "t/d.ts": source,
    "t/d.samples.ts": samples,
  });
  await mkdir(join(folder, "node_modules"));
  await symlink(repositoryRoot, join(folder, "node_modules", "settee"));
  assert.equal(await compileTypes(folder), "");
});
