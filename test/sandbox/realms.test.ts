import assert from "node:assert/strict";
import test from "node:test";
import { loadQuickJs } from "../../server/sandbox/quickjs.js";
import { Realms } from "../../server/sandbox/realms.js";
import type { FunctionSource } from "../../server/sandbox/worker-protocol.js";

const quickjs = await loadQuickJs();

/** A function that counts how often its realm was asked. */
const subject: FunctionSource = {
  designDoc: "_design/app",
  source: "function () { globalThis.n = (globalThis.n || 0) + 1; throw { forbidden: n }; }",
};

function realmsFor(options: { maxRealms?: number; idleMs?: number }) {
  const clock = { now: 1_000 };
  const settings = { memoryLimitBytes: 8 * 1024 * 1024, maxRealms: 10, idleMs: 1_000, ...options };
  const realms = new Realms(quickjs, settings, { log: () => undefined, began: () => undefined }, () => clock.now);
  const count = (database: string, of: FunctionSource = subject) => {
    const outcome = realms.ask("validate", { database, timeLimitMs: 1_000 }, of, ["{}", "null", "{}", "{}"]);
    return (outcome as { reason: unknown } | null)?.reason;
  };
  return { realms, clock, count };
}

test("the realm used longest ago makes room", () => {
  const { realms, count } = realmsFor({ maxRealms: 2 });
  assert.deepEqual([count("a"), count("b"), count("a"), count("c")], [1, 1, 2, 1]);
  assert.deepEqual([count("a"), count("b")], [3, 1]);
  assert.equal(realms.size, 2);
  assert.equal(realms.doubtful, false);
});

test("an idle realm is dropped, one in use is not", () => {
  const { realms, clock, count } = realmsFor({ idleMs: 100 });
  count("idle");
  for (let time = 0; time < 5; time++) {
    clock.now += 60;
    count("used");
  }
  realms.dropIdle();
  assert.equal(realms.size, 1);
  assert.deepEqual([count("used"), count("idle")], [6, 1]);
});

test("a shared realm is one for all databases with the same key and source", () => {
  const { realms, count } = realmsFor({});
  const shared = { ...subject, shareKey: "user", source: "function () {}" };
  for (const database of ["a", "b", "c"]) count(database, shared);
  assert.equal(realms.size, 1);
  count("a", { ...shared, source: "function () { 1; }" });
  count("a", { ...shared, shareKey: "team" });
  count("a", { ...shared, modules: "{}" });
  assert.equal(realms.size, 4);
});

test("a source that does not compile is compiled once", () => {
  const { realms, count } = realmsFor({});
  const broken = { ...subject, source: "function (" };
  assert.match(String(count("a", broken)), /SyntaxError/);
  assert.match(String(count("a", broken)), /SyntaxError/);
  assert.equal(realms.size, 1);
});

test("a realm whose call was ended is not used again", () => {
  const { realms, count } = realmsFor({});
  const looping = {
    ...subject,
    source: "function () { globalThis.n = (globalThis.n || 0) + 1; if (n === 2) for (;;); throw { forbidden: n }; }",
  };
  assert.deepEqual(
    [count("a", looping), count("a", looping), count("a", looping)],
    [1, "A function of _design/app took longer than 1000 ms.", 1],
  );
  assert.equal(realms.doubtful, false);
});
