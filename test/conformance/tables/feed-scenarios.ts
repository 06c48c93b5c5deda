/** What feeds do in time. Nothing here sleeps: what has arrived is waited for, and when it came is looked at. */
import assert from "node:assert/strict";
import { type FeedReader, openFeed } from "../../helpers/feed-reader.js";
import { openSockets } from "../../helpers/process-facts.js";
import { waitFor } from "../../helpers/wait-for.js";
import type { Scenario } from "./table.js";
import type { World } from "./world.js";

interface Change {
  readonly seq: string;
  readonly id: string;
  readonly deleted?: true;
}

/** Milliseconds that an event may be late on a busy machine. */
const tolerance = 1500;
/** Milliseconds that a timer may be early by rounding. */
const early = 15;

const changesOf = (feed: FeedReader): readonly Change[] =>
  feed.lines.filter((line) => "id" in line) as unknown as readonly Change[];
const idsOf = (changes: readonly Change[]): readonly string[] => changes.map(({ id }) => id);

/** Of a feed that is whole JSON. */
async function finished(feed: FeedReader): Promise<{ readonly results: readonly Change[]; readonly last_seq: string }> {
  return JSON.parse(await feed.end());
}

async function all(world: World, database: string, query = ""): Promise<readonly Change[]> {
  const reply = await world.client.expect(200, "GET", `/${database}/_changes${query}`);
  return reply.json().results;
}

function between(elapsed: number, least: number, what: string): void {
  assert.ok(elapsed >= least - early, `${what} after ${Math.round(elapsed)} ms, not before ${least} ms`);
  assert.ok(elapsed <= least + tolerance, `${what} after ${Math.round(elapsed)} ms, wanted after ${least} ms`);
}

/** From one sign of life to the fifth after it: what stands before the first differs from server to server. */
async function heartbeats(world: World, feed: string, sign: string): Promise<void> {
  const database = await world.database();
  const period = 100;
  const reader = await openFeed(world, `/${database}/_changes?feed=${feed}&since=now&heartbeat=${period}`);
  const count = (): number => reader.text.split(sign).length - 1;
  await waitFor("a first heartbeat", () => count() >= 2, { interval: 2 });
  const seen = count();
  const began = performance.now();
  await waitFor("five more heartbeats", () => count() >= seen + 5, { interval: 2 });
  // The first of them was seen up to a look late.
  between(performance.now() - began + early, 5 * period, "five heartbeats");
  assert.equal(reader.complete, false);
  reader.leave();
}

