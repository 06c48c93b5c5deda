import assert from "node:assert/strict";
import test from "node:test";
import { CouchError } from "../../protocol/errors.js";
import { builtinReduce, type Compile, checkDesignDocument } from "../../server/documents/design-document.js";

const map = "function(doc){ emit(1, 1); }";

/** As the sandbox answers: broken sources are `function(`. */
const compile: Compile = async (sources) =>
  sources.map((source) => {
    if (source === "") return new CouchError("not_found", "missing function");
    return source === "function(" ? new CouchError("compilation_error", "SyntaxError (function()") : null;
  });

const check = (document: Record<string, unknown>, partitioned = false) =>
  checkDesignDocument(document, { partitioned, compile });

/** Recorded from CouchDB, except for the last ones, which follow from the others. */
const refused: readonly (readonly [document: Record<string, unknown>, reason: string])[] = [
  [{ language: 1, views: {} }, "`language` field must have string type"],
  [{ language: "query", views: { v: { map } } }, "`views.v.map` field must have object type"],
  [{ filters: [] }, "`filters` field must have object type"],
  [{ filters: { f: 1 } }, "`filters.f` field must have string or object type"],
  [{ updates: { f: 1 } }, "`updates.f` field must have string or object type"],
  [{ shows: { f: 1 } }, "`shows.f` field must have string or object type"],
  [{ lists: { f: 1 } }, "`lists.f` field must have string or object type"],
  [{ validate_doc_update: 1 }, "`validate_doc_update` field must have string type"],
  [{ rewrites: 1 }, "`rewrites` field must have array or string type"],
  [{ options: 1 }, "`options` field must have object type"],
  [{ options: { partitioned: "x" }, views: {} }, "`options.partitioned` field must have boolean type"],
  [{ options: { partitioned: true }, views: {} }, "partitioned option cannot be true in a non-partitioned database."],
  [{ views: 1 }, "`views` field must have object type"],
  [{ views: [] }, "`views` field must have object type"],
  [{ views: { lib: "x", v: { map } } }, "`views.lib` field must have object type"],
  [{ views: { v: "x" } }, "`views.v` field must have object type"],
  [{ views: { v: {} } }, "View `v` must contain map function"],
  [{ views: { v: { reduce: "_count" } } }, "View `v` must contain map function"],
  [{ views: { v: { map: 1 } } }, "`views.v.map` field must have string type"],
  [{ views: { v: { map: {} } } }, "`views.v.map` field must have string type"],
  [{ views: { v: { map, reduce: 1 } } }, "`views.v.reduce` field must have string type"],
  [{ views: { v: { map, reduce: "_nope" } } }, "`_nope` is not a supported reduce function."],
  [{ views: { v: { map, reduce: "_top" } } }, "`_top` is not a supported reduce function."],
  [{ views: { v: { map, reduce: "_top_0" } } }, "rank value must be between 1 and 100"],
  [{ views: { v: { map, reduce: "_top_101" } } }, "rank value must be between 1 and 100"],
  [{ views: { v: { map, reduce: "_bottom_x" } } }, "invalid rank reducer"],
  [{ views: null }, "`views` field must have object type"],
  [{ views: { v: { map: null } } }, "`views.v.map` field must have string type"],
  [{ options: { local_seq: 1 } }, "`options.local_seq` field must have boolean type"],
  [{ filters: 1, views: 1 }, "`filters` field must have object type"],
];

test("members of the wrong type are refused, the first one by name", async () => {
  for (const [document, reason] of refused) {
    await assert.rejects(
      check(document),
      { error: "invalid_design_doc", reason, status: 400 },
      JSON.stringify(document),
    );
  }
});

test("what CouchDB saves is saved", async () => {
  const accepted: readonly Record<string, unknown>[] = [
    {},
    { anything: [1] },
    { views: {} },
    { views: { lib: { a: "exports.a = 1;" } } },
    { views: { v: { map, reduce: "_sum" }, w: { map, reduce: "_top_2" }, x: { map, reduce: "_count\n" } } },
    { language: "javascript", views: { v: { map } }, options: { foo: 1, local_seq: true } },
    { language: "nope", views: { v: { map: "function(" } } },
    { language: "query", views: { v: { map: { fields: {} }, reduce: "_count" } } },
    { rewrites: "function(req){ return {}; }" },
    { rewrites: [{ from: "/x" }] },
    {
      filters: { f: "function(", g: {} },
      validate_doc_update: "function(",
      shows: { s: "function(" },
      autoupdate: "x",
    },
  ];
  for (const document of accepted) await check(document);
  await check({ options: { partitioned: true } }, true);
});

test("map and reduce functions must compile; the first bad one is named", async () => {
  const failed = (kind: string, view: string) => ({
    error: "compilation_error",
    reason: `Compilation of the ${kind} function in the '${view}' view failed: SyntaxError (function()`,
    status: 400,
  });
  const good = { map };
  await assert.rejects(check({ views: { a: good, v: { map: "function(" }, w: { map: "" } } }), failed("map", "v"));
  await assert.rejects(check({ views: { v: { map, reduce: "function(" } } }), failed("reduce", "v"));
  await assert.rejects(check({ views: { v: { map: "function(", reduce: "_nope" } } }), failed("map", "v"));
  const missing = { error: "not_found", reason: "missing function", status: 404 };
  await assert.rejects(check({ views: { v: { map: "" } } }), missing);
  await assert.rejects(check({ views: { v: { map, reduce: "" } } }), missing);
});

test("built-in reduces by name, and with a rank", () => {
  assert.deepEqual(builtinReduce("_approx_count_distinct"), { name: "_approx_count_distinct" });
  assert.deepEqual(builtinReduce("_sum\n"), { name: "_sum" });
  assert.deepEqual(builtinReduce("_bottom_100"), { name: "_bottom", rank: 100 });
});
