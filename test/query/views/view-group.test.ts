import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Database } from "../../../server/documents/database.js";
import { countReducer, sumReducer } from "../../../server/query/views/reduce-sum.js";
import { type DesignBody, type ViewGroup, viewGroup } from "../../../server/query/views/view-group.js";

const nothing = () => {
  throw new Error("nothing is run when a design document is read");
};

function groupOf(body: DesignBody, { partitioned = false, designDoc = "_design/a" } = {}): ViewGroup {
  const database = { name: "notes", partitioned } as Database;
  return viewGroup(database, designDoc, body, { sandbox: { map: nothing, reduce: nothing } });
}

const signatureOf = (body: DesignBody, facts?: Parameters<typeof groupOf>[1]): string =>
  groupOf(body, facts).definition.signature;

const [mapA, mapB] = ["function (doc) { emit(doc.a, 1); }", "function (doc) { emit(doc.b, 1); }"];
const base: DesignBody = { views: { a: { map: mapA, reduce: "_sum" }, b: { map: mapB } } };

describe("what an index is known by", () => {
  const same: readonly (readonly [name: string, body: DesignBody])[] = [
    ["other names of views", { views: { x: { map: mapA, reduce: "_sum" }, y: { map: mapB } } }],
    ["another order of views", { views: { b: { map: mapB }, a: { map: mapA, reduce: "_sum" } } }],
    ["a view that says the same again", { views: { ...base.views, c: { map: mapB } } }],
    ["other members", { ...base, language: "javascript", filters: {}, autoupdate: false } as DesignBody],
    ["options that say what holds anyway", { ...base, options: { include_design: false, local_seq: false } }],
    ["the order of old, said again", { views: { ...base.views, b: { map: mapB, options: { collation: "icu" } } } }],
  ];
  for (const [name, body] of same)
    it(`is the same for ${name}`, () => assert.equal(signatureOf(body), signatureOf(base)));

  it("is the same for design documents of other names", () => {
    assert.equal(signatureOf(base, { designDoc: "_design/other" }), signatureOf(base));
  });

  const different: readonly (readonly [name: string, body: DesignBody])[] = [
    ["another map function", { views: { ...base.views, b: { map: `${mapB} ` } } }],
    ["another reduce function", { views: { ...base.views, a: { map: mapA, reduce: "_count" } } }],
    ["no reduce function", { views: { a: { map: mapA }, b: { map: mapB } } }],
    ["a view more", { views: { ...base.views, c: { map: "function (doc) {}" } } }],
    ["another library", { views: { ...base.views, lib: { one: "exports.x = 1;" } as never } }],
    ["another order of keys", { views: { ...base.views, b: { map: mapB, options: { collation: "raw" } } } }],
    ["rows of design documents", { ...base, options: { include_design: true } }],
    ["sequences in documents", { ...base, options: { local_seq: true } }],
  ];
  it("is different for whatever decides about rows", () => {
    const signatures = [signatureOf(base), ...different.map(([, body]) => signatureOf(body))];
    assert.equal(new Set(signatures).size, signatures.length, different.map(([name]) => name).join());
    for (const signature of signatures) assert.match(signature, /^[0-9a-f]{32}$/);
  });

  it("tells views by partition from others", () => {
    const partitioned = true;
    assert.notEqual(signatureOf(base, { partitioned }), signatureOf(base));
    assert.equal(signatureOf({ ...base, options: { partitioned: false } }, { partitioned }), signatureOf(base));
  });
});

describe("the views of a design document", () => {
  it("share a tree when they have one map function and order, whatever they reduce to", () => {
    const { views, definition } = groupOf({
      views: {
        sums: { map: mapA, reduce: "_sum" },
        counts: { map: mapA, reduce: "_count" },
        again: { map: mapA, reduce: "_sum" },
        rows: { map: mapA },
        raw: { map: mapA, options: { collation: "raw" } },
        other: { map: mapB, reduce: "_count" },
      },
    });
    assert.equal(definition.trees.length, 3);
    const trees = Object.fromEntries([...views].map(([name, { tree }]) => [name, tree]));
    assert.equal(new Set(["sums", "counts", "again", "rows"].map((name) => trees[name])).size, 1);
    assert.equal(new Set(Object.values(trees)).size, 3);
    assert.equal(views.get("rows")?.reduce, undefined);
    assert.equal(definition.trees[trees["raw"] as number]?.collation, "raw");
    for (const [name, reducer] of [
      ["sums", sumReducer],
      ["counts", countReducer],
      ["again", sumReducer],
      ["other", countReducer],
    ] as const) {
      const view = views.get(name);
      assert.equal(view?.reduce?.reducer, reducer, name);
      assert.equal(definition.trees[view?.tree as number]?.reducers[view?.reduce?.which as number], reducer, name);
    }
  });

  it("are those with a map function; `lib` holds modules", () => {
    const { views } = groupOf({ views: { lib: { map: mapA }, a: { map: mapA }, odd: { map: 1 } } });
    assert.deepEqual([...views.keys()], ["a"]);
    assert.equal(groupOf({}).views.size, 0);
  });

  it("may be called like members of every object", () => {
    const body = JSON.parse(
      `{"views":{"__proto__":{"map":${JSON.stringify(mapA)}},"constructor":{"map":${JSON.stringify(mapB)}}}}`,
    );
    const { views, definition } = groupOf(body);
    assert.deepEqual([...views.keys()].sort(), ["__proto__", "constructor"]);
    assert.equal(definition.trees.length, 2);
    assert.equal(groupOf(base).views.get("toString"), undefined);
  });

  it("are asked one partition at a time where the database is partitioned, unless they say otherwise", () => {
    const partitioned = true;
    assert.equal(groupOf(base).partitioned, false);
    const group = groupOf(base, { partitioned });
    assert.deepEqual([group.partitioned, group.definition.trees[0]?.byPartition], [true, true]);
    const whole = groupOf({ ...base, options: { partitioned: false } }, { partitioned });
    assert.deepEqual([whole.partitioned, whole.definition.trees[0]?.byPartition], [false, false]);
  });

  it("are kept up to date unless they say otherwise", () => {
    assert.equal(groupOf(base).autoupdate, true);
    assert.equal(groupOf({ ...base, autoupdate: false }).autoupdate, false);
    assert.equal(groupOf(base).language, "javascript");
  });

  it("cannot be asked when a reduce function has the name of none", () => {
    for (const [reduce, reason] of [
      ["_average", /not a supported reduce function/],
      ["_top_x", /invalid rank reducer/],
      ["_bottom_101", /between 1 and 100/],
    ] as const) {
      assert.throws(() => groupOf({ views: { a: { map: mapA, reduce } } }), { error: "invalid_design_doc", reason });
    }
  });
});
