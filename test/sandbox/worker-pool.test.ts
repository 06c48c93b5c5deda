import assert from "node:assert/strict";
import test from "node:test";
import { CouchError } from "../../protocol/errors.js";
import { FairQueue } from "../../server/sandbox/fair-queue.js";
import { sandboxFor } from "./ask.js";

const hang = "Array.prototype.indexOf.call({ length: Math.pow(2, 53) - 1 }, 1);";

test("lanes of the queue take turns", () => {
  const queue = new FairQueue<string>();
  for (const item of ["a1", "a2", "a3", "b1", "c1", "b2"]) queue.push(item.charAt(0), item);
  const order = Array.from({ length: 6 }, () => queue.shift());
  assert.deepEqual(order, ["a1", "b1", "c1", "a2", "b2", "a3"]);
  assert.equal(queue.shift(), undefined);
  queue.push("a", "x");
  queue.push("b", "y");
  assert.deepEqual(queue.drain(), ["x", "y"]);
  assert.equal(queue.shift(), undefined);
});

test("a thread that dies takes only the call with it that it died of", async (t) => {
  const { askAll, deaths } = sandboxFor(t);
  const source = `function (doc) { if (doc.hang) { ${hang} } if (doc.no) throw { forbidden: doc.no }; }`;
  const hanging = askAll({ source, docs: [{ no: 1 }, { hang: true }, { no: 2 }, {}], timeLimitMs: 20, database: "a" });
  const waiting = askAll({ source, docs: [{ no: 3 }], database: "b" });
  assert.deepEqual(
    (await hanging).map((outcome) => outcome?.reason ?? null),
    [1, "A function of _design/app took longer than 20 ms.", 2, null],
  );
  assert.deepEqual(
    (await waiting).map((outcome) => outcome?.reason),
    [3],
  );
  assert.equal(deaths.length, 1);
});

test("a long batch does not keep other databases waiting for its end", async (t) => {
  const { askAll } = sandboxFor(t);
  const order: string[] = [];
  const slow = askAll({
    source: "function (doc) { if (doc.loop) for (;;); }",
    docs: Array.from({ length: 12 }, () => ({ loop: true })),
    timeLimitMs: 100,
    database: "slow",
  }).then((outcomes) => {
    order.push("slow");
    return outcomes;
  });
  const quick = askAll({ source: "function () {}", database: "quick" }).then(() => order.push("quick"));
  const outcomes = await slow;
  await quick;
  assert.deepEqual(order, ["quick", "slow"]);
  assert.deepEqual(new Set(outcomes.map((outcome) => outcome?.error)), new Set(["timeout"]));
});

test("several threads answer in the order of the calls", async (t) => {
  const { askAll } = sandboxFor(t, { workers: 2 });
  const batches = Array.from({ length: 20 }, (_, batch) =>
    askAll({
      source: "function (doc) { throw { forbidden: doc.n }; }",
      database: `db${batch}`,
      docs: Array.from({ length: 50 }, (_, n) => ({ n: batch * 50 + n })),
    }),
  );
  const reasons = (await Promise.all(batches)).flat().map((outcome) => outcome?.reason);
  assert.deepEqual(
    reasons,
    Array.from({ length: 1_000 }, (_, n) => n),
  );
});

test("realms that come and go leave the thread in order", async (t) => {
  const { ask, deaths } = sandboxFor(t, { maxRealms: 3, idleMs: 20 });
  const source = "function (doc, old, user) { globalThis.n = (globalThis.n || 0) + 1; throw { forbidden: user.db }; }";
  for (let round = 0; round < 30; round++) {
    const database = `db${round % 7}`;
    assert.equal((await ask({ source, database }))?.reason, database);
  }
  assert.deepEqual(deaths, []);
});

test("work that cannot be sent is an error, not a wait", async (t) => {
  const { sandbox, deaths } = sandboxFor(t);
  const source = (() => undefined) as unknown as string;
  const batch = { database: "db", userCtx: { db: "db", name: null, roles: [] }, security: {} };
  const functions = [{ designDoc: "_design/app", source }];
  await assert.rejects(
    sandbox.validate({ ...batch, functions, calls: [{ newDoc: "{}", oldDoc: null }] }),
    (error: CouchError) => error instanceof CouchError && error.error === "internal_server_error",
  );
  assert.equal(deaths.length, 3);
});

test("nothing to ask is answered without a thread", async (t) => {
  const { sandbox, askAll } = sandboxFor(t);
  const batch = { database: "db", userCtx: { db: "db", name: null, roles: [] }, security: {} };
  const calls = [{ newDoc: "{}", oldDoc: null }];
  assert.deepEqual(await sandbox.validate({ ...batch, functions: [], calls }), [null]);
  assert.deepEqual(await askAll({ source: "function () {}", docs: [] }), []);
});

test("closing rejects what is not finished, and everything after", async (t) => {
  const { sandbox, ask, deaths } = sandboxFor(t);
  const running = ask({ source: "function () { for (;;); }" });
  const queued = ask({ source: "function () {}", database: "other" });
  const rejections = Promise.all(
    [running, queued].map((promise) => assert.rejects(promise, { error: "service_unavailable" })),
  );
  await sandbox.close();
  await rejections;
  await assert.rejects(ask({ source: "function () {}" }), { error: "service_unavailable" });
  await sandbox.close();
  assert.deepEqual(deaths, []);
});
