import { deepEqual, equal, rejects } from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { type ClientRequest, request } from "node:http";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import { BlobStore } from "../../../server/documents/attachments/blob-store.js";
import { type HttpWorld, startHttpWorld } from "../../helpers/http-world.js";
import { waitFor } from "../../helpers/wait-for.js";

/** More than sockets and streams buffer between them. */
const large = Buffer.alloc(32 * 1024 * 1024, "0123456789");
const video = { "content-type": "video/mp4" };

async function openWorld(t: TestContext): Promise<HttpWorld> {
  const world = await startHttpWorld(t);
  await world.client.expect(201, "PUT", "/db");
  return world;
}

function begin({ url, adminHeaders }: HttpWorld, method: string, path: string, headers = {}): ClientRequest {
  const { hostname, port } = new URL(url);
  const sent = request({ hostname, port, method, path, headers: { ...adminHeaders, ...headers } });
  sent.on("error", () => undefined);
  return sent;
}

function incoming({ dataDir }: HttpWorld): readonly string[] {
  return readdirSync(join(dataDir, "blobs", "incoming"));
}

/** Removes every file of every database, as a disk that lost them would. */
function loseBlobs({ dataDir }: HttpWorld): void {
  const blobs = join(dataDir, "blobs");
  for (const name of readdirSync(blobs)) if (name !== "incoming") rmSync(join(blobs, name), { recursive: true });
}

/** What the store hands out from now on. */
function watchReads(t: TestContext): readonly Readable[] {
  const opened: Readable[] = [];
  const { read } = BlobStore.prototype;
  t.mock.method(BlobStore.prototype, "read", function (this: BlobStore, ...asked: Parameters<typeof read>) {
    const stream = read.apply(this, asked);
    opened.push(stream);
    return stream;
  });
  return opened;
}

for (const [what, path, headers] of [
  ["the whole", "/db/a/f", {}],
  ["several ranges", "/db/a/f", { range: `bytes=0-${large.length - 2},0-${large.length - 2}` }],
  ["a document with its attachments", "/db/a?attachments=true", { accept: "multipart/related" }],
  ["several revisions", "/db/a?open_revs=all", { accept: "multipart/mixed" }],
] as const) {
  test(`a reader of ${what} who goes away leaves no file open`, async (t) => {
    const world = await openWorld(t);
    await world.client.expect(201, "PUT", "/db/a/f", { body: large, headers: video });
    const opened = watchReads(t);
    const sent = begin(world, "GET", path, headers);
    sent.end();
    sent.on("response", (reply) => reply.once("data", () => sent.destroy()));
    await waitFor("the file to be closed", () => opened[0]?.closed);
    equal(opened.length, 1, "what comes later was not begun");
  });
}

test("a HEAD opens no file", async (t) => {
  const world = await openWorld(t);
  await world.client.expect(201, "PUT", "/db/a/f", { body: large, headers: video });
  const opened = watchReads(t);
  const reply = await world.client.send("HEAD", "/db/a/f");
  equal(reply.headers["content-length"], String(large.length));
  deepEqual(opened, []);
});

test("a sender who goes away leaves nothing behind", async (t) => {
  const world = await openWorld(t);
  const sent = begin(world, "PUT", "/db/a/f", { ...video, "content-length": large.length });
  sent.write(large.subarray(0, 4 * 1024 * 1024));
  await waitFor("the first bytes to be written", () => incoming(world).length === 1);
  sent.destroy();
  await waitFor("them to be removed", () => incoming(world).length === 0);
  equal((await world.client.get("/db/a")).status, 404);
});

test("bytes that vanished from the disk break the answer off", async (t) => {
  const world = await openWorld(t);
  await world.client.expect(201, "PUT", "/db/a/f", { body: large, headers: video });
  loseBlobs(world);
  await rejects(world.client.get("/db/a/f"), /aborted|hang up|ECONNRESET/);
  const headers = { accept: "multipart/related" };
  await rejects(world.client.get("/db/a?attachments=true", { headers }), /aborted|hang up|ECONNRESET/);
  equal((await world.client.get("/db/a")).status, 200, "the document is there still");
});

test("bytes that are not the gzip that they were said to be break the answer off, where they must be decoded", async (t) => {
  const world = await openWorld(t);
  const headers = { "content-type": "text/plain", "content-encoding": "gzip" };
  const body = Buffer.from("not gzip");
  await world.client.expect(201, "PUT", "/db/a/f", { body, headers });
  equal((await world.client.get("/db/a/f", { headers: { "accept-encoding": "gzip" } })).text, "not gzip");
  await rejects(world.client.get("/db/a/f"), /aborted|hang up|ECONNRESET/);
});
