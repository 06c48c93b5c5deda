import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openFeed } from "../../../helpers/feed-reader.js";
import { basic } from "../../../helpers/http-client.js";
import { startHttpWorld } from "../../../helpers/http-world.js";
import { waitFor } from "../../../helpers/wait-for.js";

const node = "/_node/_local";

/** The value of one line of the text format. */
function sample(text: string, name: string): number | undefined {
  const line = text.split("\n").find((each) => each.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

describe("_stats", () => {
  it("counts what happens, at any depth", async (t) => {
    const { client } = await startHttpWorld(t);
    const value = async (path: string) => (await client.get(`${node}/_stats/${path}?flush=true`)).json().value;
    const before = await value("couchdb/httpd_status_codes/404");
    await client.get("/not-there");
    assert.equal(await value("couchdb/httpd_status_codes/404"), before + 1);
    await client.expect(201, "PUT", "/notes");
    const writes = await value("couchdb/document_writes");
    await client.post("/notes/_bulk_docs", { docs: [{ _id: "a" }, { _id: "b" }] });
    assert.equal(await value("couchdb/document_writes"), writes + 2);
    assert.equal(await value("couchdb/httpd/bulk_requests"), 1);
    const reads = await value("couchdb/database_reads");
    await client.get("/notes/a");
    assert.ok((await value("couchdb/database_reads")) > reads);
    const all = (await client.get(`${node}/_stats`)).json();
    assert.equal(all.couchdb.request_time.type, "histogram");
    assert.ok(all.couchdb.request_time.value.n >= 10);
    assert.ok(all.couchdb.httpd.requests.value >= all.couchdb.request_time.value.n);
    for (const nowhere of ["nope", "couchdb/nope", "couchdb/toString", "couchdb/commits/value/x"]) {
      assert.equal((await client.get(`${node}/_stats/${nowhere}`)).json(), null, nowhere);
    }
  });

  it("counts live feeds while they are open", async (t) => {
    const world = await startHttpWorld(t);
    await world.client.expect(201, "PUT", "/notes");
    const open = async () =>
      (await world.client.get(`${node}/_stats/couchdb/httpd/clients_requesting_changes`)).json().value;
    const feed = await openFeed(world, "/notes/_changes?feed=continuous&heartbeat=10000&since=now");
    await waitFor("the feed to be counted", async () => (await open()) === 1);
    feed.leave();
    await waitFor("the feed to be gone", async () => (await open()) === 0);
  });
});

describe("_prometheus", () => {
  it("is text that a scraper reads, with the same figures", async (t) => {
    const { client } = await startHttpWorld(t);
    await client.expect(201, "PUT", "/notes");
    for (const id of ["a", "b", "c"]) await client.expect(201, "PUT", `/notes/${id}`, { body: {} });
    const reply = await client.get(`${node}/_prometheus`);
    assert.equal(reply.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    const { text } = reply;
    assert.equal(sample(text, 'settee_http_requests_total{route="/:db/:docid",method="PUT",status="201"}'), 3);
    const duration = "settee_http_request_duration_seconds";
    assert.equal(sample(text, `${duration}_bucket{le="+Inf",route="/:db/:docid"}`), 3);
    assert.equal(sample(text, `${duration}_count{route="/:db/:docid"}`), 3);
    assert.ok((sample(text, `${duration}_sum{route="/:db/:docid"}`) as number) > 0);
    assert.equal(sample(text, 'couchdb_httpd_request_methods{method="PUT"}'), 4);
    assert.ok((sample(text, "settee_commits_total") as number) >= 4);
    assert.ok((sample(text, "settee_commit_seconds_total") as number) > 0);
    assert.ok((sample(text, "process_resident_memory_bytes") as number) > 1e6);
    assert.notEqual(sample(text, "nodejs_eventloop_lag_p99_seconds"), undefined);
    // Every sample belongs to a metric that was described.
    const described = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name));
    for (const [, name = ""] of text.matchAll(/^([a-z_]+)[{ ]/gm)) {
      assert.ok(described.has(name) || described.has(name.replace(/_(bucket|sum|count)$/, "")), name);
    }
    const again = sample((await client.get(`${node}/_prometheus`)).text, "settee_http_requests_total");
    assert.equal(again, undefined, "counts are told by route");
  });
});

describe("_system, _versions, _smoosh", () => {
  it("tell of this process", async (t) => {
    const { client } = await startHttpWorld(t);
    const system = (await client.get(`${node}/_system`)).json();
    assert.ok(system.memory.rss > system.memory.processes_used);
    assert.equal(typeof system.uptime, "number");
    assert.equal(system.run_queue, 1, "this request");
    const versions = (await client.get(`${node}/_versions`)).json();
    assert.equal(versions.node.version, process.versions.node);
    assert.equal(versions.collation_driver.library_version, process.versions.icu);
    const { channels } = (await client.get(`${node}/_smoosh/status`)).json();
    assert.equal(channels.database_compaction.active, 0);
    assert.equal((await client.send("POST", `${node}/_restart`)).status, 403);
  });
});

describe("measurements", () => {
  it("may be read by a user with the role _metrics, who may do nothing else", async (t) => {
    const { client } = await startHttpWorld(t);
    const scraper = { name: "scraper", password: "a-password-of-it", roles: ["_metrics"], type: "user" };
    await client.expect(201, "PUT", "/_users/org.couchdb.user:scraper", { body: scraper });
    const authorization = basic("scraper", "a-password-of-it");
    for (const path of ["_stats", "_stats/couchdb", "_system", "_prometheus"]) {
      assert.equal((await client.get(`${node}/${path}`, { authorization })).status, 200, path);
      const nobody = await client.get(`${node}/${path}`, { authorization: null });
      assert.equal(nobody.status, 401, path);
      assert.equal(nobody.json().reason, "You are not a server admin or read-only metrics user");
    }
    for (const path of [`${node}/_config`, `${node}/_versions`, "/_all_dbs", "/_db_updates", "/_users/_all_docs"]) {
      assert.ok([401, 403].includes((await client.get(path, { authorization })).status), path);
    }
    const admin = { ...scraper, name: "eve", roles: ["_admin"] };
    assert.equal((await client.put("/_users/org.couchdb.user:eve", admin)).status, 403);
  });
});
