import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Database } from "../../../server/documents/database.js";
import type { ShownRevision } from "../../../server/documents/show-document.js";
import type { RowsOfDocument } from "../../../server/query/indexes/index-definition.js";
import { type MapContext, mapper, sandboxReduce } from "../../../server/query/views/design-functions.js";
import { Rows } from "../../../server/query/views/rows.js";
import type { ViewRow } from "../../../server/query/views/view-row.js";
import type { MapSource } from "../../../server/sandbox/sandbox.js";
import { edit, mustFind, replicated, writeOne } from "../../helpers/incoming-revisions.js";
import { openTestStore } from "../../helpers/temp-store.js";
import { sandboxFor } from "../../sandbox/ask.js";

const designDoc = "_design/app";

function winner(database: Database, id: string): ShownRevision {
  const document = mustFind(database, id);
  const value = database.value(document, document.record.winner);
  assert.ok(value);
  return { document, index: document.record.winner, value };
}

/** A mapper over a real sandbox; `rows("id", ...)` are those of documents. */
async function mapWorld(t: TestContext, sources: readonly string[], more: Partial<MapContext> = {}) {
  const { database } = await openTestStore(t);
  const { sandbox, logs } = sandboxFor(t);
  const map = mapper({ database, designDoc, sandbox, library: undefined, localSeq: false, sources, ...more });
  const rows = (...ids: readonly string[]): Promise<readonly RowsOfDocument[]> =>
    map(ids.map((id) => winner(database, id)));
  return { database, logs, rows };
}

describe("map functions", () => {
  it("see a document as CouchDB shows it to them", async (t) => {
    const { database, rows } = await mapWorld(t, ["function (doc) { emit(Object.keys(doc).sort(), doc); }"]);
    await writeOne(database, replicated("a", "1-x 2-a", { body: { n: 1 } }));
    await writeOne(database, replicated("a", "1-x 2-b", { body: { n: 2 } }));
    await writeOne(database, replicated("a", "1-x 2-c", { deleted: true }));
    const content = await database.takeAttachment(Buffer.from("hello"), { contentType: "text/plain", limit: 100 });
    const attachments = [{ kind: "new", name: "file", contentType: "text/plain", content } as const];
    await writeOne(database, edit("b", { body: { n: 3 }, attachments }));
    const [ofA, ofB] = await rows("a", "b");
    const shown = (of: RowsOfDocument | undefined) => JSON.parse(of?.[0]?.[0]?.value as string);
    assert.deepEqual(shown(ofA), {
      ...{ _id: "a", _rev: "2-b", n: 2 },
      ...{ _conflicts: ["2-a"], _deleted_conflicts: ["2-c"] },
    });
    const { _attachments, ...rest } = shown(ofB);
    assert.deepEqual([rest._id, rest.n, _attachments.file.stub, _attachments.file.length], ["b", 3, true, 5]);
    assert.equal("data" in _attachments.file, false);
  });

  it("see the sequence of a document when they ask for it", async (t) => {
    const source = "function (doc) { emit(doc._local_seq, null); }";
    for (const [localSeq, key] of [
      [true, "2"],
      [false, "null"],
    ] as const) {
      const { database, rows } = await mapWorld(t, [source], { localSeq });
      await writeOne(database, edit("other"));
      await writeOne(database, edit("a"));
      assert.deepEqual(await rows("a"), [[[{ key, value: "null" }]]]);
    }
  });

  it("emit canonical JSON, in which there are no halves of characters", async (t) => {
    const { database, rows } = await mapWorld(t, [
      `function (doc) {
        emit([1e21, 1.5, 100], "\\u001f");
        emit("\\ud800x", "\\\\ud800");
        emit("é\\u2028", { "1e5": 1e-7 });
      }`,
    ]);
    await writeOne(database, edit("a"));
    const [[emitted] = []] = await rows("a");
    assert.deepEqual(emitted, [
      { key: "[1e+21,1.5,100]", value: '"\\u001F"' },
      { key: '"\ufffdx"', value: '"\\\\ud800"' },
      { key: '"é\u2028"', value: '{"1e5":1e-7}' },
    ]);
  });

  it("that fail on a document give no rows for it, and the others give theirs", async (t) => {
    const { database, rows, logs } = await mapWorld(t, [
      "function (doc) { emit(doc.n, 1); if (doc.n === 2) throw new Error('not this one'); emit(doc.n, 2); }",
      "function (doc) { emit(doc._id, null); }",
    ]);
    for (const n of [1, 2, 3]) await writeOne(database, edit(`d${n}`, { body: { n } }));
    const found = await rows("d1", "d2", "d3");
    assert.deepEqual(
      found.map((views) => views.map((emitted) => emitted.length)),
      [
        [2, 1],
        [0, 1],
        [2, 1],
      ],
    );
    assert.match(logs.map(({ message }) => message).join(), /not this one.*d2/);
  });

  it("that emit very much are answered for the first documents alone", async (t) => {
    const { database, rows } = await mapWorld(t, [
      "function (doc) { for (let i = 0; i < 1000; i++) emit(i, 'x'.repeat(10000)); }",
    ]);
    for (let n = 0; n < 5; n++) await writeOne(database, edit(`d${n}`));
    const found = await rows("d0", "d1", "d2", "d3", "d4");
    assert.ok(found.length >= 1 && found.length < 5, `${found.length} documents with 10 MB of rows each`);
    for (const views of found) assert.equal(views[0]?.length, 1000);
  });

  /** What goes to the sandbox. */
  function sent(sources: readonly string[], more: Partial<MapContext>): Promise<MapSource> {
    return new Promise((resolve, reject) => {
      const sandbox = {
        map: (batch: { readonly map: MapSource }) => {
          resolve(batch.map);
          return Promise.resolve([]);
        },
        reduce: () => Promise.reject(new Error("not asked for")),
      };
      const database = { name: "notes" } as Database;
      mapper({ database, designDoc, sandbox, library: { one: "1" }, localSeq: false, sources, ...more })([]).catch(
        reject,
      );
    });
  }

  it("get modules only when they can look at them", async () => {
    const modules = JSON.stringify({ views: { lib: { one: "1" } } });
    assert.equal((await sent(["function (doc) { emit(doc.a); }"], {})).modules, undefined);
    assert.equal((await sent(["function (doc) { require('views/lib/one'); }"], {})).modules, modules);
    assert.equal((await sent(["function (doc) {}", "function (doc) { emit(this.views); }"], {})).modules, modules);
  });

  it("share a realm only when all of them are the operator's own", async () => {
    const shareKeyOf = (source: string): string | undefined => (source.includes("own") ? "template" : undefined);
    const [own, strange] = ["function own(doc) {}", "function (doc) {}"];
    assert.equal((await sent([own], { shareKeyOf })).shareKey, "template");
    assert.equal((await sent([own, strange], { shareKeyOf })).shareKey, undefined);
    assert.equal((await sent([strange], { shareKeyOf })).shareKey, undefined);
    assert.equal((await sent([own], {})).shareKey, undefined);
  });
});

