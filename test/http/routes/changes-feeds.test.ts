import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDatabaseName } from "../../../protocol/ids.js";
import type { Database } from "../../../server/documents/database.js";
import { openFeed } from "../../helpers/feed-reader.js";
import { type HttpWorld, startHttpWorld } from "../../helpers/http-world.js";
import { edit, writeOne } from "../../helpers/incoming-revisions.js";
import type { Cleanup } from "../../helpers/temp-store.js";
import { waitFor } from "../../helpers/wait-for.js";

const name = parseDatabaseName("notes");

async function startNotes(t: Cleanup): Promise<HttpWorld & { readonly database: Database }> {
  const world = await startHttpWorld(t);
  return { ...world, database: await world.databases.create(name) };
}

const idsOf = (lines: readonly Record<string, unknown>[]): readonly unknown[] => lines.map(({ id }) => id);

describe("feeds that wait", () => {
  test("continuous: what is there, then each commit as it comes, until the limit", async (t) => {
    const world = await startNotes(t);
    const { database } = world;
    await writeOne(database, edit("a"));
    const feed = await openFeed(world, "/notes/_changes?feed=continuous&limit=3");
    assert.deepEqual(idsOf(await feed.until(1)), ["a"]);
    assert.equal(feed.headers["content-type"], "application/json");
    await writeOne(database, edit("b"));
    assert.deepEqual(idsOf(await feed.until(2)), ["a", "b"]);
    await database.write([edit("c"), edit("d")], "trusted");
    const text = await feed.end();
    assert.ok(text.endsWith(`{"last_seq":"${database.seqText(3)}","pending":1}\n\n`), text);
    assert.deepEqual(idsOf(feed.lines), ["a", "b", "c", undefined]);
    assert.equal(database.log.followed, false);
  });

  test("live is another word for continuous; since=now leaves out what was there; documents come with their rows", async (t) => {
    const world = await startNotes(t);
    await writeOne(world.database, edit("a"));
    const feed = await openFeed(world, "/notes/_changes?feed=live&since=now&include_docs=true&limit=1");
    await waitFor("a listener", () => world.database.log.followed);
    const rev = await writeOne(world.database, edit("b", { body: { text: "new" } }));
    await feed.end();
    assert.deepEqual(feed.lines[0]?.["doc"], { _id: "b", _rev: rev, text: "new" });
  });

  test("longpoll: answers with the first commit", async (t) => {
    const world = await startNotes(t);
    const feed = await openFeed(world, "/notes/_changes?feed=longpoll&since=now");
    await waitFor("a listener", () => world.database.log.followed);
    await world.database.write([edit("a"), edit("b")], "trusted");
    const { results, last_seq } = JSON.parse(await feed.end());
    assert.deepEqual([idsOf(results), last_seq], [["a", "b"], world.database.seqText(2)]);
  });

  test("longpoll begins its answer at once and keeps it valid through heartbeats", async (t) => {
    const world = await startNotes(t);
    const feed = await openFeed(world, "/notes/_changes?feed=longpoll&heartbeat=20");
    await waitFor("heartbeats", () => feed.text === '{"results":[\n\n\n');
    await writeOne(world.database, edit("a"));
    assert.deepEqual(idsOf(JSON.parse(await feed.end()).results), ["a"]);
  });

  test("eventsource: events with their sequence as id, from the header's sequence on", async (t) => {
    const world = await startNotes(t);
    const { database } = world;
    await database.write([edit("a"), edit("b")], "trusted");
    const path = "/notes/_changes?feed=eventsource&limit=1&since=0";
    const feed = await openFeed(world, path, { "last-event-id": `"${database.seqText(1)}"` });
    const [, rev] = /"rev":"([^"]+)"/.exec(await feed.end()) as unknown as [string, string];
    const seq = database.seqText(2);
    assert.equal(feed.text, `data: {"seq":"${seq}","id":"b","changes":[{"rev":"${rev}"}]}\nid: "${seq}"\n\n\n`);
    assert.equal(feed.headers["content-type"], "text/event-stream");
    assert.equal(feed.headers["cache-control"], "no-cache");
  });

  test("a quiet feed ends after its timeout, and after changes that it does not want", async (t) => {
    const world = await startNotes(t);
    const feed = await openFeed(world, "/notes/_changes?feed=continuous&timeout=50&filter=_design");
    await writeOne(world.database, edit("a"));
    const text = await feed.end();
    assert.match(text, /^\{"last_seq":"[01]-\w+","pending":[01]\}\n\n$/);
  });

  test("heartbeats come at their interval, and again after it, in place of the timeout", async (t) => {
    const world = await startNotes(t);
    const began = performance.now();
    const feed = await openFeed(world, "/notes/_changes?feed=continuous&heartbeat=40&timeout=1");
    await waitFor("three heartbeats", () => feed.text === "\n\n\n", { interval: 1 });
    const waited = performance.now() - began;
    assert.ok(waited >= 110, `three heartbeats after ${waited} ms`);
    feed.leave();
  });

  test("filters by ids see the future too", async (t) => {
    const world = await startNotes(t);
    const { database } = world;
    await database.write([edit("a"), edit("b")], "trusted");
    const feed = await openFeed(
      world,
      "/notes/_changes?feed=continuous&filter=_doc_ids&limit=3",
      {},
      { doc_ids: ["b", "c"] },
    );
    assert.deepEqual(idsOf(await feed.until(1)), ["b"]);
    await writeOne(database, edit("d"));
    await writeOne(database, edit("c"));
    const rev = (feed.lines[0] as { changes: [{ rev: string }] }).changes[0].rev;
    await writeOne(database, edit("b", { on: rev }));
    await feed.end();
    assert.deepEqual(idsOf(feed.lines), ["b", "c", "b", undefined]);
  });

  test("the feed of a deleted database ends with its last sequence", async (t) => {
    const world = await startNotes(t);
    await writeOne(world.database, edit("a"));
    const feed = await openFeed(world, "/notes/_changes?feed=continuous&heartbeat=true");
    await feed.until(1);
    await world.databases.delete(name);
    assert.ok((await feed.end()).endsWith(`{"last_seq":"${world.database.seqText(1)}","pending":0}\n\n`));
  });

  test("feeds of all kinds end cleanly when the server stops", async (t) => {
    const world = await startNotes(t);
    await writeOne(world.database, edit("a"));
    const continuous = await openFeed(world, "/notes/_changes?feed=continuous");
    const longpoll = await openFeed(world, "/notes/_changes?feed=longpoll&since=now&heartbeat=true");
    const events = await openFeed(world, "/notes/_changes?feed=eventsource&since=now");
    await continuous.until(1);
    world.stopping.abort();
    const lastSeq = world.database.seqText(1);
    assert.ok((await continuous.end()).endsWith(`{"last_seq":"${lastSeq}","pending":0}\n\n`));
    assert.deepEqual(JSON.parse(await longpoll.end()), { results: [], last_seq: lastSeq, pending: 0 });
    assert.equal(await events.end(), "\n");
    assert.equal(world.database.log.followed, false);
  });

  test("a client that goes away leaves nothing behind", async (t) => {
    const world = await startNotes(t);
    const feeds = ["feed=continuous&heartbeat=true", "feed=longpoll&heartbeat=true", "feed=eventsource"];
    const open = await Promise.all(feeds.map((query) => openFeed(world, `/notes/_changes?${query}`)));
    await waitFor("listeners", () => world.database.log.followed);
    for (const feed of open) feed.leave();
    await waitFor("no listener", () => !world.database.log.followed);
  });

  test("HEAD begins no feed", async (t) => {
    const world = await startNotes(t);
    const reply = await world.client.send("HEAD", "/notes/_changes?feed=continuous&heartbeat=true");
    assert.deepEqual([reply.status, world.database.log.followed], [200, false]);
  });

  test("a reader who does not read holds up neither writers nor memory, and misses nothing", async (t) => {
    const world = await startNotes(t);
    const { database } = world;
    const body = { text: "x".repeat(2000) };
    const count = 6000;
    const feed = await openFeed(world, `/notes/_changes?feed=continuous&include_docs=true&limit=${count}`);
    feed.pause();
    const ids = Array.from({ length: count }, (_, index) => `doc-${index}`);
    // More bytes than sockets hold, more changes than a feed keeps: it has to fall back to the store.
    for (let from = 0; from < count; from += 500) {
      await database.write(
        ids.slice(from, from + 500).map((id) => edit(id, { body })),
        "trusted",
      );
    }
    feed.resume();
    await feed.end();
    assert.deepEqual(idsOf(feed.lines).slice(0, -1), ids);
  });
});
