import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { basic } from "../../helpers/http-client.js";
import { type HttpWorld, startHttpWorld } from "../../helpers/http-world.js";
import type { Cleanup } from "../../helpers/temp-store.js";

async function startNotes(t: Cleanup): Promise<HttpWorld> {
  const world = await startHttpWorld(t);
  await world.client.expect(201, "PUT", "/notes");
  await world.client.put("/notes/a", { n: 1 });
  return world;
}

const index = (...fields: readonly string[]): object => ({ index: { fields }, ddoc: fields.join("-"), name: "x" });

interface Listed {
  readonly ddoc: string;
  readonly name: string;
}

async function namesOf({ client }: HttpWorld, database = "notes"): Promise<string> {
  const { indexes } = (await client.expect(200, "GET", `/${database}/_index`)).json();
  return indexes.map(({ ddoc, name }: Listed) => `${ddoc}/${name}`).join(" ");
}

describe("_index", () => {
  test("is deleted under each way to write its name", async (t) => {
    const world = await startNotes(t);
    for (const name of ["a", "_design/a", "_design%2Fa"]) {
      await world.client.expect(200, "POST", "/notes/_index", { body: index("a") });
      assert.equal(await namesOf(world), "null/_all_docs _design/a/x");
      await world.client.expect(200, "DELETE", `/notes/_index/${name}/json/x`);
      assert.equal(await namesOf(world), "null/_all_docs");
      await world.client.expect(404, "DELETE", `/notes/_index/${name}/json/x`);
    }
    await world.client.expect(405, "GET", "/notes/_index/a/json/x");
    await world.client.expect(404, "GET", "/notes/_index/a/json/x/y");
  });

  test("leaves alone what else is in its design document", async (t) => {
    const { client } = await startNotes(t);
    const doc = {
      language: "query",
      more: { a: 1.5 },
      views: {},
      _attachments: { f: { data: "eA==", content_type: "text/plain" } },
    };
    await client.expect(201, "PUT", "/notes/_design/a", { body: doc });
    await client.expect(200, "POST", "/notes/_index", { body: index("a") });
    const { views, more, _attachments } = (await client.get("/notes/_design/a")).json();
    assert.deepEqual([Object.keys(views), more, Object.keys(_attachments)], [["x"], { a: 1.5 }, ["f"]]);
    await client.expect(200, "DELETE", "/notes/_index/a/json/x");
    const { _id, _rev, _attachments: kept, ...rest } = (await client.get("/notes/_design/a")).json();
    assert.deepEqual([rest, Object.keys(kept)], [{ language: "query", more: { a: 1.5 } }, ["f"]]);
  });

  test("comes and goes with its design document, and is found as soon as it is written", async (t) => {
    const world = await startNotes(t);
    const { client } = world;
    await client.expect(200, "POST", "/notes/_index", { body: index("n") });
    const { _rev, ...doc } = (await client.get("/notes/_design/n")).json();
    const used = async (): Promise<string> => {
      const answer = (await client.expect(200, "POST", "/notes/_explain", { body: { selector: { n: 1 } } })).json();
      return answer.index.name;
    };
    assert.equal(await used(), "x");
    await client.expect(200, "DELETE", `/notes/_design/n?rev=${_rev}`);
    assert.equal(await used(), "_all_docs");
    await client.expect(201, "PUT", "/notes/_design/n", { body: doc });
    assert.equal(await used(), "x");
    const { docs } = (await client.expect(200, "POST", "/notes/_find", { body: { selector: { n: 1 } } })).json();
    assert.equal(docs.length, 1);
  });

  test("is made once when several ask for it at the same time, and several are made in one design document", async (t) => {
    const world = await startNotes(t);
    const ask = (name: string) =>
      world.client.expect(200, "POST", "/notes/_index", { body: { index: { fields: ["n"] }, ddoc: "one", name } });
    const names = ["a", "b", "c", "a", "b", "c"];
    const results = (await Promise.all(names.map(ask))).map((reply) => reply.json().result);
    assert.deepEqual(results.sort(), ["created", "created", "created", "exists", "exists", "exists"]);
    assert.equal(await namesOf(world), "null/_all_docs _design/one/a _design/one/b _design/one/c");
  });

  test("is for administrators to make, and for members to use and to ask for again", async (t) => {
    const world = await startNotes(t);
    const { client, gateway } = world;
    await gateway.signUp({ name: "ada", password: "a-long-password" });
    await client.expect(200, "PUT", "/notes/_security", { body: { admins: {}, members: { names: ["ada"] } } });
    const authorization = basic("ada", "a-long-password");
    await client.expect(403, "POST", "/notes/_index", { body: index("n"), authorization });
    await client.expect(200, "POST", "/notes/_index", { body: index("n") });
    const again = await client.expect(200, "POST", "/notes/_index", { body: index("n"), authorization });
    assert.equal(again.json().result, "exists");
    await client.expect(200, "GET", "/notes/_index", { authorization });
    await client.expect(403, "DELETE", "/notes/_index/n/json/x", { authorization });
    await client.expect(403, "POST", "/notes/_index/_bulk_delete", { body: { docids: ["n"] }, authorization });
    assert.equal(await namesOf(world), "null/_all_docs _design/n/x");
    await client.expect(401, "POST", "/notes/_index", { body: index("n"), authorization: null });
  });

  test("of a partition and of the whole do not share a design document", async (t) => {
    const world = await startHttpWorld(t);
    const { client } = world;
    await client.expect(201, "PUT", "/parts?partitioned=true");
    const ask = (status: number, body: object) => client.expect(status, "POST", "/parts/_index", { body });
    await ask(200, index("a"));
    await ask(200, { ...index("b"), partitioned: false });
    await ask(200, { ...index("b"), name: "y", partitioned: false });
    assert.equal((await ask(400, { ...index("b"), name: "z" })).json().error, "invalid_partitioned_option");
    assert.equal((await ask(400, { ...index("a"), partitioned: false })).json().error, "invalid_partitioned_option");
    const { indexes } = (await client.get("/parts/_index")).json();
    assert.deepEqual(
      indexes.map(({ partitioned }: { partitioned?: boolean }) => partitioned),
      [undefined, true, false, false],
    );
    await client.expect(200, "POST", "/parts/_index/_bulk_delete", { body: { docids: ["_design/b", "a"] } });
    assert.equal(await namesOf(world, "parts"), "null/_all_docs");
    await client.expect(404, "GET", "/parts/_design/b");
  });
});
