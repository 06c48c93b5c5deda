import assert from "node:assert/strict";
import test from "node:test";
import { sandboxFor } from "./ask.js";

const modules = {
  lib: {
    x: "exports.admin = function (user) { return user.roles.indexOf('_admin') >= 0; };",
    once: "exports.n = (globalThis.runs = (globalThis.runs || 0) + 1); // the last line is a comment",
    replaced: "module.exports = function () { return module.id; };",
    fails: "nothing.here;",
    broken: "function (",
    number: 7,
    circle: { a: "exports.early = 1; exports.b = require('./b').seen;", b: "exports.seen = require('./a').early;" },
  },
  views: {
    lib: {
      one: "exports.f = function (k) { return 'lib' + k; };",
      deep: { two: "exports.g = function (k) { return require('../one').f(k) + '!'; };" },
    },
  },
};

test("require finds modules in the design document", async (t) => {
  const { valueOf } = sandboxFor(t);
  const value = (expression: string) => valueOf(expression, { modules });
  assert.equal(await value("require('lib/x').admin(arguments[2])"), false);
  assert.equal(await value("require('views/lib/deep/two').g(1)"), "lib1!");
  assert.equal(await value("require('./views/lib/../lib/one').f(2)"), "lib2");
  assert.equal(await value("require('lib/replaced')()"), "lib/replaced");
  assert.deepEqual(await value("[require('lib/once').n, require('lib/once').n]"), [1, 1]);
  assert.deepEqual(await value("require('lib/circle/a')"), { early: 1, b: 1 });
  assert.equal(await value("typeof this.views.lib.one"), "string");
});

test("require of something else is an error of the function", async (t) => {
  const { valueOf } = sandboxFor(t);
  const reasons: Record<string, RegExp> = {
    "lib/nope": /^invalid_require_path: Object has no property "nope"/,
    "lib/x/y": /^invalid_require_path: Object has no property "y"/,
    "../lib/x": /^invalid_require_path: Object has no parent/,
    "lib/number": /^invalid_require_path: Must require a JavaScript string, not: number/,
    "__proto__/constructor": /^invalid_require_path: Object has no property/,
    "lib/fails": /^ReferenceError: nothing is not defined/,
    "lib/broken": /^SyntaxError/,
  };
  for (const [path, reason] of Object.entries(reasons)) {
    const outcome = (await valueOf(`require(${JSON.stringify(path)})`, { modules })) as { reason: string };
    assert.match(outcome.reason, reason, path);
  }
});

test("a module's state is seen by its own database only", async (t) => {
  const { valueOf } = sandboxFor(t);
  const counting = { lib: { count: "var n = 0; exports.next = function () { return ++n; };" } };
  const next = (database: string) => valueOf("require('lib/count').next()", { modules: counting, database });
  assert.deepEqual([await next("a"), await next("a"), await next("b")], [1, 2, 1]);
});
