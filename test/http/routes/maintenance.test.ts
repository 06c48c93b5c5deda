import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDatabaseName } from "../../../protocol/ids.js";
import { basic } from "../../helpers/http-client.js";
import { startHttpWorld } from "../../helpers/http-world.js";
import { edit, writeOne } from "../../helpers/incoming-revisions.js";
import { waitFor } from "../../helpers/wait-for.js";

describe("maintenance of a database", () => {
  test("is for its administrators, and what is about shards for the server's", async (t) => {
    const { client, databases, gateway } = await startHttpWorld(t);
    const people = { member: "ada", admin: "bob" };
    for (const name of Object.values(people)) await gateway.signUp({ name, password: "long enough" });
    const database = await databases.create(parseDatabaseName("notes"));
    await database.setSecurity({ members: { names: [people.member] }, admins: { names: [people.admin] } });
    await writeOne(database, edit("_design/d"));
    const table: readonly (readonly [method: string, path: string, member: number, admin: number])[] = [
      ["POST", "_compact", 401, 202],
      ["POST", "_compact/d", 401, 202],
      ["POST", "_compact/nope", 401, 404],
      ["POST", "_view_cleanup", 401, 202],
      ["POST", "_search_cleanup", 401, 202],
      ["POST", "_nouveau_cleanup", 401, 202],
      ["POST", "_sync_shards", 401, 401],
      ["GET", "_shards", 200, 200],
    ];
    for (const [method, path, member, admin] of table) {
      const body = method === "POST" ? {} : undefined;
      for (const [name, status] of [
        [people.member, member],
        [people.admin, admin],
      ] as const) {
        await client.expect(status, method, `/notes/${path}`, { body, authorization: basic(name, "long enough") });
      }
    }
    await client.expect(202, "POST", "/notes/_sync_shards", { body: {} });
  });

  test("says that there is one shard on one node, for every document", async (t) => {
    const { client } = await startHttpWorld(t);
    await client.put("/notes");
    const shards = (await client.get("/notes/_shards")).json().shards as Record<string, readonly string[]>;
    const [[range, nodes]] = Object.entries(shards) as [[string, readonly string[]]];
    assert.equal(Object.keys(shards).length, 1);
    assert.deepEqual((await client.get("/notes/_shards/any")).json(), { range, nodes });
  });

  test("compacts: what the database takes on disk shrinks, and old revisions are gone", async (t) => {
    const { client, databases } = await startHttpWorld(t);
    await client.put("/notes");
    const revs: string[] = [];
    for (let n = 0; n < 4; n++) {
      const query = revs.length > 0 ? `?rev=${revs.at(-1)}` : "";
      const options = { body: Buffer.alloc(50_000, String(n)), headers: { "content-type": "image/png" } };
      revs.push((await client.expect(201, "PUT", `/notes/a/f${query}`, options)).json().rev);
    }
    const before = (await client.get("/notes")).json().sizes;
    await client.expect(202, "POST", "/notes/_compact", { body: {} });
    const database = await databases.open(parseDatabaseName("notes"));
    await waitFor("the compaction to end", () => !database.compacting);
    const { sizes, compact_running } = (await client.get("/notes")).json();
    assert.equal(compact_running, false);
    assert.ok(before.file >= 200_000 && sizes.file < 60_000, `${before.file} to ${sizes.file} bytes`);
    assert.equal(sizes.active, before.active);
    await client.expect(404, "GET", `/notes/a?rev=${revs[2]}`);
    assert.deepEqual((await client.expect(200, "GET", "/notes/a/f")).bytes, Buffer.alloc(50_000, "3"));
  });
});
