/** An author's mistakes: which file, which line, what is wrong. */
import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { loadTemplates, TemplateError } from "../../../server/gateway/design-docs/source.js";
import { folderWith } from "../../helpers/template-folder.js";

interface Mistake {
  readonly name: string;
  readonly source: string;
  readonly others?: Readonly<Record<string, string>>;
  /** `FILE:LINE:COLUMN: WORDS`, a line each. */
  readonly told: readonly string[];
}

const builtIns = "_count, _sum, _stats, _approx_count_distinct, _first, _last, _top_N or _bottom_N (N from 1 to 100)";

const mistakes: readonly Mistake[] = [
  {
    name: "a syntax error",
    source: "export const views = {",
    told: ["t/d.ts:1:23: Expected identifier but found end of file"],
  },
  {
    name: "several syntax errors",
    source: "const a = 1;\nconst a = 2;\nconst b = 1;\nlet b = 2;",
    told: [
      't/d.ts:2:7: The symbol "a" has already been declared',
      't/d.ts:4:5: The symbol "b" has already been declared',
    ],
  },
  {
    name: "an import of nothing",
    source: 'import { x } from "./lib/a.js";\nexport const filters = { x };',
    others: { "t/lib/a.ts": 'export const x = () => 1;\nimport "./nope.js";' },
    told: ['t/lib/a.ts:2:8: Could not resolve "./nope.js"'],
  },
  {
    name: "an import of what a file does not export",
    source: 'import { nope } from "./lib/a.js";\nexport const filters = { nope };',
    others: { "t/lib/a.ts": "export const x = () => 1;" },
    told: ['t/d.ts:1:10: No matching export in "t/lib/a.ts" for import "nope"'],
  },
  {
    name: "imports from Node",
    source:
      'import { readFileSync } from "node:fs";\nimport path from "path";\nexport const filters = { readFileSync, path };',
    told: [
      't/d.ts:1:30: "fs" is a part of Node, which is not there where functions of design documents run.',
      't/d.ts:2:18: "path" is a part of Node, which is not there where functions of design documents run.',
    ],
  },
  {
    name: "unknown exports",
    source: "export const filters = {};\nexport const veiws = {};",
    told: [
      "t/d.ts:2:14: there is no `veiws` in a design document; it may export views, lib, filters, updates, shows, lists, " +
        "rewrites, validate_doc_update, options, autoupdate.",
    ],
  },
  {
    name: "a default export",
    source: "export default {};",
    told: [
      "t/d.ts:1:8: there is no `default` in a design document; it may export views, lib, filters, updates, shows, lists, " +
        "rewrites, validate_doc_update, options, autoupdate.",
    ],
  },
  {
    name: "views of many wrong kinds",
    source: `import type { Views } from "../design-doc.js";

export const views: Views = {
  "no-map": { reduce: "_count" },
  text: { map: "function (doc) {}" },
  stray: {
    map(doc) {
      emit(1);
    },
    redcue: 1,
  },
  unknown: {
    map: (doc) => emit(1),
    reduce: "_nope",
  },
  ranked: { map: (doc) => emit(1), reduce: "_top_101" },
  none() {},
  collated: { map: (doc) => emit(1), options: { collation: "icu" } },
  more: { map: (doc) => emit(1), options: { local_seq: true } },
  waits: { map: async (doc) => emit(1) },
  lib: { map: (doc) => emit(1) },
};`,
    told: [
      "t/d.ts:4:3: `views.no-map.map` must be a function.",
      "t/d.ts:5:11: `views.text.map` must be a function.",
      "t/d.ts:10:5: `views.stray.redcue` is neither `map` nor `reduce` nor `options`.",
      `t/d.ts:14:5: \`views.unknown.reduce\` must be a function, or ${builtIns}.`,
      `t/d.ts:16:36: \`views.ranked.reduce\` must be a function, or ${builtIns}.`,
      "t/d.ts:17:3: `views.none` must be an object.",
      '`t/d.ts:18:49: `views.collated.options.collation` must be "raw" or "default".'.slice(1),
      "t/d.ts:19:45: `views.more.options.local_seq`: a view has no option but `collation`.",
      "t/d.ts:20:12: `views.waits.map` must not be async: nobody waits for what it promises.",
      "t/d.ts:21:3: `views.lib` is where modules stand: export them as `lib`.",
    ],
  },
  {
    name: "functions that are none",
    source: `export const filters = {
  text: "function () {}",
};
export const updates = { u: {} };
export const shows = [];
export const validate_doc_update = "function () {}";
export const rewrites = {};`,
    told: [
      "t/d.ts:2:3: `filters.text` must be a function.",
      "t/d.ts:4:26: `updates.u` must be a function.",
      "t/d.ts:5:14: `shows` must be an object.",
      "t/d.ts:6:14: `validate_doc_update` must be a function.",
      "t/d.ts:7:14: `rewrites` must be an array of rules, or a function.",
    ],
  },
  {
    name: "options and modules",
    source: `export const options = {
  local_seq: "yes",
  partitoned: true,
};
export const autoupdate = "no";
export const lib = { deep: { f() {} } };
export const filters = { f: () => require("views/lib/deep/g").x };`,
    told: [
      "t/d.ts:2:3: `options.local_seq` must be true or false.",
      "t/d.ts:3:3: there is no option `partitoned`; there are local_seq, include_design, partitioned.",
      "t/d.ts:5:14: `autoupdate` must be true or false.",
      "t/d.ts:6:30: `lib.deep.f` must be the text of a module, or an object of such.",
      't/d.ts:7:26: `filters.f`: require("views/lib/deep/g"): there is no such text in `lib`.',
    ],
  },
  {
    name: "a file that uses what is not there",
    source: 'import { key } from "./lib/env.js";\nexport const views = { v: { map: (doc) => emit(key) } };',
    others: { "t/lib/env.ts": "const name: string = 'KEY';\n\nexport const key = process.env[name];" },
    told: ["t/lib/env.ts:3:20: ReferenceError: process is not defined"],
  },
  {
    name: "a file that fails when it is run",
    source: `const keys = (tags: string[]) => {
  if (tags.length === 0) throw new Error("no tags");
  return tags;
};
export const views = { v: { map: (doc) => emit(keys([])) } };
const first = keys([]);
export const autoupdate = first.length > 1;`,
    told: ["t/d.ts:2:36: Error: no tags"],
  },
  { name: "a file without end", source: "for (;;);", told: ["t/d.ts: It ended without an answer: timeout."] },
  {
    name: "two files",
    source: "export const a = 1;",
    others: { "t/c.ts": "export const filters = 1;", "u/d.ts": "export const lists = 1;" },
    told: [
      "t/c.ts:1:14: `filters` must be an object.",
      "t/d.ts:1:14: there is no `a` in a design document; it may export views, lib, filters, updates, shows, lists, " +
        "rewrites, validate_doc_update, options, autoupdate.",
      "u/d.ts:1:14: `lists` must be an object.",
    ],
  },
];

test("mistakes are told with file, line and column", async (t) => {
  for (const { name, source, others, told } of mistakes) {
    await t.test(name, async () => {
      const folder = await folderWith(t, { "t/d.ts": source, ...others });
      await assert.rejects(loadTemplates(folder), (error: Error) => {
        assert.ok(error instanceof TemplateError, error.stack);
        const lines = error.message.split("\n").map((line) => line.replace(join(folder, "/"), ""));
        assert.deepEqual(lines, told);
        return true;
      });
    });
  }
});
