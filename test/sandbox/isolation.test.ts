import assert from "node:assert/strict";
import test from "node:test";
import { sandboxFor } from "./ask.js";
import { attempt, commandNames } from "./commands.js";

const countAndPatch = `function () {
  globalThis.count = (globalThis.count || 0) + 1;
  Object.prototype.left = "behind";
  Array.prototype.map = function () { return "patched"; };
  throw { forbidden: [count, [1].map(String)] };
}`;

test("a realm keeps its globals for its own database, and for no other", async (t) => {
  const { ask } = sandboxFor(t);
  assert.deepEqual((await ask({ source: countAndPatch, database: "a" }))?.reason, [1, "patched"]);
  assert.deepEqual((await ask({ source: countAndPatch, database: "a" }))?.reason, [2, "patched"]);
  assert.deepEqual((await ask({ source: countAndPatch, database: "b" }))?.reason, [1, "patched"]);
});

test("two design documents of one database do not see each other", async (t) => {
  const { sandbox } = sandboxFor(t);
  const source =
    "function () { globalThis.count = (globalThis.count || 0) + 1; if (count > 1) throw { forbidden: count }; }";
  const functions = ["_design/a", "_design/b"].map((designDoc) => ({ designDoc, source }));
  const calls = [{ newDoc: "{}", oldDoc: null }];
  const userCtx = { db: "a", name: null, roles: [] };
  assert.deepEqual(await sandbox.validate({ database: "a", functions, userCtx, security: {}, calls }), [null]);
});

test("databases that share a realm cannot leave anything in it", async (t) => {
  const { ask } = sandboxFor(t);
  const source = `function (doc) {
    if (doc.patch) {
      var attempts = [
        function () { "use strict"; globalThis.secret = doc.patch; },
        function () { secret = doc.patch; },
        function () { "use strict"; Array.prototype.map = function () { return doc.patch; }; },
        function () { "use strict"; Object.prototype.secret = doc.patch; },
        function () { "use strict"; Object.prototype.toString = function () { return doc.patch; }; },
        function () { "use strict"; JSON.parse = function () { return doc.patch; }; },
        function () { "use strict"; Object.getPrototypeOf(function* () {}).secret = doc.patch; },
        function () { "use strict"; Object.getPrototypeOf([][Symbol.iterator]()).next = null; },
        function () { "use strict"; log.secret = doc.patch; },
        function () { "use strict"; require = 1; },
      ];
      var thrown = 0;
      attempts.forEach(function (attempt) { try { attempt(); } catch (error) { thrown++; } });
      throw { forbidden: thrown };
    }
    throw { forbidden: [typeof secret, [1].map(String)[0], String({}), doc.own, typeof log.secret, typeof require] };
  }`;
  const shareKey = "user";
  assert.deepEqual((await ask({ source, shareKey, database: "a", docs: [{ patch: "mine" }] }))?.reason, 9);
  assert.deepEqual((await ask({ source, shareKey, database: "b", docs: [{ own: 1 }] }))?.reason, [
    "undefined",
    "1",
    "[object Object]",
    1,
    "undefined",
    "function",
  ]);
});

test("in a shared realm objects may still have members named as inherited ones", async (t) => {
  const { valueOf } = sandboxFor(t);
  const value = await valueOf(
    `(function () {
      "use strict";
      class Refused extends Error { constructor(words) { super(words); this.name = "Refused"; } }
      const counts = {};
      for (const word of ["toString", "constructor"]) counts[word] = 1;
      function Old() {}
      Old.prototype = Object.create(Error.prototype);
      Old.prototype.constructor = Old;
      return [String(new Refused("x")), Object.keys(counts), new Old() instanceof Error];
    })()`,
    { shareKey: "user" },
  );
  assert.deepEqual(value, ["Refused: x", ["toString", "constructor"], true]);
});

test("patched primordials do not come between the server and the next call", async (t) => {
  const { askAll } = sandboxFor(t);
  const outcomes = await askAll({
    source: `function (doc) {
      globalThis.seen = globalThis.seen || [];
      var spy = function (text) { seen.push(text); return { spied: true }; };
      JSON.parse = spy;
      JSON.stringify = spy;
      Reflect.apply = spy;
      String = spy;
      Object.defineProperty(Array.prototype, 0, { set: spy, configurable: true });
      Object.prototype.toJSON = spy;
      if (doc.n === 2) throw { forbidden: seen.length };
      if (doc.spied) throw { forbidden: "spied" };
      throw new Error("no " + doc.n);
    }`,
    docs: [{ n: 1 }, { n: 3 }],
  });
  assert.deepEqual(
    outcomes.map((outcome) => outcome?.reason),
    ["Error: no 1", "Error: no 3"],
  );
});

test("what one call does to its arguments is not seen by the next", async (t) => {
  const { askAll } = sandboxFor(t);
  const outcomes = await askAll({
    source: `function (doc, old, user, security) {
      if (user.roles.length || security.changed || old.changed) throw { forbidden: "seen" };
      user.roles.push("_admin");
      security.changed = old.changed = true;
    }`,
    docs: [{}, {}],
    oldDoc: {},
  });
  assert.deepEqual(outcomes, [null, null]);
});

test("memory that earlier calls left behind is not held against a later one", async (t) => {
  const { askAll } = sandboxFor(t, { memoryLimitBytes: 8 * 1024 * 1024 });
  const outcomes = await askAll({
    source: "function (doc) { (globalThis.kept = globalThis.kept || []).push(new Uint8Array(1e6)); }",
    docs: Array.from({ length: 40 }, () => ({})),
  });
  assert.deepEqual(new Set(outcomes), new Set([null]));
});

test("CVE-2023-26268: databases with the same design document share no state, whatever its functions are for", async (t) => {
  const { sandbox, logs } = sandboxFor(t);
  const count = "var n = 0; exports.next = function () { return ++n; };";
  const modules = { views: { lib: { count } } };
  const body = `
    log(toJSON([typeof n, typeof ({}).left, [1].map(String)[0], require("views/lib/count").next()]));
    globalThis.n = 1;
    Object.prototype.left = "behind";
    Array.prototype.map = function () { return ["patched"]; };
    delete Object.prototype.left;
    Object.defineProperty(Object.prototype, "left", { value: "behind", configurable: true });`;
  for (const command of commandNames) {
    logs.length = 0;
    for (const database of ["one", "two", "one"]) await attempt(sandbox, command, { body, modules, database });
    const [one, two, again] = logs.map(({ message }) => JSON.parse(message));
    assert.deepEqual([one, two], Array(2).fill(["undefined", "undefined", "1", 1]), command);
    // What it changes is there, in its own database.
    assert.deepEqual(again, ["number", "string", "patched", 2], command);
  }
});

test("a function is compiled once, however often it is called", async (t) => {
  const { ask } = sandboxFor(t);
  const source = `(function () {
    globalThis.compiled = (globalThis.compiled || 0) + 1;
    return function () { throw { forbidden: compiled }; };
  })()`;
  for (let call = 0; call < 5; call++) assert.equal((await ask({ source }))?.reason, 1);
});