export const feedScenarios: readonly Scenario[] = [
  { name: "heartbeat of a continuous feed", run: (world) => heartbeats(world, "continuous", "\n") },
  { name: "heartbeat of a longpoll", run: (world) => heartbeats(world, "longpoll", "\n") },
  {
    name: "heartbeat of an event source",
    run: (world) => heartbeats(world, "eventsource", "event: heartbeat\ndata: \n\n"),
  },
  {
    name: "a longpoll without changes ends with its timeout",
    async run(world) {
      const database = await world.database();
      const began = performance.now();
      const feed = await openFeed(world, `/${database}/_changes?feed=longpoll&timeout=300`);
      const { results, last_seq } = await finished(feed);
      between(performance.now() - began, 300, "the end");
      assert.deepEqual(results, []);
      assert.match(last_seq, /^0/);
    },
  },
  {
    name: "a continuous feed without changes ends with its timeout, and says how far it came",
    async run(world) {
      const database = await world.database();
      await world.write(database, [{ _id: "a" }]);
      const [change] = await all(world, database);
      const began = performance.now();
      const feed = await openFeed(world, `/${database}/_changes?feed=continuous&timeout=300`);
      await feed.end();
      between(performance.now() - began, 300, "the end");
      assert.deepEqual(idsOf(changesOf(feed)), ["a"]);
      assert.equal(
        Number.parseInt(String(feed.lines.at(-1)?.["last_seq"]), 10),
        Number.parseInt(change?.seq ?? "", 10),
      );
    },
  },
  {
    name: "a heartbeat keeps a feed open beyond its timeout",
    async run(world) {
      const database = await world.database();
      const feed = await openFeed(world, `/${database}/_changes?feed=continuous&timeout=100&heartbeat=100`);
      await waitFor("six heartbeats", () => feed.text.length >= 6);
      assert.equal(feed.complete, false);
      feed.leave();
    },
  },
  {
    name: "a longpoll returns with the first change, and with nothing else",
    async run(world) {
      const database = await world.database();
      await world.write(database, [{ _id: "before" }]);
      const opened = openFeed(world, `/${database}/_changes?feed=longpoll&since=now&heartbeat=50`);
      const feed = await opened;
      await waitFor("a heartbeat", () => feed.text.includes("\n\n"));
      assert.equal(feed.complete, false);
      await world.write(database, [{ _id: "after" }]);
      const { results, last_seq } = await finished(feed);
      assert.deepEqual(idsOf(results), ["after"]);
      assert.equal(last_seq, results[0]?.seq);
    },
  },
  {
    name: "a longpoll with changes behind it returns at once with all of them",
    async run(world) {
      const database = await world.database();
      await world.write(database, [{ _id: "a" }, { _id: "b" }]);
      const { results } = await finished(await openFeed(world, `/${database}/_changes?feed=longpoll`));
      assert.deepEqual(idsOf(results), idsOf(await all(world, database)));
    },
  },
  {
    name: "100 longpolls are ended by one write",
    async run(world) {
      const database = await world.database();
      const path = `/${database}/_changes?feed=longpoll&since=now&heartbeat=1000`;
      const feeds = await Promise.all(Array.from({ length: 100 }, () => openFeed(world, path)));
      await world.write(database, [{ _id: "a" }]);
      for (const feed of feeds) assert.deepEqual(idsOf((await finished(feed)).results), ["a"]);
    },
  },
  {
    name: "a continuous feed brings each of 1,000 concurrent writes once and in order",
    async run(world) {
      const database = await world.database();
      const path = `/${database}/_changes?feed=continuous&since=0&heartbeat=1000`;
      const feeds = await Promise.all([openFeed(world, path), openFeed(world, path)]);
      const ids = Array.from({ length: 1000 }, (_, index) => `d${index}`);
      const waiting = [...ids];
      const writer = async (): Promise<void> => {
        for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
          await world.client.expect(201, "PUT", `/${database}/${id}`, { body: {} });
        }
      };
      await Promise.all(Array.from({ length: 100 }, writer));
      const order = idsOf(await all(world, database));
      for (const feed of feeds) {
        const changes = await waitFor(
          "1,000 changes",
          () => {
            const seen = changesOf(feed);
            return seen.length >= 1000 && seen;
          },
          { interval: 50 },
        );
        assert.deepEqual(idsOf(changes).toSorted(), ids.toSorted());
        assert.deepEqual(idsOf(changes), order);
        feed.leave();
      }
    },
  },
  {
    name: "a feed that is begun in the middle of writes misses none",
    async run(world) {
      const database = await world.database();
      const writing = Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          world.client.expect(201, "PUT", `/${database}/d${index}`, { body: {} }),
        ),
      );
      const feed = await openFeed(world, `/${database}/_changes?feed=continuous&since=0&heartbeat=1000`);
      await writing;
      await waitFor("200 changes", () => changesOf(feed).length >= 200);
      assert.equal(new Set(idsOf(changesOf(feed))).size, 200);
      assert.equal(changesOf(feed).length, 200);
      feed.leave();
    },
  },
  {
    name: "since=now",
    async run(world) {
      const database = await world.database();
      await world.write(database, [{ _id: "before" }]);
      const feed = await openFeed(world, `/${database}/_changes?feed=continuous&since=now&heartbeat=100`);
      await waitFor("a heartbeat", () => feed.text.length >= 2);
      await world.write(database, [{ _id: "after" }]);
      await waitFor("a change", () => changesOf(feed).length > 0);
      assert.deepEqual(idsOf(changesOf(feed)), ["after"]);
      feed.leave();
      assert.deepEqual(await all(world, database, "?since=now"), []);
    },
  },
  {
    name: "limit ends a continuous feed where it is reached",
    async run(world) {
      const database = await world.database();
      const feed = await openFeed(world, `/${database}/_changes?feed=continuous&since=0&heartbeat=1000&limit=3`);
      for (const _id of ["a", "b", "c", "d"]) await world.write(database, [{ _id }]);
      await feed.end();
      const changes = changesOf(feed);
      assert.deepEqual(idsOf(changes), ["a", "b", "c"]);
      assert.equal(feed.lines.at(-1)?.["last_seq"], changes.at(-1)?.seq);
      const rest = await all(world, database, `?since=${encodeURIComponent(changes.at(-1)?.seq ?? "")}`);
      assert.deepEqual(idsOf(rest), ["d"]);
    },
  },
  {
    name: "descending begins with the newest, and does not wait",
    async run(world) {
      const database = await world.database();
      await world.write(database, [{ _id: "a" }, { _id: "b" }, { _id: "c" }]);
      const backwards = idsOf(await all(world, database)).toReversed();
      assert.deepEqual(idsOf(await all(world, database, "?descending=true")), backwards);
      const feed = await openFeed(world, `/${database}/_changes?feed=longpoll&descending=true&heartbeat=1000`);
      assert.deepEqual(idsOf((await finished(feed)).results), backwards);
    },
  },
  {
    name: "the filter _doc_ids, by query and by body",
    async run(world) {
      const database = await world.database();
      await world.write(database, [{ _id: "a" }, { _id: "b" }]);
      const path = `/${database}/_changes?feed=continuous&heartbeat=1000&filter=_doc_ids`;
      const ids = encodeURIComponent(JSON.stringify(["b", "later"]));
      const feeds = [
        await openFeed(world, `${path}&doc_ids=${ids}`),
        await openFeed(world, path, {}, { doc_ids: ["b", "later"] }),
      ];
      await world.write(database, [{ _id: "c" }, { _id: "later" }, { _id: "d" }]);
      for (const feed of feeds) {
        await waitFor("two changes", () => changesOf(feed).length >= 2);
        assert.deepEqual(idsOf(changesOf(feed)), ["b", "later"]);
        feed.leave();
      }
    },
  },
  {
    name: "the filter _design",
    async run(world) {
      const database = await world.database();
      await world.write(database, [{ _id: "a" }, { _id: "_design/a" }]);
      const feed = await openFeed(world, `/${database}/_changes?feed=continuous&heartbeat=1000&filter=_design`);
      await world.write(database, [{ _id: "b" }, { _id: "_design/b" }]);
      await waitFor("two changes", () => changesOf(feed).length >= 2);
      assert.deepEqual(idsOf(changesOf(feed)), ["_design/a", "_design/b"]);
      feed.leave();
    },
  },
  {
    name: "an event source, and where it goes on",
    async run(world) {
      const database = await world.database();
      await world.write(database, [{ _id: "a" }]);
      await world.write(database, [{ _id: "b" }]);
      const path = `/${database}/_changes?feed=eventsource&timeout=200`;
      const feed = await openFeed(world, path);
      const events = (await feed.end()).trim().split("\n\n");
      assert.match(String(feed.headers["content-type"]), /^text\/event-stream/);
      assert.equal(feed.headers["cache-control"], "no-cache");
      const [first = "", ...more] = events;
      const [, data = "", id = ""] = /^data: (.*)\nid: (.*)$/.exec(first) ?? [];
      assert.equal((JSON.parse(data) as Change).id, "a");
      assert.equal(more.length, 1);
      const rest = await openFeed(world, path, { "last-event-id": id });
      assert.deepEqual((await rest.end()).match(/"id":"\w+"/g), ['"id":"b"']);
    },
  },
  {
    name: "a feed ends with its last sequence when its database is deleted",
    only: "settee",
    because: "CouchDB's feeds notice it at their next heartbeat or timeout, and then break off",
    async run(world) {
      const database = await world.database();
      await world.write(database, [{ _id: "a" }]);
      const path = `/${database}/_changes?heartbeat=10000`;
      const feed = await openFeed(world, `${path}&feed=continuous`);
      const poll = await openFeed(world, `${path}&feed=longpoll&since=now`);
      const events = await openFeed(world, `${path}&feed=eventsource`);
      await feed.until(1);
      await world.client.expect(200, "DELETE", `/${database}`);
      await feed.end();
      assert.equal(feed.lines.at(-1)?.["last_seq"], changesOf(feed)[0]?.seq);
      assert.deepEqual((await finished(poll)).results, []);
      await events.end();
    },
  },
  {
    name: "feeds end with their last sequence when the server stops",
    needs: "process",
    async run(world) {
      const database = await world.database();
      await world.write(database, [{ _id: "a" }]);
      const path = `/${database}/_changes?heartbeat=10000`;
      const feed = await openFeed(world, `${path}&feed=continuous`);
      const poll = await openFeed(world, `${path}&feed=longpoll&since=now`);
      const events = await openFeed(world, `${path}&feed=eventsource`);
      await feed.until(1);
      const began = performance.now();
      assert.equal(await world.process.stop(), "code 0");
      const elapsed = performance.now() - began;
      assert.ok(elapsed < 5000, `the server took ${Math.round(elapsed)} ms to stop`);
      await feed.end();
      assert.equal(feed.lines.at(-1)?.["last_seq"], changesOf(feed)[0]?.seq);
      assert.deepEqual((await finished(poll)).results, []);
      await events.end();
      await world.process.restart();
    },
  },
  {
    name: "clients that go away are forgotten",
    needs: "process",
    async run(world) {
      const database = await world.database();
      const sockets = (): number => openSockets(world.process.pid) ?? 0;
      const listeners = async (): Promise<number> => {
        const path = "/_node/_local/_stats/couchdb/httpd/clients_requesting_changes";
        return (await world.client.expect(200, "GET", path)).json().value;
      };
      assert.equal(await listeners(), 0);
      const before = sockets();
      const kinds = ["continuous", "longpoll", "eventsource"];
      const feeds = await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          openFeed(world, `/${database}/_changes?feed=${kinds[index % 3]}&since=now&heartbeat=60000`),
        ),
      );
      assert.ok(before === 0 || sockets() >= before + 60, "the feeds have a socket each");
      assert.equal(await listeners(), 60);
      for (const feed of feeds) feed.leave();
      await waitFor("their sockets to be closed", () => sockets() <= before);
      await waitFor("their feeds to be forgotten", async () => (await listeners()) === 0);
      await world.write(database, [{ _id: "a" }]);
    },
  },
];
