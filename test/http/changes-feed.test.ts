import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDatabaseName } from "../../protocol/ids.js";
import type { Database } from "../../server/documents/database.js";
import { Databases } from "../../server/documents/databases.js";
import type { DatabaseCall } from "../../server/http/call.js";
import { finishedFeed } from "../../server/http/changes-feed.js";
import type { ChangesQuery } from "../../server/http/changes-query.js";
import { edit } from "../helpers/incoming-revisions.js";
import { type Cleanup, nothingToValidate, temporaryDirectory } from "../helpers/temp-store.js";

const query: ChangesQuery = {
  feed: "normal",
  since: 0,
  limit: Number.POSITIVE_INFINITY,
  descending: false,
  allLeaves: false,
  show: undefined,
  heartbeat: undefined,
  timeout: 0,
  seqInterval: 1,
};

async function startNotes(t: Cleanup, count: number): Promise<Database> {
  const databases = await Databases.open({ dataDir: temporaryDirectory(t), validate: nothingToValidate });
  t.after(() => databases.close());
  const database = await databases.create(parseDatabaseName("notes"));
  await database.write(
    Array.from({ length: count }, (_, i) => edit(`doc-${i}`)),
    "trusted",
  );
  return database;
}

/** Reads a feed to its end; `matches` is asked for every document. */
async function readFeed(database: Database, signal: AbortSignal, matches: () => boolean): Promise<string> {
  const filter = { kind: "selector", matches, fields: undefined } as const;
  const chunks: Buffer[] = [];
  for await (const chunk of finishedFeed({ database, query, filter }, { signal } as DatabaseCall)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test("others get their turn between documents that take long", async (t) => {
  const database = await startNotes(t, 10);
  let turn = 0;
  const count = (): void => {
    turn++;
    next = setImmediate(count);
  };
  let next = setImmediate(count);
  t.after(() => clearImmediate(next));
  const turns: number[] = [];
  await readFeed(database, new AbortController().signal, () => {
    turns.push(turn);
    const began = performance.now();
    while (performance.now() - began < 6);
    return false;
  });
  assert.equal(turns.length, 10);
  assert.equal(new Set(turns).size, 10, `asked in turns ${turns}`);
});

test("when its reader has gone away, no more documents are looked into", async (t) => {
  const database = await startNotes(t, 1200);
  const reader = new AbortController();
  let asked = 0;
  const text = await readFeed(database, reader.signal, () => {
    if (++asked === 100) reader.abort();
    return false;
  });
  assert.ok(asked < 1200, `${asked} of 1200`);
  assert.equal(text.includes("last_seq"), false);
  assert.match(await readFeed(database, new AbortController().signal, () => false), /"last_seq":"1200-/);
});
