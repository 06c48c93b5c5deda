import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDatabaseName } from "../../../protocol/ids.js";
import { type HttpWorld, startHttpWorld } from "../../helpers/http-world.js";
import { edit, writeOne } from "../../helpers/incoming-revisions.js";
import type { Cleanup } from "../../helpers/temp-store.js";

const json = (value: unknown): string => encodeURIComponent(JSON.stringify(value));
const ours = `startkey=${json("a")}&endkey=${json("d")}`;

async function startWithDatabases(t: Cleanup): Promise<HttpWorld> {
  const world = await startHttpWorld(t);
  for (const name of ["b", "a", "c/d", "c"]) await world.databases.create(parseDatabaseName(name));
  return world;
}

describe("_all_dbs", () => {
  test("names in order, in the range that was asked for", async (t) => {
    const { client } = await startWithDatabases(t);
    const table: readonly (readonly [query: string, names: readonly string[]])[] = [
      [ours, ["a", "b", "c", "c/d"]],
      [`${ours}&limit=2`, ["a", "b"]],
      [`${ours}&skip=1&limit=2`, ["b", "c"]],
      [`${ours}&limit=0`, []],
      [`startkey=${json("b")}&endkey=${json("c")}&inclusive_end=false`, ["b"]],
      [`descending=true&startkey=${json("c")}&endkey=${json("a")}`, ["c", "b", "a"]],
      [`key=${json("b")}`, ["b"]],
      [`startkey=${json("c")}&endkey=${json("a")}`, []],
      ["key=1", []],
    ];
    for (const [query, names] of table) {
      assert.deepEqual((await client.expect(200, "GET", `/_all_dbs?${query}`)).json(), names, query);
    }
    assert.ok((await client.get("/_all_dbs")).json().includes("_users"));
  });

  test("the entity tag changes with the list", async (t) => {
    const { client, databases } = await startWithDatabases(t);
    const headers = { "if-none-match": (await client.get("/_all_dbs")).headers.etag as string };
    assert.equal((await client.get("/_all_dbs", { headers })).status, 304);
    await databases.create(parseDatabaseName("new"));
    assert.equal((await client.get("/_all_dbs", { headers })).status, 200);
  });

  test("is for server administrators, and refuses what it does not understand", async (t) => {
    const { client } = await startWithDatabases(t);
    const guest = { authorization: null };
    const refused = (await client.expect(401, "GET", "/_all_dbs", guest)).json();
    assert.deepEqual(refused, { error: "unauthorized", reason: "You are not a server admin." });
    await client.expect(401, "POST", "/_dbs_info", { ...guest, body: { keys: ["a"] } });
    for (const query of ["limit=x", "skip=-1", "descending=maybe", "startkey=abc"]) {
      await client.expect(400, "GET", `/_all_dbs?${query}`);
    }
  });

  test("a list of many pieces is whole", async (t) => {
    const { client, databases } = await startHttpWorld(t);
    const names = Array.from({ length: 700 }, (_, index) => `${"n".repeat(120)}${String(index).padStart(4, "0")}`);
    await Promise.all(names.map((name) => databases.create(parseDatabaseName(name))));
    const reply = await client.expect(200, "GET", `/_all_dbs?startkey=${json("n")}&endkey=${json("o")}`);
    assert.deepEqual(reply.json(), names);
  });
});

describe("_dbs_info", () => {
  test("tells what each database tells of itself", async (t) => {
    const { client, databases } = await startWithDatabases(t);
    await writeOne(await databases.open(parseDatabaseName("b")), edit("one"));
    const alone = (await client.get("/b")).json();
    const range = (await client.get(`/_dbs_info?${ours}&skip=1&limit=1`)).json();
    assert.deepEqual(range, [{ key: "b", info: alone }]);
    const keys = ["b", "missing", "BAD NAME", 1, ["b"]];
    assert.deepEqual((await client.post("/_dbs_info", { keys })).json(), [
      { key: "b", info: alone },
      ...keys.slice(1).map((key) => ({ key, error: "not_found" })),
    ]);
  });

  test("what is refused", async (t) => {
    const { client } = await startWithDatabases(t);
    const table: readonly (readonly [body: unknown, reason: string])[] = [
      [{}, "`keys` member must exist."],
      [{ keys: "x" }, "`keys` member must be an array."],
      [{ keys: Array.from({ length: 101 }, (_, index) => `d${index}`) }, "too_many_keys"],
      [["a"], "Request body must be a JSON object"],
    ];
    for (const [body, reason] of table) {
      assert.equal((await client.expect(400, "POST", "/_dbs_info", { body })).json().reason, reason);
    }
  });
});
