/** CVE-2016-10546 and the vm2 series: every way out, tried in every kind of function, ends inside. */
import assert from "node:assert/strict";
import test from "node:test";
import { sandboxFor } from "./ask.js";
import { attempt, type CommandName, commandNames } from "./commands.js";

/** Expressions and what they are worth inside. */
const reaches: Readonly<Record<string, readonly [expression: string, worth: unknown]>> = {
  "constructor.constructor": ["typeof constructor.constructor('return this')().process", "undefined"],
  "the constructor of a helper": ["typeof log.constructor('return process')", "function"],
  "calling that": ["caught(function () { log.constructor('return process')(); })", "ReferenceError"],
  "the constructor of what is given": [
    "caught(function () { (doc || {}).constructor.constructor('return process.mainModule')(); })",
    "ReferenceError",
  ],
  "async functions": ["typeof (async function () {}).constructor('found = typeof process')().then", "function"],
  generators: ["(function* () {}).constructor('yield typeof process')().next().value", "undefined"],
  "async generators": ["typeof (async function* () {}).constructor('yield typeof process')().next", "function"],
  "indirect eval": ["(0, eval)('typeof process + typeof require.main + typeof module')", "undefinedundefinedundefined"],
  "Error.prepareStackTrace": [
    "(function () { var sites; Error.prepareStackTrace = function (e, s) { sites = s; return s; }; new Error().stack; return typeof sites; })()",
    "undefined",
  ],
  "callers of callers": [
    "(function probe() { try { return typeof probe.caller.caller.arguments; } catch (e) { return 'none'; } })()",
    "none",
  ],
  "the stack of a host call": [
    "(function () { try { null.x; } catch (e) { return /node:|file:|worker|realm\\.js/.test(e.stack); } })()",
    false,
  ],
  "a proxy around a helper": [
    "(function () { var seen = []; new Proxy(log, { apply: function (t, self) { seen.push(self === undefined); } })('x'); return seen; })()",
    [true],
  ],
  "a getter on a prototype": [
    "(function () { var got = 'none'; Object.defineProperty(Object.prototype, 'host', { get: function () { got = typeof this.process; }, configurable: true }); ({}).host; delete Object.prototype.host; return got; })()",
    "undefined",
  ],
  "Symbol.species and Symbol.toPrimitive": [
    "(function () { var a = []; a.constructor = { [Symbol.species]: function () { return { length: 0 }; } }; try { a.map(String); } catch (e) {} return '' + { [Symbol.toPrimitive]: function () { return typeof process; } }; })()",
    "undefined",
  ],
  "__proto__ of the global": ["typeof Object.getPrototypeOf(globalThis).process", "undefined"],
  "WebAssembly, workers, shared memory": [
    "[typeof WebAssembly, typeof Worker, typeof SharedArrayBuffer, typeof Atomics].join()",
    "undefined,undefined,undefined,undefined",
  ],
  "timers and input": [
    "[typeof setTimeout, typeof fetch, typeof std, typeof os, typeof print, typeof load, typeof scriptArgs, typeof console].join()",
    Array(8).fill("undefined").join(),
  ],
  "modules of the engine": [
    "['std', 'os', 'bjson', 'fs', '/etc/passwd'].map(function (name) { return caught(function () { require(name); }); }).join()",
    Array(5).fill("invalid_require_path").join(),
  ],
  "what is there": [
    "[Date, Math.max, JSON.parse, RegExp].map(function (each) { return typeof each; }).join()",
    Array(4).fill("function").join(),
  ],
};

const caught = "function caught(use) { try { use(); return 'nothing'; } catch (e) { return e.name; } }";

test("what cannot be reached", async (t) => {
  const { sandbox, logs, deaths } = sandboxFor(t);
  for (const [name, [expression, worth]] of Object.entries(reaches)) {
    await t.test(name, async () => {
      for (const command of commandNames) {
        logs.length = 0;
        // `log()` is there in functions of every kind, and what it is given gets out of them.
        const parameter = command === "rewrite" ? "var doc = req;" : "";
        const body = `${caught} var found = 'none'; ${parameter} log(toJSON({ worth: ${expression} }));`;
        const tried = await attempt(sandbox, command, { body });
        const words = logs.map(({ message }) => message).find((message) => message.startsWith('{"worth"'));
        assert.deepEqual(words && JSON.parse(words).worth, worth, `${command}: ${tried} ${JSON.stringify(logs)}`);
      }
      assert.deepEqual(deaths, []);
    });
  }
});

const timeout = /^timeout: A function of _design\/app took longer than 60 ms\.$/;
const memory = /^unknown_error: A function of _design\/app used more memory than it may\.$/;
const skipped = /^null$/;

