/** Bodies that are large, streams, and readers who stop reading. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";
import { openFeed } from "../../helpers/feed-reader.js";
import { waitFor, within } from "../../helpers/wait-for.js";
import { withFlatMemory } from "./flat-memory.js";
import type { Scenario, Table } from "./table.js";
import type { World } from "./world.js";

const megabyte = 2 ** 20;
/** Of the big database: 50,000 documents of a kilobyte. */
const bigCount = 50_000;
const text = "x".repeat(1000);

/** One for all scenarios of a server: making it is a scenario of its own. */
const bigDatabases = new WeakMap<World, Promise<string>>();

function bigDatabase(world: World): Promise<string> {
  let big = bigDatabases.get(world);
  if (!big) {
    big = makeBig(world);
    bigDatabases.set(world, big);
  }
  return big;
}

/** By one `_bulk_docs` of 50 MB. */
async function makeBig(world: World): Promise<string> {
  const database = await world.database();
  const docs = Array.from({ length: bigCount }, (_, index) => ({ _id: `d${String(index).padStart(6, "0")}`, text }));
  const body = Buffer.from(JSON.stringify({ docs }));
  assert.ok(body.length > 50_000_000);
  const reply = await world.client.expect(201, "POST", `/${database}/_bulk_docs`, { body });
  const rows = reply.json() as { readonly ok?: true; readonly id: string }[];
  assert.equal(rows.filter(({ ok }) => ok).length, bigCount);
  assert.deepEqual(
    rows.map(({ id }) => id),
    docs.map(({ _id }) => _id),
  );
  assert.equal((await world.info(database)).doc_count, bigCount);
  return database;
}

interface Begun {
  readonly reply: IncomingMessage;
  /** Milliseconds until the first byte of the body. */
  readonly firstByte: number;
}

/** Reads the first byte of an answer, and nothing more until the reply is resumed. */
function begin(world: World, path: string): Promise<Begun> {
  const { hostname, port } = new URL(world.url);
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, headers: { ...world.adminHeaders } }, (reply) => {
      // Read one piece only: the rest of the answer stays where it is.
      reply.once("readable", () => resolve({ reply, firstByte: performance.now() - began }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function lengthOf({ reply }: Begun): Promise<number> {
  let length = 0;
  for await (const chunk of reply) length += (chunk as Buffer).length;
  return length;
}

/** Other requests, one after the other. Resolves to the longest that one took, in milliseconds. */
async function othersMeanwhile(world: World, isOver: () => boolean): Promise<number> {
  let longest = 0;
  for (let index = 0; !isOver() || index < 20; index++) {
    const began = performance.now();
    await world.client.expect(200, "GET", "/_up");
    longest = Math.max(longest, performance.now() - began);
  }
  return longest;
}

function firstByteIsEarly(name: string, path: string): Scenario {
  return {
    name: `the first byte of ${name} comes long before the last`,
    async run(world) {
      const big = await bigDatabase(world);
      const began = performance.now();
      const begun = await begin(world, `/${big}${path}`);
      assert.ok((await lengthOf(begun)) > 50 * megabyte);
      const whole = performance.now() - began;
      assert.ok(begun.firstByte < whole / 2, `first byte after ${begun.firstByte} ms, the last after ${whole} ms`);
    },
  };
}

/** So many pseudo-random bytes, the same each time. */
function* noise(length: number): Generator<Buffer> {
  const chunk = createHash("sha512").update("noise").digest();
  const block = Buffer.concat(
    Array.from({ length: 1024 }, (_, index) => createHash("sha512").update(chunk).update(`${index}`).digest()),
  );
  for (let left = length; left > 0; left -= block.length) yield block.subarray(0, Math.min(left, block.length));
}

function upload(world: World, path: string, length: number): Promise<number> {
  const { hostname, port } = new URL(world.url);
  const headers = { ...world.adminHeaders, "content-type": "application/octet-stream", "content-length": length };
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method: "PUT", headers }, (reply) => {
      reply.resume();
      reply.on("end", () => resolve(reply.statusCode ?? 0));
    });
    sent.on("error", reject);
    Readable.from(noise(length)).pipe(sent);
  });
}

