import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { after, before, test } from "node:test";
import nano from "nano";
import { type SetteeProcess, startSettee } from "../helpers/settee-process.js";

interface Item {
  readonly type: string;
  readonly price: number;
  readonly name: string;
}

let settee: SetteeProcess;
let server: nano.ServerScope;
before(async () => {
  settee = await startSettee();
  server = nano(settee.adminUrl);
});
after(() => settee.close());

async function shop(name: string, options?: nano.DatabaseCreateParams): Promise<nano.DocumentScope<Item>> {
  await server.db.create(name, options);
  const db = server.use<Item>(name);
  const item = (id: string, type: string, price: number) => ({ _id: id, type, price, name: `${type} ${price}` });
  await db.bulk({
    docs: [item("s:a", "tea", 3), item("s:b", "tea", 1), item("t:a", "cup", 7), item("t:b", "tea", 2)],
  });
  return db;
}

test("createIndex and find, with every option of a query", async () => {
  const db = await shop("plain");
  const made = await db.createIndex({ index: { fields: ["type", "price"] }, ddoc: "by-type", name: "type-price" });
  deepEqual(made, { result: "created", id: "_design/by-type", name: "type-price" });
  const query: nano.MangoQuery = {
    selector: { type: "tea", price: { $gt: 0 } },
    sort: [{ type: "desc" }, { price: "desc" }],
    fields: ["price"],
    limit: 2,
    use_index: ["by-type", "type-price"],
    r: 1,
    update: true,
    stable: false,
    execution_stats: true,
  };
  const first = await db.find(query);
  deepEqual(
    first.docs.map(({ price }) => price),
    [3, 2],
  );
  equal(first.warning, undefined);
  equal(first.execution_stats?.results_returned, 2);
  const second = await db.find({ ...query, bookmark: first.bookmark as string });
  deepEqual(
    second.docs.map(({ price }) => price),
    [1],
  );
});

test("an index on some documents only, and a warning where there is none", async () => {
  const db = await shop("partial");
  await db.createIndex({ index: { fields: ["price"], partial_filter_selector: { type: "tea" } }, ddoc: "tea" });
  const selector = { price: { $gt: 1 } };
  const some = await db.find({ selector, use_index: "tea" });
  equal(some.docs.length, 2);
  const all = await db.find({ selector });
  equal(all.docs.length, 3);
  match(all.warning ?? "", /^No matching index found/);
});

test("partitionedFind", async () => {
  const db = await shop("parts", { partitioned: true });
  await db.createIndex({ index: { fields: ["price"] }, ddoc: "price" });
  const { docs } = await db.partitionedFind("t", { selector: { price: { $gt: 1 } }, sort: ["price"] });
  deepEqual(
    docs.map(({ _id }) => _id),
    ["t:b", "t:a"],
  );
});

test("findAsStream", async () => {
  const db = await shop("stream");
  let text = "";
  for await (const chunk of db.findAsStream({ selector: { type: "cup" } })) text += chunk;
  equal(JSON.parse(text).docs.length, 1);
});

test("mistakes have CouchDB's words", async () => {
  const db = await shop("mistakes");
  await rejects(db.find({ selector: { price: { $nope: 1 } } } as unknown as nano.MangoQuery), {
    statusCode: 400,
    error: "invalid_operator",
  });
  await rejects(db.find({ selector: {}, sort: ["price"] }), { statusCode: 400, error: "no_usable_index" });
  await rejects(db.createIndex({ index: { fields: [] }, type: "text" }), { statusCode: 503 });
});
