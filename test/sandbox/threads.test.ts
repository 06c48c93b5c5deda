/** Whose work gets a thread, and when. */
import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import test from "node:test";
import { Sandbox } from "../../server/sandbox/sandbox.js";
import { waitFor } from "../helpers/wait-for.js";
import { sandboxFor } from "./ask.js";

const endless = "function (doc) { log('began'); for (;;); }";

test("there is one thread more than cores", async (t) => {
  const sandbox = new Sandbox();
  t.after(() => sandbox.close());
  const threads = availableParallelism() + 1;
  const asked = Array.from({ length: threads + 1 }, (_, index) =>
    sandbox.filter({
      database: `db${index}`,
      filter: { designDoc: "_design/app", source: endless },
      req: "{}",
      documents: ["{}"],
      timeLimitMs: 600_000,
    }),
  );
  const ended = Promise.allSettled(asked);
  await waitFor("every thread to be at work", () => sandbox.statistics().busyThreads === threads);
  assert.deepEqual([sandbox.statistics().threads, sandbox.statistics().waiting], [threads, 1]);
  await sandbox.close();
  assert.ok((await ended).every(({ status }) => status === "rejected"));
});

test("a database whose functions never end leaves a thread to the others", async (t) => {
  const { sandbox, ask } = sandboxFor(t, { workers: 4 });
  const source = endless;
  const hostile = [1, 2, 3, 4].map(() => ask({ source, database: "hostile", timeLimitMs: 600_000 }));
  const ended = Promise.allSettled(hostile);
  await waitFor("three to run", () => sandbox.statistics().busyThreads === 3);
  for (let round = 0; round < 5; round++) {
    assert.equal(await ask({ source: "function () {}", database: `other${round}` }), null);
  }
  assert.equal(sandbox.statistics().busyThreads, 3);
  await sandbox.close();
  await ended;
});

test("one whose functions had to be ended has half of the threads from then on", async (t) => {
  const { sandbox, ask, logs } = sandboxFor(t, { workers: 5 });
  assert.equal((await ask({ source: endless, database: "hostile", timeLimitMs: 50 }))?.error, "timeout");
  const again = [1, 2, 3, 4].map(() => ask({ source: endless, database: "hostile", timeLimitMs: 600_000 }));
  const other = ask({ source: "function () { log('began'); for (;;); }", database: "other", timeLimitMs: 600_000 });
  const ended = Promise.allSettled([...again, other]);
  await waitFor("three to run", () => sandbox.statistics().busyThreads === 3);
  assert.deepEqual([sandbox.statistics().waiting, logs.length], [2, 1]);
  await sandbox.close();
  await ended;
});

test("a write does not wait for the index that it makes longer", async (t) => {
  const { sandbox, ask } = sandboxFor(t);
  const order: string[] = [];
  const slow = "function (doc) { for (var until = Date.now() + 80; Date.now() < until; ); }";
  const map = (from: number) =>
    sandbox
      .map({
        database: "db",
        map: { designDoc: "_design/app", sources: [slow] },
        documents: [JSON.stringify({ _id: `a${from}` })],
      })
      .then(() => order.push("map"));
  const maps = Array.from({ length: 6 }, (_, index) => map(index));
  const write = ask({ source: "function () {}" }).then(() => order.push("validate"));
  await Promise.all([...maps, write]);
  assert.ok(order.indexOf("validate") <= 2, order.join());
});

test("a function that never ends is not tried on every document", async (t) => {
  const { sandbox, askAll, logs } = sandboxFor(t, { workers: 2 });
  const documents = Array.from({ length: 300 }, (_, index) => ({ _id: `doc${index}` }));
  // Longer than a time slice, so that the pool looks after each call.
  const timeLimitMs = 250;
  const outcomes = await askAll({ source: endless, docs: documents, timeLimitMs });
  assert.deepEqual(new Set(outcomes.map((outcome) => outcome?.error)), new Set(["timeout"]));
  assert.equal(logs.length, 4);

  const texts = documents.map((document) => JSON.stringify(document));
  const database = "db";
  const designDoc = "_design/app";
  const gaveUp = { error: "timeout", reason: "A function of _design/app took longer than 250 ms.", status: 500 };
  const map = { designDoc, sources: [endless] };
  await assert.rejects(sandbox.map({ database, map, documents: texts, timeLimitMs }), gaveUp);
  // One batch, then four documents, of which three are told of as skipped before the fourth is one too many.
  assert.equal(logs.length, 4 + 1 + 4 + 3);

  const groups = documents.map(() => ({ keys: null, values: "[1, 2]" }));
  const reduce = { designDoc, source: endless };
  await assert.rejects(sandbox.reduce({ database, reduce, groups, timeLimitMs }), gaveUp);
  assert.equal(logs.length, 12 + 1 + 4);
});

test("a few documents that never end are skipped, whatever stands beside them", async (t) => {
  const { sandbox, logs } = sandboxFor(t);
  const source = "function (doc) { if (doc.loop) for (;;); emit(doc._id, null); }";
  // Of such a size that each is a call of its own.
  const documents = Array.from({ length: 8 }, (_, index) =>
    JSON.stringify({ _id: `doc${index}`, loop: index % 3 === 1, padding: "x".repeat(600_000) }),
  );
  const map = { designDoc: "_design/app", sources: [source] };
  const rows = await sandbox.map({ database: "db", map, documents, timeLimitMs: 250 });
  assert.deepEqual(
    rows.map(([emitted]) => emitted?.length ?? "skipped"),
    [1, "skipped", 1, 1, "skipped", 1, 1, "skipped"],
  );
  assert.equal(logs.length, 3);
});
