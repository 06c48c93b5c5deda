import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Database } from "../../../server/documents/database.js";
import { DesignViews, viewOf } from "../../../server/query/views/design-views.js";
import { edit, replicated, writeOne } from "../../helpers/incoming-revisions.js";
import { openTestStore } from "../../helpers/temp-store.js";

const nothing = () => {
  throw new Error("nothing is run when a design document is read");
};
const designViews = (): DesignViews => new DesignViews({ sandbox: { map: nothing, reduce: nothing } });

const bodyWith = (...names: readonly string[]) => ({
  views: Object.fromEntries(names.map((name) => [name, { map: `function (doc) { emit(doc.${name}); }` }])),
});

const namesOf = (views: DesignViews, database: Database, id: string): readonly string[] => [
  ...views.groupOf(database, id).views.keys(),
];

describe("the views of a design document", () => {
  it("are read once for each revision of it", async (t) => {
    const { database } = await openTestStore(t);
    const views = designViews();
    const rev = await writeOne(database, edit("_design/a", { body: bodyWith("x") }));
    const group = views.groupOf(database, "_design/a");
    let bodies = 0;
    const value = database.value.bind(database);
    database.value = (...args) => {
      bodies++;
      return value(...args);
    };
    assert.equal(views.groupOf(database, "_design/a"), group);
    assert.equal(bodies, 0);
    await writeOne(database, edit("_design/a", { on: rev, body: bodyWith("y") }));
    assert.deepEqual(namesOf(views, database, "_design/a"), ["y"]);
  });

  it("are those of the winner", async (t) => {
    const { database } = await openTestStore(t);
    const views = designViews();
    await writeOne(database, replicated("_design/a", "1-x 2-b", { body: bodyWith("b") }));
    assert.deepEqual(namesOf(views, database, "_design/a"), ["b"]);
    await writeOne(database, replicated("_design/a", "1-x 2-a", { body: bodyWith("a") }));
    assert.deepEqual(namesOf(views, database, "_design/a"), ["b"]);
    await writeOne(database, replicated("_design/a", "1-x 2-c", { body: bodyWith("c") }));
    assert.deepEqual(namesOf(views, database, "_design/a"), ["c"]);
    await writeOne(database, replicated("_design/a", "1-x 2-c 3-d", { deleted: true }));
    assert.deepEqual(namesOf(views, database, "_design/a"), ["b"]);
  });

  it("are not there when it is not", async (t) => {
    const { database } = await openTestStore(t);
    const views = designViews();
    assert.throws(() => views.groupOf(database, "_design/a"), { error: "not_found", reason: "missing" });
    const rev = await writeOne(database, edit("_design/a", { body: bodyWith("x") }));
    views.groupOf(database, "_design/a");
    await writeOne(database, edit("_design/a", { on: rev, deleted: true }));
    assert.throws(() => views.groupOf(database, "_design/a"), { error: "not_found", reason: "deleted" });
    assert.throws(() => viewOf({ views: new Map() } as never, "x"), {
      error: "not_found",
      reason: "missing_named_view",
    });
  });

  it("cannot be asked in a language that is not there", async (t) => {
    const { database } = await openTestStore(t);
    await writeOne(database, edit("_design/a", { body: { language: "cobol", ...bodyWith("x") } }));
    assert.throws(() => designViews().groupOf(database, "_design/a"), { error: "unknown_query_language" });
  });
});

describe("the indexes that a database should have", () => {
  it("are those of its design documents that can be asked, one for equal ones", async (t) => {
    const { database } = await openTestStore(t);
    const views = designViews();
    const bodies: Readonly<Record<string, unknown>> = {
      "_design/a": bodyWith("x"),
      "_design/b": bodyWith("y"),
      "_design/c": bodyWith("x"),
      "_design/cobol": { language: "cobol", ...bodyWith("z") },
      "_design/broken": { views: { v: { map: "function (doc) {}", reduce: "_average" } } },
      "_design/odd": { views: 7 },
      plain: bodyWith("w"),
    };
    for (const [id, body] of Object.entries(bodies)) await writeOne(database, edit(id, { body }));
    const rev = await writeOne(database, edit("_design/gone", { body: bodyWith("v") }));
    await writeOne(database, edit("_design/gone", { on: rev, deleted: true }));
    const [a, b] = ["_design/a", "_design/b"].map((id) => views.groupOf(database, id).definition.signature);
    const signatures = await views.signaturesOf(database);
    for (const signature of [a, b]) assert.ok(signature && signatures.has(signature));
    const named = (await views.groupsOf(database)).map(({ definition }) => definition.designDoc);
    assert.deepEqual(
      named.filter((id) => id !== "_design/odd"),
      ["_design/a", "_design/b", "_design/c"],
    );
  });
});