async function md5(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<string> {
  const hash = createHash("md5");
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("base64");
}

const scenarios: readonly Scenario[] = [
  {
    name: "a document of 7.9 MB, there and back",
    async run(world) {
      const database = await world.database();
      const sent = `{"_id":"large","text":"${"é".repeat(3_949_000)}"}`;
      assert.ok(Buffer.byteLength(sent) > 7_897_000);
      const { rev } = (await world.client.expect(201, "PUT", `/${database}/large`, { body: sent })).json();
      const { text: got } = await world.client.expect(200, "GET", `/${database}/large`);
      assert.ok(got.trim() === sent.replace('"large"', `"large","_rev":"${rev}"`), "the document came back as it went");
    },
  },
  { name: "a _bulk_docs of 50 MB", run: async (world) => void (await bigDatabase(world)) },
  {
    name: "10,000 keys, revisions and questions in one request",
    async run(world) {
      const big = await bigDatabase(world);
      const ids = Array.from({ length: 10_000 }, (_, index) => `d${String(index * 5).padStart(6, "0")}`);
      const listed = await world.client.expect(200, "POST", `/${big}/_all_docs`, { body: { keys: ids.toReversed() } });
      const { rows } = listed.json() as { readonly rows: readonly { readonly id: string }[] };
      assert.deepEqual(
        rows.map(({ id }) => id),
        ids.toReversed(),
      );
      const got = await world.client.expect(200, "POST", `/${big}/_bulk_get`, {
        body: { docs: ids.map((id) => ({ id })) },
      });
      const { results } = got.json() as {
        readonly results: readonly { readonly docs: readonly { readonly ok?: object }[] }[];
      };
      assert.equal(results.filter(({ docs }) => docs[0]?.ok !== undefined).length, 10_000);
      const asked = Object.fromEntries(ids.map((id) => [id, [`2-${"0".repeat(32)}`]]));
      const missing = await world.client.expect(200, "POST", `/${big}/_revs_diff`, { body: asked });
      assert.equal(Object.keys(missing.json()).length, 10_000);
    },
  },
  firstByteIsEarly("_all_docs", "/_all_docs?include_docs=true"),
  firstByteIsEarly("_changes", "/_changes?include_docs=true"),
  {
    name: "readers who stop reading do not fill the server's memory, nor stop the others",
    async run(world) {
      const big = await bigDatabase(world);
      const paths = [
        `/${big}/_all_docs?include_docs=true`,
        `/${big}/_changes?include_docs=true`,
        `/${big}/_changes?include_docs=true&feed=continuous&since=0&heartbeat=1000`,
        `/${big}/_changes?include_docs=true&feed=longpoll`,
      ];
      // Whole they are 480 MB.
      await withFlatMemory(world, 200 * megabyte, async () => {
        const begun = await Promise.all([...paths, ...paths].map((path) => begin(world, path)));
        let written = 0;
        const others = othersMeanwhile(world, () => written === 200);
        for (; written < 200; written++)
          await world.client.expect(201, "PUT", `/${big}/_local/${written}`, { body: {} });
        assert.ok((await others) < 3000);
        for (const { reply } of begun.slice(1)) reply.destroy();
        // One of them goes on, and gets all.
        assert.ok((await lengthOf(begun[0] as Begun)) > 50 * megabyte);
      });
    },
  },
  {
    name: "a reader of a continuous feed who stops reading gets all that came meanwhile",
    async run(world) {
      const database = await world.database();
      const feed = await openFeed(world, `/${database}/_changes?feed=continuous&include_docs=true&heartbeat=1000`);
      feed.pause();
      const docs = Array.from({ length: 5000 }, (_, index) => ({ _id: `d${index}`, text: text.repeat(2) }));
      await world.write(database, docs);
      feed.resume();
      const text5000 = `"_id":"d4999"`;
      await waitFor("the last change", () => feed.text.includes(text5000));
      assert.equal(new Set(feed.lines.map(({ id }) => id)).size, 5000);
      feed.leave();
    },
  },
  {
    name: "an attachment of 100 MB, up and down, while others are answered",
    async run(world) {
      const database = await world.database();
      const length = 100 * megabyte;
      await withFlatMemory(world, 90 * megabyte, async () => {
        let isOver = false;
        const others = othersMeanwhile(world, () => isOver);
        assert.equal(await upload(world, `/${database}/doc/file`, length), 201);
        const { reply } = await begin(world, `/${database}/doc/file`);
        assert.equal(reply.headers["content-length"], String(length));
        assert.equal(await md5(reply), await md5(noise(length)));
        isOver = true;
        assert.ok((await within("the other requests", others)) < 3000);
      });
      const { _attachments } = (await world.client.expect(200, "GET", `/${database}/doc`)).json();
      assert.equal(_attachments.file.digest, `md5-${await md5(noise(length))}`);
    },
  },
  {
    name: "an upload that is broken off leaves nothing",
    async run(world) {
      const database = await world.database();
      const { hostname, port } = new URL(world.url);
      const headers = { ...world.adminHeaders, "content-length": 50 * megabyte };
      const sent = request({ hostname, port, path: `/${database}/doc/file`, method: "PUT", headers });
      const broken = new Promise((resolve) => sent.on("error", resolve));
      for (const chunk of noise(10 * megabyte)) sent.write(chunk);
      await new Promise((resolve) => sent.write("", resolve));
      sent.destroy(new Error("broken off by the test"));
      await broken;
      await world.client.expect(404, "GET", `/${database}/doc`);
      await world.write(database, [{ _id: "other" }]);
      assert.equal((await world.info(database)).doc_count, 1);
    },
  },
];

export const largeBodies: Table = { family: "large-bodies", scenarios };