/** Bodies that must not run on, and what becomes of them. In a map the document is skipped. */
const bombs: Readonly<Record<string, readonly [body: string, tried: RegExp]>> = {
  "an endless loop": ["for (;;);", timeout],
  "one that catches": ["try { for (;;); } catch (e) { for (;;); } finally { for (;;); }", timeout],
  "one of getters": ["var o = { get x() { return this.x2; }, get x2() { for (;;); } }; o.x;", timeout],
  "a regular expression": [`/^(a+)+$/.test('${"a".repeat(40)}!');`, timeout],
  "a sort that never agrees": [
    "var a = []; for (var i = 0; i < 1e5; i++) a.push(i); for (;;) a.sort(function () { return 1; });",
    timeout,
  ],
  "an endless generator": ["for (var x of (function* () { for (;;) yield 1; })());", timeout],
  "pieces without end": ["var a = []; for (;;) a.push(new Uint8Array(65536));", memory],
  "objects without end": ["var a = []; for (;;) a.push({ a: [1, 2, 3] });", memory],
  "a string of half a gigabyte": ["'x'.repeat(Math.pow(2, 29));", memory],
  "a string that doubles": ["var s = 'xxxxxxxx'; for (;;) s += s;", /^(unknown_error|render_error): /],
};

test("what cannot go on", async (t) => {
  const { sandbox } = sandboxFor(t, { memoryLimitBytes: 8 * 1024 * 1024 });
  for (const [name, [body, expected]] of Object.entries(bombs)) {
    await t.test(name, async () => {
      for (const command of commandNames) {
        const timeLimitMs = expected === timeout ? 60 : 10_000;
        const tried = await attempt(sandbox, command, { body, timeLimitMs });
        assert.match(tried, becomes(command, expected), command);
        // The next database is served, by this thread or by the one after it.
        assert.equal(await attempt(sandbox, "validate", { body: "", database: "other" }), "null", command);
      }
    });
  }
});

/** A reduce function that throws reduces to null; one that is ended is an error. */
function becomes(command: CommandName, expected: RegExp): RegExp {
  if (command === "map") return skipped;
  const isThrown = expected !== timeout && expected !== memory;
  return command === "reduce" && isThrown ? /^\{"value":"null"\}$/ : expected;
}

test("promises never run, in functions of any kind, and hold up nothing", async (t) => {
  const { sandbox, logs } = sandboxFor(t);
  const body = "for (var i = 0; i < 2000; i++) Promise.resolve(1).then(function () { log('ran'); for (;;); });";
  for (const command of commandNames) {
    for (let round = 0; round < 2; round++) {
      const tried = await attempt(sandbox, command, { body });
      assert.doesNotMatch(tried, /error|timeout/, command);
    }
  }
  assert.deepEqual(logs, []);
});

test("import() loads nothing, in functions of any kind", async (t) => {
  const { sandbox, logs } = sandboxFor(t);
  const body = "import('node:fs').then(function (fs) { log('loaded'); }, function () { log('refused'); });";
  for (const command of commandNames)
    assert.doesNotMatch(await attempt(sandbox, command, { body }), /timeout/, command);
  assert.deepEqual(logs, []);
});

test("what is given back is only looked at inside, and for no longer than a call may take", async (t) => {
  const { sandbox, deaths } = sandboxFor(t);
  const endless =
    "{ get toJSON() { for (;;); }, get body() { for (;;); }, get headers() { for (;;); }, get path() { for (;;); } }";
  const evil = `new Proxy({}, { get: function (t, k) { throw new Error("trap " + String(k)); }, ownKeys: function () { throw new Error("keys"); } })`;
  const returned: Readonly<Partial<Record<CommandName, (value: string) => string>>> = {
    validate: (value) => `throw { forbidden: ${value} };`,
    map: (value) => `emit(${value}, ${value});`,
    reduce: (value) => `return ${value};`,
    show: (value) => `return ${value};`,
    update: (value) => `return [${value}, ${value}];`,
    list: (value) => `start(${value}); send("x");`,
    rewrite: (value) => `return ${value};`,
  };
  for (const [command, body] of Object.entries(returned) as [CommandName, (value: string) => string][]) {
    const ended = await attempt(sandbox, command, { body: body(endless), timeLimitMs: 60 });
    assert.match(ended, command === "map" ? skipped : timeout, `${command}: ${ended}`);
    const thrown = await attempt(sandbox, command, { body: body(evil) });
    assert.match(thrown, /^(unknown_error|render_error): |^null$|^\{"value":"null"\}$/, `${command}: ${thrown}`);
  }
  assert.deepEqual(deaths, []);
});

test("thrown things of every kind are refusals or skipped documents, in functions of any kind", async (t) => {
  const { sandbox, deaths } = sandboxFor(t);
  const deep = "(function () { var a = []; for (var i = 0; i < 3e3; i++) a = [a]; return a; })()";
  const cycle = "(function () { var a = {}; a.a = a; return a; })()";
  const hostile =
    "{ toString: function () { throw 1; }, toJSON: function () { throw 2; }, get name() { throw 3; }, get message() { throw 4; } }";
  for (const thrown of [
    deep,
    cycle,
    hostile,
    "Symbol()",
    "1n",
    "null",
    "undefined",
    "globalThis",
    "log",
    "new Proxy(Error, {})",
  ]) {
    for (const command of commandNames) {
      const tried = await attempt(sandbox, command, { body: `throw ${thrown};` });
      assert.match(
        tried,
        /^(unknown_error|render_error): |^null$|^\{"value":"null"\}$/,
        `${command}, ${thrown}: ${tried}`,
      );
      if (command === "validate") assert.notEqual(tried, "null");
    }
  }
  assert.deepEqual(deaths, []);
});
