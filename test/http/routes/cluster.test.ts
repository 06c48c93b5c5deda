import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { basic } from "../../helpers/http-client.js";
import { startHttpWorld } from "../../helpers/http-world.js";

describe("/_cluster_setup", () => {
  it("says that the node is set up, unless a database that was asked for is missing", async (t) => {
    const { client } = await startHttpWorld(t);
    const state = async (query: string) => (await client.get(`/_cluster_setup${query}`)).json().state;
    assert.equal(await state(""), "single_node_enabled");
    assert.equal(await state('?ensure_dbs_exist=["_users","a"]'), "single_node_disabled");
    const ensured = { action: "finish_cluster", ensure_dbs_exist: ["_users", "a"] };
    assert.deepEqual((await client.expect(201, "POST", "/_cluster_setup", { body: ensured })).json(), { ok: true });
    assert.equal(await state('?ensure_dbs_exist=["_users","a"]'), "single_node_enabled");
  });

  it("ends a wizard, with an administrator when it names one", async (t) => {
    const { client } = await startHttpWorld(t);
    const body = { action: "enable_single_node", username: "root", password: "a-password-of-root" };
    await client.expect(201, "POST", "/_cluster_setup", { body });
    await client.expect(201, "POST", "/_cluster_setup", { body });
    const authorization = basic("root", "a-password-of-root");
    assert.equal((await client.get("/_all_dbs", { authorization })).status, 200);
  });

  it("refuses what it cannot do", async (t) => {
    const { client } = await startHttpWorld(t);
    for (const body of [
      { action: "enable_cluster" },
      { action: "add_node", host: "a" },
      { action: "nope" },
      {},
      { action: "enable_single_node", bind_address: "0.0.0.0" },
      { action: "enable_single_node", port: 1 },
      { action: "enable_single_node", username: "root" },
      { action: "enable_single_node", ensure_dbs_exist: "_users" },
      { action: "enable_single_node", ensure_dbs_exist: ["Not A Name"] },
    ]) {
      assert.equal((await client.post("/_cluster_setup", body)).status, 400, JSON.stringify(body));
    }
  });
});

describe("one node", () => {
  it("is its own cluster, without shards or jobs", async (t) => {
    const { client } = await startHttpWorld(t);
    const name = (await client.get("/_node/_local")).json().name;
    assert.deepEqual((await client.get("/_membership")).json(), { all_nodes: [name], cluster_nodes: [name] });
    assert.equal((await client.get("/_reshard")).json().total, 0);
    assert.deepEqual((await client.get("/_reshard/jobs")).json(), { jobs: [], offset: 0, total_rows: 0 });
    assert.equal((await client.post("/_reshard/jobs", { type: "split" })).status, 501);
    assert.equal((await client.put("/_reshard/state", { state: "running" })).status, 501);
    assert.equal((await client.get("/_reshard/jobs/1")).status, 404);
    assert.equal((await client.send("DELETE", "/_reshard/jobs/1")).status, 404);
  });

  it("has no full-text search, no temporary views, and nothing to reload", async (t) => {
    const { client } = await startHttpWorld(t);
    const question = { analyzer: "standard", text: "one two" };
    for (const path of ["/_search_analyze", "/_nouveau_analyze"]) {
      const reply = await client.post(path, question);
      assert.equal(reply.status, 501, path);
      assert.equal(reply.json().error, "not_implemented");
    }
    await client.expect(201, "PUT", "/notes");
    assert.equal((await client.post("/notes/_temp_view", { map: "function () {}" })).json().error, "gone");
    assert.deepEqual((await client.expect(201, "POST", "/_reload_query_servers", { body: {} })).json(), { ok: true });
  });
});

describe("/_active_tasks", () => {
  it("shows what is under way", async (t) => {
    const { client, databases } = await startHttpWorld(t);
    assert.deepEqual((await client.get("/_active_tasks")).json(), []);
    const task = databases.tasks.begin({
      type: "indexer",
      database: "notes",
      design_document: "_design/a",
      progress: 7,
    });
    const [shown] = (await client.get("/_active_tasks")).json();
    const { node, type, database, design_document, progress, pid, started_on, updated_on } = shown;
    assert.deepEqual(
      [node, type, database, design_document, progress],
      ["nonode@nohost", "indexer", "notes", "_design/a", 7],
    );
    assert.equal(typeof pid, "string");
    assert.ok(started_on <= updated_on);
    task.end();
    assert.deepEqual((await client.get("/_active_tasks")).json(), []);
  });
});
