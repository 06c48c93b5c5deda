import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type FeedReader, openFeed } from "../../helpers/feed-reader.js";
import type { HttpClient } from "../../helpers/http-client.js";
import { basic } from "../../helpers/http-client.js";
import { password, type SharedServer, startSharedServer } from "../../helpers/shared-server.js";
import { waitFor } from "../../helpers/wait-for.js";

let server: SharedServer;
let ada: HttpClient;
let bob: HttpClient;
before(async () => {
  server = await startSharedServer();
  [ada, bob] = [await server.as("ada"), await server.as("bob")];
});
after(() => server.close());

async function make(client: HttpClient, kind = "shared"): Promise<string> {
  return (await client.expect(201, "POST", "/_settee/databases", { body: { template: "shared", kind } })).json().name;
}

function follow(user: string, query: string, headers: Readonly<Record<string, string>> = {}): Promise<FeedReader> {
  const adminHeaders = { authorization: basic(user, password) };
  return openFeed({ url: server.url, adminHeaders }, `/_settee/me/changes?${query}`, headers);
}

const told = (lines: readonly Record<string, unknown>[]) => lines.map(({ type, db_name }) => `${type} ${db_name}`);

describe("GET /_settee/me", () => {
  it("tells who one is, and of each database its role, size and last change", async () => {
    const name = await make(ada);
    const body = { role: "reader" };
    await ada.expect(200, "PUT", `/_settee/databases/${name}/members/bob`, { body });
    const began = Date.now();
    await ada.expect(201, "PUT", `/${name}/note`, { body: { type: "note", text: "x".repeat(1000) } });
    const me = (await bob.get("/_settee/me")).json();
    assert.deepEqual([me.name, me.roles], ["bob", []]);
    assert.deepEqual(
      me.databases.map((each: { kind: string; role: string }) => [each.kind, each.role]),
      [
        ["own", "owner"],
        ["shared", "reader"],
      ],
    );
    const [, told] = me.databases;
    const info = (await bob.get(`/${name}`)).json();
    assert.deepEqual(
      [told.name, told.owner, told.documents, told.size, told.update_seq],
      [name, "ada", info.doc_count, info.sizes.external, info.update_seq],
    );
    // To a minute: it may have been noted when the database was made, a moment before.
    assert.ok(Math.abs(Date.parse(told.last_change) - began) < 60_000, told.last_change);
    assert.deepEqual(me.quota.databases, { used: 1, limit: 100 });
    assert.equal((await server.guest.get("/_settee/me")).status, 401);
  });
});

