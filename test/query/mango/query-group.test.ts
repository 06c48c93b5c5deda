import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { canonicalJson } from "../../../server/documents/json/json-text.js";
import { type QueryGroup, queryGroup } from "../../../server/query/mango/query-group.js";
import { MangoWorld } from "../../helpers/mango-world.js";
import { type Cleanup, openTestStore } from "../../helpers/temp-store.js";

const options = '"options":{"def":{}}';

async function groupOf(t: Cleanup, views: string, more = "", facts = {}): Promise<QueryGroup> {
  const { database } = await MangoWorld.create(await openTestStore(t), facts);
  const body = canonicalJson(Buffer.from(`{"language":"query","views":{${views}}${more}}`));
  return queryGroup(database, "_design/d", body);
}

describe("a design document of indexes", () => {
  test("has its fields in the order of its text", async (t) => {
    const { mangoIndexes } = await groupOf(t, `"x":{"map":{"fields":{"b":"asc","10":"desc","9":"asc"}},${options}}`);
    assert.deepEqual(mangoIndexes[0]?.fields, [
      { name: "b", direction: "asc" },
      { name: "10", direction: "desc" },
      { name: "9", direction: "asc" },
    ]);
  });

  test("leaves out what is no index", async (t) => {
    const none = [
      '"text":{"map":"function(doc) {}","options":{}}',
      `"no-map":{${options}}`,
      `"no-fields":{"map":{},${options}}`,
      `"list":{"map":{"fields":["a"]},${options}}`,
      '"no-options":{"map":{"fields":{"a":"asc"}}}',
      `"bad-name":{"map":{"fields":{"a..b":"asc"}},${options}}`,
      `"bad-filter":{"map":{"fields":{"a":"asc"},"partial_filter_selector":{"$foo":1}},${options}}`,
      '"nothing":null',
    ].join(",");
    const { mangoIndexes, views } = await groupOf(t, `${none},"good":{"map":{"fields":{"a":"asc"}},${options}}`);
    assert.deepEqual([mangoIndexes.map(({ name }) => name), [...views.keys()]], [["good"], ["good"]]);
  });

  test("has one tree for indexes that are the same but for directions", async (t) => {
    const view = (name: string, map: string): string => `"${name}":{"map":${map},"reduce":"_count",${options}}`;
    const { definition, mangoIndexes } = await groupOf(
      t,
      [
        view("up", '{"fields":{"a":"asc"},"partial_filter_selector":{}}'),
        view("down", '{"fields":{"a":"desc"}}'),
        view("some", '{"fields":{"a":"asc"},"partial_filter_selector":{"b":1}}'),
        view("old", '{"fields":{"a":"asc"},"selector":{"b":{"$eq":1}}}'),
      ].join(","),
    );
    const [up, down, some, old] = mangoIndexes.map(({ tree }) => tree);
    assert.deepEqual([definition.trees.length, up === down, some === old, up === some], [2, true, true, false]);
    assert.deepEqual(mangoIndexes[3]?.partialFilter, { b: { $eq: 1 } });
  });

  test("is the same index under any names, and another one with other fields", async (t) => {
    const signature = async (views: string, more = "", facts = {}): Promise<string> =>
      (await groupOf(t, views, more, facts)).definition.signature;
    const one = await signature(`"x":{"map":{"fields":{"a":"asc","b":"asc"}},${options}}`);
    assert.equal(await signature(`"y":{"map":{"fields":{"a":"asc","b":"asc"}},${options}}`), one);
    assert.notEqual(await signature(`"x":{"map":{"fields":{"b":"asc","a":"asc"}},${options}}`), one);
    assert.notEqual(await signature(`"x":{"map":{"fields":{"a.b":"asc"}},${options}}`), one);
    const partitioned = await groupOf(t, "", "", { partitioned: true });
    assert.equal(partitioned.partitioned, true);
    const global = await groupOf(t, "", ',"options":{"partitioned":false}', { partitioned: true });
    assert.equal(global.partitioned, false);
  });
});
