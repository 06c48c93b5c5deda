/** Ways out of a sandbox that others have fallen for. Every one of them ends inside. */
import assert from "node:assert/strict";
import test from "node:test";
import { sandboxFor } from "./ask.js";

const lineEnds = "\u2028\u2029</script><!--\u0000`#{process}$'\"\\";

test("constructor.constructor('return process')() finds no process", async (t) => {
  const { ask } = sandboxFor(t);
  for (const source of [
    "function () { constructor.constructor('return process')(); }",
    "function (newDoc) { newDoc.constructor.constructor('return process')(); }",
    "function (n, o, userCtx) { userCtx.roles.constructor.constructor('return process')(); }",
    "function () { log.constructor('return process')(); }",
    "function () { (0, eval)('process'); }",
  ]) {
    const outcome = await ask({ source });
    assert.deepEqual(outcome, {
      error: "unknown_error",
      reason: "ReferenceError: process is not defined",
      status: 500,
    });
  }
});

test("the globals are plain ECMAScript and CouchDB's helpers", async (t) => {
  const { valueOf } = sandboxFor(t);
  const names = (await valueOf("Object.getOwnPropertyNames(globalThis)")) as string[];
  const helpers = "log toJSON isArray sum emit require start send getRow provides registerType".split(" ");
  for (const name of names) {
    assert.ok(name in globalThis || name === "Iterator" || name === "Float16Array" || helpers.includes(name), name);
  }
  const typeOf =
    "process module std os scriptArgs console print load setTimeout queueMicrotask fetch WebAssembly performance gc";
  for (const name of [...typeOf.split(" "), "SharedArrayBuffer", "Atomics", "Buffer", "XMLHttpRequest", "Worker"]) {
    assert.equal(await valueOf(`typeof ${name}`), "undefined", name);
  }
});

test("Error.prepareStackTrace hands out no function of the stack", async (t) => {
  const { valueOf } = sandboxFor(t);
  const seen = await valueOf(`(function () {
    var got = [];
    Error.prepareStackTrace = function (error, sites) { got.push(typeof sites); return sites; };
    try { null.x; } catch (error) { got.push(typeof error.stack); }
    return got;
  })()`);
  assert.deepEqual(seen, ["string"]);
});

test("callers of a function cannot be reached", async (t) => {
  const { valueOf } = sandboxFor(t);
  const reached = await valueOf(`(function probe() {
    var found = [];
    try { found.push(typeof probe.caller); } catch (error) { found.push("undefined"); }
    try { found.push(typeof arguments.callee.caller); } catch (error) { found.push("undefined"); }
    return found.filter(function (type) { return type === "function"; });
  })()`);
  assert.deepEqual(reached, []);
});

test("proxies and getters on what is thrown run inside, under the time limit", async (t) => {
  const { ask, valueOf } = sandboxFor(t);
  const endless = await ask({
    source: "function () { throw { get forbidden() { for (;;); } }; }",
    timeLimitMs: 50,
  });
  assert.equal(endless?.error, "timeout");
  const proxy = await ask({
    source:
      "function () { throw new Proxy({}, { ownKeys: function () { throw 1; }, get: function () { throw 2; } }); }",
  });
  assert.equal(proxy?.error, "unknown_error");
  const json = await valueOf("{ toJSON: function () { return typeof process; } }");
  assert.equal(json, "undefined");
});

test("a returned value is of no interest, whatever it is", async (t) => {
  const { ask } = sandboxFor(t);
  for (const value of [
    "new Proxy({}, { get: function () { throw 1; } })",
    "{ then: 1, toJSON: 1 }",
    "function () {}",
    "false",
  ]) {
    assert.equal(await ask({ source: `function () { return ${value}; }` }), null);
  }
});

test("async and generator constructors find no process either", async (t) => {
  const { valueOf } = sandboxFor(t);
  for (const maker of ["async function () {}", "function* () {}", "async function* () {}"]) {
    const found = await valueOf(`(function () {
      var made = (${maker}).constructor("globalThis.found = typeof process")();
      if (made.next) made.next();
      return found;
    })()`);
    assert.equal(found, "undefined", maker);
  }
});