describe("GET /_settee/me/changes", () => {
  it("tells over one connection which of fifty databases changed, and of nobody else's", async () => {
    const cyd = await server.as("cyd");
    const names: string[] = [];
    for (let i = 0; i < 50; i++) names.push(await make(ada));
    await server.as("dan");
    for (const name of names) {
      await ada.expect(200, "PUT", `/_settee/databases/${name}/members/dan`, { body: { role: "reader" } });
    }
    const feed = await follow("dan", "feed=continuous&since=now&heartbeat=1000");
    const others = await make(cyd);
    await cyd.expect(201, "PUT", `/${others}/note`, { body: { type: "note" } });
    for (const name of names) await ada.expect(201, "PUT", `/${name}/note`, { body: { type: "note" } });
    const lines = await feed.until(50);
    assert.deepEqual(told(lines).sort(), names.map((name) => `updated ${name}`).sort());
    assert.ok(!feed.text.includes(others));
    feed.leave();
  });

  it("tells of databases that come and go, and goes on from a sequence", async () => {
    const eve = await server.as("eve");
    const first = (await eve.get("/_settee/me/changes?since=now")).json();
    assert.deepEqual(first.results, []);
    const feed = await follow("eve", "feed=continuous&since=now&heartbeat=1000");
    const name = await make(ada);
    const member = `/_settee/databases/${name}/members/eve`;
    await ada.expect(200, "PUT", member, { body: { role: "reader" } });
    await feed.until(1);
    await ada.expect(201, "PUT", `/${name}/note`, { body: { type: "note" } });
    await feed.until(2);
    await ada.expect(200, "DELETE", member);
    await feed.until(3);
    await ada.expect(201, "PUT", `/${name}/another`, { body: { type: "note" } });
    const trashed = await make(ada);
    await ada.expect(200, "PUT", `/_settee/databases/${trashed}/members/eve`, { body: { role: "writer" } });
    await feed.until(4);
    await ada.expect(200, "DELETE", `/_settee/databases/${trashed}`);
    const lines = await feed.until(5);
    const wanted = [
      `granted ${name}`,
      `updated ${name}`,
      `revoked ${name}`,
      `granted ${trashed}`,
      `deleted ${trashed}`,
    ];
    assert.deepEqual(told(lines), wanted);
    feed.leave();

    // Whoever was away is told of what is different since, once.
    const since = encodeURIComponent(first.last_seq);
    const { results, last_seq } = (await eve.get(`/_settee/me/changes?since=${since}`)).json();
    assert.deepEqual(told(results), [`revoked ${name}`, `deleted ${trashed}`]);
    const again = (await eve.get(`/_settee/me/changes?since=${encodeURIComponent(last_seq)}`)).json();
    assert.deepEqual(again.results, []);
    const middle = encodeURIComponent(String(lines[0]?.["seq"]));
    const rest = (await eve.get(`/_settee/me/changes?since=${middle}`)).json();
    assert.deepEqual(told(rest.results), [`revoked ${name}`, `deleted ${trashed}`]);
  });

  it("answers a longpoll at once when something is there, and else when it comes", async () => {
    const name = await make(bob);
    const { last_seq } = (await bob.get("/_settee/me/changes?since=now")).json();
    const since = encodeURIComponent(last_seq);
    const feed = await follow("bob", `feed=longpoll&since=${since}&heartbeat=1000`);
    await bob.expect(201, "PUT", `/${name}/note`, { body: { type: "note" } });
    const answer = JSON.parse(await feed.end());
    assert.deepEqual(told(answer.results), [`updated ${name}`]);
    const late = await follow("bob", `feed=longpoll&since=${since}`);
    assert.deepEqual(told(JSON.parse(await late.end()).results), [`updated ${name}`]);
    const next = encodeURIComponent(answer.last_seq);
    const quiet = await follow("bob", `feed=longpoll&since=${next}&timeout=50`);
    assert.deepEqual(JSON.parse(await quiet.end()).results, []);
  });

  it("goes on from the id of its last event", async () => {
    const name = await make(bob);
    const feed = await follow("bob", "feed=eventsource&since=now");
    await bob.expect(201, "PUT", `/${name}/note`, { body: { type: "note" } });
    await waitFor("an event", () => feed.text.includes(`"db_name":"${name}"`));
    const [, id] = /id: ("[^"]+")/.exec(feed.text) ?? [];
    feed.leave();
    await bob.expect(201, "PUT", `/${name}/other`, { body: { type: "note" } });
    const next = await follow("bob", "feed=eventsource&since=0", { "last-event-id": String(id) });
    await waitFor("another event", () => next.text.includes("data: {"));
    assert.match(next.text, /^data: \{"db_name":"[^"]+","type":"updated"/);
    next.leave();
  });

  it("refuses what is no sequence of its own", async () => {
    for (const since of ["1", "1-a", "x~1", "1-zzz~-1", "9".repeat(50), `1-${"a".repeat(100)}~1`, "1-a~1~1"]) {
      const reply = await bob.get(`/_settee/me/changes?since=${encodeURIComponent(since)}`);
      assert.equal(reply.status, 400, `${since}: ${reply.text}`);
    }
    assert.equal((await server.guest.get("/_settee/me/changes")).status, 401);
  });

  it("ends with the account", async () => {
    await server.as("fay");
    const feed = await follow("fay", "feed=continuous&since=now&heartbeat=1000");
    const path = "/_users/org.couchdb.user:fay";
    const { _rev } = (await server.admin.get(path)).json();
    await server.admin.expect(200, "DELETE", `${path}?rev=${_rev}`);
    await feed.end();
    assert.ok(feed.complete);
  });
});
