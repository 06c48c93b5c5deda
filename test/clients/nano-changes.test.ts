import { deepEqual, equal } from "node:assert/strict";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { after, before, test } from "node:test";
import nano from "nano";
import { type SetteeProcess, startSettee } from "../helpers/settee-process.js";
import { waitFor, within } from "../helpers/wait-for.js";

interface Note {
  readonly type: string;
}

let settee: SetteeProcess;
let server: nano.ServerScope;
before(async () => {
  settee = await startSettee();
  server = nano(settee.adminUrl);
});
after(() => settee.close());

async function filledDatabase(name: string, count: number): Promise<nano.DocumentScope<Note>> {
  await server.db.create(name);
  const db = server.use<Note>(name);
  await db.bulk({ docs: Array.from({ length: count }, (_, index) => ({ _id: `n${index}`, type: "note" })) });
  return db;
}

test("changes are listed from a sequence on", async () => {
  const db = await filledDatabase("listed", 10);
  const all = await db.changes({ since: "0" } as unknown as nano.DatabaseChangesParams);
  equal(all.results.length, 10);
  await db.insert({ type: "note" }, "later");
  const rest = await db.changes({ since: all.last_seq } as unknown as nano.DatabaseChangesParams);
  deepEqual(
    rest.results.map(({ id }) => id),
    ["later"],
  );
});

test("the changes reader gets what is there, in batches, and ends", async () => {
  const db = await filledDatabase("batches", 250);
  const seen: string[] = [];
  const sizes: number[] = [];
  const ended = new Promise((resolve, reject) => {
    // The short timeout is that of the last, empty long poll.
    db.changesReader
      .get({ since: "0", batchSize: 100, timeout: 100 })
      .on("change", (change: { id: string }) => seen.push(change.id))
      .on("batch", (batch: readonly unknown[]) => sizes.push(batch.length))
      .on("error", reject)
      .on("end", resolve);
  });
  await within("the reader to end", ended);
  equal(new Set(seen).size, 250);
  equal(seen.length, 250);
  deepEqual(sizes, [100, 100, 50]);
});

test("the changes reader follows what happens, a document at a time", async () => {
  const db = await filledDatabase("followed", 1);
  const { last_seq } = await db.changes();
  const seen: string[] = [];
  const reader = db.changesReader.start({ since: last_seq, includeDocs: true });
  reader.on("change", (change: { id: string; doc: Note }) => seen.push(`${change.id} ${change.doc.type}`));
  reader.on("error", () => {});
  for (const id of ["a", "b", "c"]) {
    await db.insert({ type: "note" }, id);
    await waitFor(`${id} on the feed`, () => seen.includes(`${id} note`));
  }
  db.changesReader.stop();
  deepEqual(seen, ["a note", "b note", "c note"]);
});

test("spooling reads everything in one request", async () => {
  const db = await filledDatabase("spooled", 1000);
  let count = 0;
  const ended = new Promise((resolve, reject) => {
    db.changesReader
      .spool({ since: "0", batchSize: 300 })
      .on("batch", (batch: readonly unknown[]) => {
        count += batch.length;
      })
      .on("error", reject)
      .on("end", resolve);
  });
  await within("the spool to end", ended);
  equal(count, 1000);
});

test("a continuous feed as a stream of lines", async () => {
  const db = await filledDatabase("streamed", 2);
  // The types do not know the method.
  const { changesAsStream } = db as unknown as { changesAsStream(query: object): Readable };
  const feed = changesAsStream({ feed: "continuous", since: 0, limit: 3 });
  const ended = once(feed, "end");
  let text = "";
  feed.on("data", (piece: Buffer) => {
    text += piece.toString();
  });
  const ids = (): readonly string[] =>
    text
      .split("\n")
      .filter((line) => line.endsWith("}"))
      .map((line) => JSON.parse(line).id);
  await waitFor("what was there", () => ids().length === 2);
  await db.insert({ type: "note" }, "later");
  await waitFor("what came later", () => ids().includes("later"));
  await within("the feed to end at its limit", ended);
  equal("last_seq" in JSON.parse(text.trimEnd().split("\n").at(-1) as string), true);
});

test("the changes reader with a selector and few sequences; it waits until it is told to go on", async () => {
  const db = await filledDatabase("chosen", 40);
  await db.bulk({ docs: Array.from({ length: 30 }, (_, index) => ({ _id: `t${index}`, type: "task" })) });
  const batches: string[][] = [];
  const selector = { type: "task" };
  const options = { since: "0", batchSize: 20, timeout: 100, fastChanges: true, wait: true, selector };
  const reader = db.changesReader.get(options as nano.ChangesReaderOptions);
  const ended = new Promise((resolve, reject) => reader.on("end", resolve).on("error", reject));
  reader.on("batch", (batch: readonly { id: string }[]) => {
    batches.push(batch.map(({ id }) => id));
    db.changesReader.resume();
  });
  await within("the reader to end", ended);
  deepEqual(
    batches.map(({ length }) => length),
    [20, 10],
  );
  equal(
    batches.flat().every((id) => id.startsWith("t")),
    true,
  );
});

test("the changes reader tells of a database that is not there, and stops", async () => {
  const reader = server.use("nowhere").changesReader.start({});
  const failed = new Promise<{ readonly statusCode: number }>((resolve) => reader.on("error", resolve));
  const ended = new Promise((resolve) => reader.on("end", resolve));
  equal((await within("the error", failed)).statusCode, 404);
  await within("the end", ended);
});