test("import() loads nothing", async (t) => {
  const { ask, valueOf } = sandboxFor(t);
  assert.equal(
    await ask({ source: "function () { import('node:fs').then(function (fs) { fs.writeFileSync('/x', ''); }); }" }),
    null,
  );
  for (const path of ["fs", "std", "os", "/etc/passwd"]) {
    const reason = await valueOf(
      `(function () { try { require(${JSON.stringify(path)}); } catch (error) { return error.name; } })()`,
    );
    assert.equal(reason, "invalid_require_path");
  }
});

test("thrown objects of every kind are refusals, never host errors", async (t) => {
  const { ask, deaths } = sandboxFor(t);
  const cycle = "(function () { var a = {}; a.a = a; return a; })()";
  const deep = "(function () { var a = []; for (var i = 0; i < 2e4; i++) a = [a]; return { forbidden: a }; })()";
  for (const thrown of [
    cycle,
    deep,
    "Symbol()",
    "1n",
    "globalThis",
    "function () {}",
    "undefined",
    "new Proxy(Error, {})",
    "log",
  ]) {
    const outcome = await ask({ source: `function () { throw ${thrown}; }` });
    assert.equal(outcome?.error, "unknown_error", thrown);
  }
  assert.deepEqual(deaths, []);
});

test("an endless loop ends at its time limit, in spite of catch and finally", async (t) => {
  const { ask, askAll } = sandboxFor(t);
  for (const body of [
    "for (;;);",
    "try { for (;;); } catch (e) { for (;;); } finally { for (;;); }",
    "while (true) { [1, 2, 3].map(String); }",
  ]) {
    const outcome = await ask({ source: `function () { ${body} }`, timeLimitMs: 50 });
    assert.deepEqual(outcome, {
      error: "timeout",
      reason: "A function of _design/app took longer than 50 ms.",
      status: 500,
      ended: true,
    });
  }
  const mixed = await askAll({
    source: "function (doc) { if (doc.loop) for (;;); }",
    docs: [{}, { loop: true }, {}],
    timeLimitMs: 50,
  });
  assert.deepEqual(
    mixed.map((outcome) => outcome?.error ?? null),
    [null, "timeout", null],
  );
});

test("an endless loop in a place that cannot be interrupted ends with its thread", async (t) => {
  const { askAll, deaths } = sandboxFor(t);
  const outcomes = await askAll({
    source: "function (doc) { if (doc.hang) Array.prototype.indexOf.call({ length: Math.pow(2, 53) - 1 }, 1); }",
    docs: [{}, { hang: true }, {}],
    timeLimitMs: 20,
  });
  assert.deepEqual(
    outcomes.map((outcome) => outcome?.error ?? null),
    [null, "timeout", null],
  );
  assert.equal(deaths.length, 1);
});

test("an endless loop while compiling ends too", async (t) => {
  const { ask, sandbox } = sandboxFor(t);
  const source = "(function () { for (;;); })()";
  assert.equal((await ask({ source, timeLimitMs: 50 }))?.error, "timeout");
  assert.equal(
    (await sandbox.compile({ database: "db", designDoc: "_design/app", sources: [source] }))[0]?.error,
    "compilation_error",
  );
});

test("a flood of promises never runs and leaves nothing behind", async (t) => {
  const { askAll } = sandboxFor(t, { memoryLimitBytes: 16 * 1024 * 1024 });
  const outcomes = await askAll({
    source: `function (doc) {
      globalThis.count = (globalThis.count || 0) + 1;
      function again() { throw { forbidden: "ran" }; }
      for (var i = 0; i < 5000; i++) Promise.resolve().then(again);
      if (count > 1) throw { forbidden: "left behind" };
    }`,
    docs: Array.from({ length: 50 }, () => ({})),
  });
  assert.deepEqual(new Set(outcomes), new Set([null]));
});

