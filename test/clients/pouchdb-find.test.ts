/** pouchdb-find as apps use it: the same queries on the device and on the server give the same documents. */
import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { newDevice, type Pouch, PouchDB, remoteDatabase } from "../helpers/pouchdb-device.js";
import { adminName, adminPassword, type SetteeProcess, startSettee } from "../helpers/settee-process.js";
import { administrator } from "./users.js";

interface Query {
  readonly selector: object;
  readonly sort?: readonly unknown[];
  readonly fields?: readonly string[];
  readonly limit?: number;
  readonly skip?: number;
  readonly use_index?: string | readonly string[];
}

interface Found {
  readonly docs: readonly { readonly _id: string; readonly [member: string]: unknown }[];
  readonly warning?: string;
  readonly bookmark?: string;
}

/** What the plugin adds. */
interface Finding extends Pouch {
  createIndex(definition: object): Promise<{ readonly result: string; readonly id: string; readonly name: string }>;
  getIndexes(): Promise<{ readonly indexes: readonly { readonly ddoc: string | null; readonly name: string }[] }>;
  deleteIndex(index: object): Promise<{ readonly ok: boolean }>;
  find(query: Query & { readonly bookmark?: string }): Promise<Found>;
  explain(query: Query): Promise<{ readonly index: { readonly name: string }; readonly range?: unknown }>;
}

PouchDB.plugin(createRequire(import.meta.url)("pouchdb-find"));

const people = [
  { _id: "mario", name: "Mario", rank: 5, series: "Mario", debut: 1981, tags: ["red", "tall"] },
  { _id: "jigglypuff", name: "Jigglypuff", rank: 8, series: "Pokemon", debut: 1996, tags: [] },
  { _id: "link", rank: 10, name: "Link", series: "Zelda", debut: 1986, weapon: { name: "sword", power: 7 } },
  { _id: "dk", rank: 7, name: "Donkey Kong", series: "Mario", debut: 1981, tags: ["tall"] },
  { _id: "pikachu", series: "Pokemon", rank: 1, name: "Pikachu", debut: 1996, weapon: { name: "bolt", power: 9 } },
  { _id: "falcon", name: "Captain Falcon", rank: 4, series: "F-Zero", debut: 1990 },
  { _id: "luigi", rank: 11, name: "Luigi", series: "Mario", debut: 1983, tags: ["green", "tall"] },
  { _id: "fox", rank: 3, name: "Fox", series: "Star Fox", debut: 1993, weapon: null },
];

let settee: SetteeProcess;
let remote: Finding;
let device: Finding;
before(async () => {
  settee = await startSettee();
  const admin = administrator(settee);
  await admin.expect(201, "PUT", "/people");
  admin.close();
  remote = remoteDatabase(`${settee.url}/people`, adminName, adminPassword) as Finding;
  device = newDevice() as Finding;
  await device.bulkDocs(people);
  await device.replicate.to(remote);
  for (const database of [device, remote]) {
    for (const fields of [["rank"], ["series", "debut"], ["weapon.power"]]) {
      const { result } = await database.createIndex({ index: { fields }, ddoc: fields.join("-"), name: "x" });
      equal(result, "created");
    }
  }
});
after(() => settee.close());

test("indexes are made, listed, and deleted", async () => {
  const definition = { index: { fields: ["name"] } };
  const made = await remote.createIndex(definition);
  equal(made.result, "created");
  match(made.id, /^_design\//);
  equal((await remote.createIndex(definition)).result, "exists");
  const listed = (await remote.getIndexes()).indexes.find(({ name }) => name === made.name);
  equal(listed?.ddoc, made.id);
  deepEqual(await remote.deleteIndex(listed as object), { ok: true });
  equal((await remote.getIndexes()).indexes.length, 4);
  await rejects(remote.createIndex({ index: { fields: "name" } }), { status: 400, error: "invalid_sort_json" });
});

const sorted: readonly Query[] = [
  { selector: { rank: { $gt: 4 } }, sort: ["rank"] },
  { selector: { rank: { $gt: 1, $lte: 8 } }, sort: [{ rank: "desc" }], fields: ["_id", "rank"] },
  { selector: { series: "Mario", debut: { $gt: 1900 } }, sort: ["series", "debut"] },
  { selector: { series: { $gte: null } }, sort: [{ series: "desc" }, { debut: "desc" }], limit: 3, skip: 1 },
  { selector: { "weapon.power": { $gt: 7 } }, sort: ["weapon.power"] },
  { selector: { _id: { $gte: "f", $lt: "m" } }, sort: ["_id"] },
  { selector: { rank: { $gt: 2 }, tags: { $all: ["tall"] } }, sort: ["rank"], use_index: "rank" },
];

for (const query of sorted) {
  test(`sorted: ${JSON.stringify(query)}`, async () => {
    const [here, there] = [await device.find(query), await remote.find(query)];
    deepEqual(there.docs, here.docs);
    equal(there.docs.length > 0, true);
  });
}

const selectors: readonly object[] = [
  {},
  { series: "Mario" },
  { name: { $regex: "^[LM]" } },
  { $or: [{ rank: { $lt: 3 } }, { debut: 1981 }] },
  { $nor: [{ series: "Mario" }, { series: "Zelda" }] },
  { weapon: { $exists: false }, rank: { $mod: [2, 1] } },
  { tags: { $size: 2 } },
  { tags: { $elemMatch: { $eq: "tall" } } },
  { series: { $in: ["Zelda", "F-Zero"] } },
  { weapon: { $type: "object" }, "weapon.name": { $ne: "bolt" } },
  { rank: { $gt: 3 }, $not: { series: "Mario" } },
];

for (const selector of selectors) {
  test(`found: ${JSON.stringify(selector)}`, async () => {
    const ids = async (database: Finding): Promise<readonly string[]> =>
      (await database.find({ selector })).docs.map(({ _id }) => _id).sort();
    deepEqual(await ids(remote), await ids(device));
  });
}

test("pages follow each other by bookmarks", async () => {
  const query: Query = { selector: { rank: { $gt: 0 } }, fields: ["rank"], limit: 3 };
  const ranks: unknown[] = [];
  let bookmark: string | undefined;
  for (;;) {
    const page: Found = await remote.find(bookmark === undefined ? query : { ...query, bookmark });
    if (page.docs.length === 0) break;
    ranks.push(...page.docs.map(({ rank }) => rank));
    bookmark = page.bookmark;
  }
  deepEqual(ranks, [1, 3, 4, 5, 7, 8, 10, 11]);
});

test("the server explains, warns and refuses", async () => {
  equal((await remote.explain({ selector: { rank: 1 } })).index.name, "x");
  match((await remote.find({ selector: { nope: 1 } })).warning ?? "", /^No matching index found/);
  await rejects(remote.find({ selector: { nope: 1 }, sort: ["nope"] }), { status: 400, error: "no_usable_index" });
});
