import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDatabaseName } from "../../../protocol/ids.js";
import { type HttpWorld, startHttpWorld } from "../../helpers/http-world.js";
import { edit, replicated, writeOne } from "../../helpers/incoming-revisions.js";
import type { Cleanup } from "../../helpers/temp-store.js";

/**
 *     a   1-a ── 2-a ── 3-a      c   1-a ── 2-c (deleted)
 *           └─── 2-b
 */
async function startNotes(t: Cleanup): Promise<HttpWorld> {
  const world = await startHttpWorld(t);
  const database = await world.databases.create(parseDatabaseName("notes"));
  await writeOne(database, replicated("a", "1-a 2-a 3-a"));
  await writeOne(database, replicated("a", "1-a 2-b"));
  await writeOne(database, replicated("c", "1-a 2-c", { deleted: true }));
  return world;
}

type Missing = Readonly<
  Record<string, { readonly missing: readonly string[]; readonly possible_ancestors?: readonly string[] }>
>;

const table: readonly (readonly [name: string, asked: Readonly<Record<string, readonly string[]>>, answer: Missing])[] =
  [
    ["all known, inner ones too", { a: ["3-a", "2-b", "1-a"] }, {}],
    ["nothing asked", {}, {}],
    ["no revisions asked", { a: [] }, {}],
    [
      "some missing: oldest first, ancestors newest first",
      { a: ["3-a", "4-x", "2-z"] },
      { a: { missing: ["2-z", "4-x"], possible_ancestors: ["3-a", "2-b"] } },
    ],
    ["too low for any ancestor", { a: ["1-q"] }, { a: { missing: ["1-q"] } }],
    ["only lower leaves are ancestors", { a: ["3-q"] }, { a: { missing: ["3-q"], possible_ancestors: ["2-b"] } }],
    ["a deleted document", { c: ["2-c", "3-c"] }, { c: { missing: ["3-c"], possible_ancestors: ["2-c"] } }],
    ["the same twice", { a: ["5-q", "5-q"] }, { a: { missing: ["5-q", "5-q"], possible_ancestors: ["3-a", "2-b"] } }],
    [
      "documents that nobody has, whatever their ids",
      JSON.parse(
        '{"zz":["1-q","10-q","2-q"],"_x":["1-a"],"_local/x":["0-1"],"":["1-a"],"\\"é":["1-a"],"__proto__":["1-a"]}',
      ),
      JSON.parse(
        '{"zz":{"missing":["1-q","2-q","10-q"]},"_x":{"missing":["1-a"]},"_local/x":{"missing":["0-1"]},"":{"missing":["1-a"]},"\\"é":{"missing":["1-a"]},"__proto__":{"missing":["1-a"]}}',
      ),
    ],
  ];

describe("_revs_diff and _missing_revs", () => {
  test("what is missing, and what it could descend from", async (t) => {
    const { client } = await startNotes(t);
    for (const [name, asked, answer] of table) {
      assert.deepEqual((await client.expect(200, "POST", "/notes/_revs_diff", { body: asked })).json(), answer, name);
      const revs = Object.fromEntries(Object.entries(answer).map(([id, { missing }]) => [id, missing]));
      const { missing_revs } = (await client.expect(200, "POST", "/notes/_missing_revs", { body: asked })).json();
      assert.deepEqual(missing_revs, revs, name);
    }
  });

  test("what is refused", async (t) => {
    const { client } = await startNotes(t);
    for (const path of ["/notes/_revs_diff", "/notes/_missing_revs"]) {
      for (const body of [{ a: ["abc"] }, { a: [1] }, { a: "1-a" }, { a: null }, [], "{", ""]) {
        assert.equal((await client.expect(400, "POST", path, { body })).json().error, "bad_request");
      }
      assert.equal((await client.post(path, "{}", { headers: { "content-type": "text/plain" } })).status, 415);
      assert.equal((await client.get(path)).status, 405);
      assert.equal((await client.post(path, {}, { authorization: null })).status, 401);
    }
  });

  test("thousands of documents in one request", async (t) => {
    const { client, databases } = await startNotes(t);
    const database = await databases.open(parseDatabaseName("notes"));
    const ids = Array.from({ length: 1200 }, (_, index) => `doc-${index}`);
    const outcomes = await database.write(
      ids.map((id) => edit(id)),
      "trusted",
    );
    const asked = Object.fromEntries(outcomes.map(({ id, rev }, index) => [id, index % 3 === 0 ? ["7-new"] : [rev]]));
    const answer = (await client.post("/notes/_revs_diff", asked)).json();
    assert.deepEqual(
      Object.keys(answer),
      ids.filter((_, index) => index % 3 === 0),
    );
  });
});