test("stack overflows are errors of the function", async (t) => {
  const { ask, deaths } = sandboxFor(t);
  for (const body of [
    "function f() { return f() + 1; } f();",
    "var a = { toString: function () { return '' + a; } }; '' + a;",
    "[1, 2].sort(function compare() { return [1, 2].sort(compare); });",
    "'a'.replace(/a/, function again() { return 'a'.replace(/a/, again); });",
    "JSON.parse('['.repeat(200000) + ']'.repeat(200000));",
    "eval('('.repeat(50000) + ')'.repeat(50000));",
    "var p = new Proxy({}, { get: function (t, k, r) { return r[k]; } }); p.x;",
  ]) {
    const outcome = await ask({ source: `function () { ${body} }` });
    assert.match(String(outcome?.reason), /^RangeError: Maximum call stack size exceeded/, body);
  }
  assert.deepEqual(deaths, []);
});

test("memory without end, and strings of 2 GB, end at the memory limit", async (t) => {
  const { ask, deaths } = sandboxFor(t, { memoryLimitBytes: 8 * 1024 * 1024 });
  const limit = {
    error: "unknown_error",
    reason: "A function of _design/app used more memory than it may.",
    status: 500,
    ended: true,
  };
  for (const body of [
    "var a = []; for (;;) a.push([1, 2, 3]);",
    "'x'.repeat(Math.pow(2, 29));",
    "new Uint8Array(1e9);",
  ]) {
    assert.deepEqual(await ask({ source: `function () { ${body} }` }), limit, body);
  }
  const tooLong = await ask({ source: "function () { 'x'.repeat(Math.pow(2, 31)); }" });
  assert.match(String(tooLong?.reason), /^RangeError: invalid/);
  assert.equal(await ask({ source: "function () {}" }), null);
  assert.deepEqual(deaths, []);
});

test("a document that does not fit is a memory error, not an acceptance", async (t) => {
  const { ask } = sandboxFor(t, { memoryLimitBytes: 4 * 1024 * 1024 });
  const outcome = await ask({ source: "function () {}", docs: [{ text: "x".repeat(8 * 1024 * 1024) }] });
  assert.match(String(outcome?.reason), /more memory/);
});

test("reasons and logs that cross to the server are bounded", async (t) => {
  const { valueOf, logs } = sandboxFor(t);
  const reason = (await valueOf("'x'.repeat(1e6)")) as string;
  assert.equal(reason.length, 65_536);
  assert.equal(
    typeof (await valueOf("(function () { var a = []; for (var i = 0; i < 5000; i++) a = [a]; return a; })()")),
    "string",
  );
  await valueOf("(function () { for (var i = 0; i < 1e4; i++) log('x'.repeat(100)); })()");
  assert.ok(logs.length > 100 && logs.length < 700, String(logs.length));
});

test("a bomb of a regular expression ends at its time limit", async (t) => {
  const { ask } = sandboxFor(t);
  const outcome = await ask({
    source: "function (doc) { /^(a+)+$/.test(doc.text); }",
    docs: [{ text: `${"a".repeat(60)}!` }],
    timeLimitMs: 50,
  });
  assert.equal(outcome?.error, "timeout");
});

test("data is data: </script>, U+2028, quotes and template marks arrive as they are", async (t) => {
  const { valueOf } = sandboxFor(t);
  const doc = { [lineEnds]: lineEnds, __proto__: null };
  assert.deepEqual(await valueOf("newDoc", { docs: [doc] }), { [lineEnds]: lineEnds });
  const own = await valueOf("[Object.keys(newDoc), newDoc.polluted, ({}).polluted]", {
    docs: [JSON.parse('{"__proto__": {"polluted": 1}}')],
  });
  assert.deepEqual(own, [["__proto__"], null, null]);
  assert.equal(await valueOf(`${JSON.stringify(lineEnds)}.length`), lineEnds.length);
});