describe("reduce functions", () => {
  const rowsOf = (...rows: readonly (readonly [id: string, key: string, value: string])[]): readonly ViewRow[] =>
    Rows.encode(rows.map(([id, key, value]) => ({ id, key, value, parsedKey: JSON.parse(key) }))).slice(0, rows.length);

  async function reduceWorld(t: TestContext, source: string) {
    const { database } = await openTestStore(t);
    const { sandbox, logs } = sandboxFor(t);
    return { logs, ...sandboxReduce(source, { database, designDoc, sandbox, library: undefined }) };
  }

  it("see keys with ids, values, and whether these are reductions", async (t) => {
    const { reduce, rereduce } = await reduceWorld(
      t,
      "function (keys, values, rereduce) { return [keys, values, rereduce]; }",
    );
    const groups = [rowsOf(["a", '"k"', "1"], ['q"', "[1,2]", '{"x":1.5}']), rowsOf(["b", "null", "null"])];
    assert.deepEqual(await reduce(groups), [
      { value: '[[["k","a"],[[1,2],"q\\""]],[1,{"x":1.5}],false]' },
      { value: '[[[null,"b"]],[null],false]' },
    ]);
    assert.deepEqual(await rereduce([["1", "[2]"]]), [{ value: "[null,[1,[2]],true]" }]);
    assert.deepEqual(await reduce([]), []);
  });

  it("give canonical JSON", async (t) => {
    const { reduce } = await reduceWorld(t, "function () { return ['\\u001f', 1e21, '\\udc00']; }");
    assert.deepEqual(await reduce([rowsOf(["a", "1", "1"])]), [{ value: '["\\u001F",1e+21,"\ufffd"]' }]);
  });

  it("that do not shrink what they get are told so, group by group", async (t) => {
    const { reduce } = await reduceWorld(t, "function (keys, values) { return values[0] > 1 ? 'x'.repeat(9000) : 1; }");
    const [small, large] = await reduce([rowsOf(["a", "1", "1"]), rowsOf(["a", "1", "2"])]);
    assert.deepEqual(small, { value: "1" });
    assert.ok(large && "error" in large && large.error === "reduce_overflow_error");
  });
});
