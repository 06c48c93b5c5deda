import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type HttpWorld, startHttpWorld } from "../../helpers/http-world.js";
import type { Cleanup } from "../../helpers/temp-store.js";

async function startParts(t: Cleanup): Promise<HttpWorld> {
  const world = await startHttpWorld(t);
  await world.client.expect(201, "PUT", "/parts?partitioned=true");
  return world;
}

describe("a partition", () => {
  test("is described by its own documents, and their bytes as stored and as read", async (t) => {
    const { client } = await startParts(t);
    const { rev } = (await client.put("/parts/p:deleted", { v: 1 })).json();
    await client.expect(200, "DELETE", `/parts/p:deleted?rev=${rev}`);
    await client.put("/parts/q:other", { text: "x".repeat(5000) });
    const body = "text ".repeat(1000);
    await client.expect(201, "PUT", "/parts/p:a/f", { body, headers: { "content-type": "text/plain" } });
    const { sizes, ...rest } = (await client.expect(200, "GET", "/parts/_partition/p")).json();
    assert.deepEqual(rest, { db_name: "parts", partition: "p", doc_count: 1, doc_del_count: 1 });
    assert.equal(sizes.external, 5000 + 2 * 2);
    assert.ok(sizes.active < 500, `${sizes.active} bytes`);
  });

  test("is named once: another one in the query string is a mistake", async (t) => {
    const { client } = await startParts(t);
    await client.expect(200, "GET", "/parts/_partition/p/_all_docs?partition=p");
    const reply = await client.get("/parts/_partition/p/_all_docs?partition=q");
    const reason = "Conflicting value for `partition` in query string";
    assert.deepEqual([reply.status, reply.json()], [400, { error: "bad_request", reason }]);
  });

  test("refuses an id that fits none before the bytes of an attachment are read", async (t) => {
    const { client } = await startParts(t);
    const reply = await client.send("PUT", "/parts/bad/f", {
      body: Buffer.alloc(100_000),
      headers: { "content-type": "image/png" },
    });
    assert.deepEqual([reply.status, reply.json().error], [400, "illegal_docid"]);
  });

  test("is named by every id, in questions and purges too", async (t) => {
    const { client } = await startParts(t);
    const asked = (await client.post("/parts/_bulk_get", { docs: [{ id: "none" }, { id: "_design/d" }] })).json();
    assert.deepEqual(asked.results[0].docs[0].error, {
      id: "none",
      rev: null,
      error: "illegal_docid",
      reason: "Doc id must be of form partition:id",
    });
    assert.equal(asked.results[1].docs[0].error.error, "not_found");
    const purged = await client.post("/parts/_purge", { "p:a": ["1-a"], none: ["1-a"] });
    assert.deepEqual([purged.status, purged.json().error], [400, "illegal_docid"]);
    assert.deepEqual((await client.get("/parts/_purged_infos")).json().purged_infos, []);
  });

  test("has views and queries; whatever else is not there is missing", async (t) => {
    const { client } = await startParts(t);
    const table: readonly (readonly [method: string, path: string, status: number])[] = [
      ["GET", "p/_design/d/_view/v", 404],
      ["POST", "p/_find", 400],
      ["POST", "_p/_find", 400],
      ["GET", "p/_find", 405],
      ["GET", "p/_changes", 404],
      ["PUT", "p/a", 404],
      ["DELETE", "p", 405],
    ];
    for (const [method, path, status] of table) {
      const body = method === "POST" ? {} : undefined;
      await client.expect(status, method, `/parts/_partition/${path}`, { body });
    }
    await client.expect(201, "PUT", "/plain");
    await client.expect(400, "POST", "/plain/_partition/p/_find", { body: {} });
  });
});
