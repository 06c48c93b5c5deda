import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openFeed } from "../../helpers/feed-reader.js";
import { startHttpWorld } from "../../helpers/http-world.js";
import type { Cleanup } from "../../helpers/temp-store.js";
import { waitFor } from "../../helpers/wait-for.js";

async function startWorld(t: Cleanup) {
  const world = await startHttpWorld(t);
  const { client } = world;
  const lastSeq = async (): Promise<string> => (await client.get("/_db_updates?since=now")).json().last_seq;
  const write = (name: string) => client.expect(201, "POST", `/${name}`, { body: {} });
  await client.expect(201, "PUT", "/a");
  await client.expect(201, "PUT", "/b");
  return { ...world, lastSeq, write };
}

const kinds = (rows: readonly Record<string, unknown>[]) => rows.map(({ type, db_name }) => `${type} ${db_name}`);

describe("GET /_db_updates", () => {
  it("lists what happened since a sequence, and where to go on", async (t) => {
    const { client, write, lastSeq } = await startWorld(t);
    const since = await lastSeq();
    await write("b");
    await client.expect(200, "DELETE", "/a");
    const { results, last_seq } = (await client.get(`/_db_updates?since=${since}`)).json();
    assert.deepEqual(kinds(results), ["updated b", "deleted a"]);
    assert.equal(results[1].seq, last_seq);
    assert.deepEqual((await client.get(`/_db_updates?since=${last_seq}`)).json(), { results: [], last_seq });
    const { results: all } = (await client.get("/_db_updates")).json();
    assert.ok(kinds(all).includes("created b"));
    assert.ok(!kinds(all).includes("created a"));
  });

  it("is cut by a limit, and goes on behind it", async (t) => {
    const { client } = await startWorld(t);
    const all = (await client.get("/_db_updates")).json().results;
    const rows: Record<string, unknown>[] = [];
    for (let since = "0"; rows.length < all.length; ) {
      const page = (await client.get(`/_db_updates?limit=2&since=${since}`)).json();
      assert.ok(page.results.length <= 2);
      rows.push(...page.results);
      since = page.last_seq;
    }
    assert.deepEqual(rows, all);
    assert.deepEqual((await client.get("/_db_updates?limit=0")).json().results, []);
    const newest = (await client.get("/_db_updates?descending=true&limit=1")).json().results;
    assert.deepEqual(newest, [all.at(-1)]);
  });

  it("has an entity tag for what it shows", async (t) => {
    const { client, write } = await startWorld(t);
    const { headers } = await client.get("/_db_updates");
    const again = () => client.get("/_db_updates", { headers: { "if-none-match": String(headers.etag) } });
    assert.equal((await again()).status, 304);
    await write("a");
    assert.equal((await again()).status, 200);
  });
});

describe("feeds of /_db_updates", () => {
  it("longpoll waits for the next update, and says so when there is none", async (t) => {
    const world = await startWorld(t);
    const since = await world.lastSeq();
    const feed = await openFeed(world, `/_db_updates?feed=longpoll&since=${since}`);
    await world.write("a");
    const { results, last_seq } = JSON.parse(await feed.end());
    assert.deepEqual(kinds(results), ["updated a"]);
    const nothing = await world.client.get(`/_db_updates?feed=longpoll&since=${last_seq}&timeout=1`);
    assert.deepEqual(nothing.json(), { results: [], last_seq });
    const at = await world.client.get(`/_db_updates?feed=longpoll&since=${since}`);
    assert.deepEqual(kinds(at.json().results), ["updated a"], "it answers at once when there is something");
  });

  it("continuous catches up, then goes on, with a line for each", async (t) => {
    const world = await startWorld(t);
    const since = await world.lastSeq();
    await world.write("a");
    const feed = await openFeed(world, `/_db_updates?feed=continuous&since=${since}&heartbeat=10`);
    assert.deepEqual(kinds(await feed.until(1)), ["updated a"]);
    await world.write("b");
    await world.write("a");
    assert.deepEqual(kinds(await feed.until(3)), ["updated a", "updated b", "updated a"]);
    feed.leave();
  });

  it("continuous ends with its last sequence at the limit and after the timeout", async (t) => {
    const world = await startWorld(t);
    const limited = await openFeed(world, "/_db_updates?feed=continuous&limit=1");
    await limited.end();
    const [row, end] = limited.lines;
    assert.equal(end?.["last_seq"], row?.["seq"]);
    const timed = await openFeed(world, "/_db_updates?feed=continuous&since=now&timeout=1");
    await timed.end();
    assert.deepEqual(timed.lines, [{ last_seq: await world.lastSeq() }]);
  });

  it("eventsource sends events that can be gone on from, and heartbeats", async (t) => {
    const world = await startWorld(t);
    const since = await world.lastSeq();
    await world.write("a");
    const feed = await openFeed(world, "/_db_updates?feed=eventsource&timeout=1", { "last-event-id": `"${since}"` });
    const text = await feed.end();
    assert.match(String(feed.headers["content-type"]), /^text\/event-stream/);
    const seq = await world.lastSeq();
    assert.equal(text, `data: {"db_name":"a","type":"updated","seq":"${seq}"}\nid: "${seq}"\n\n\n`);
  });

  it("end when the client goes away", async (t) => {
    const world = await startWorld(t);
    const feed = await openFeed(world, "/_db_updates?feed=continuous&since=now&heartbeat=true");
    const { updates } = world.databases;
    await waitFor("the feed to listen", () => updates.listenerCount === 1);
    feed.leave();
    await waitFor("the feed to be gone", () => updates.listenerCount === 0);
  });
});
