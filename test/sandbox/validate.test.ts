/** What `validate_doc_update` may throw and what it is given: as a CouchDB 3.5 answers. */
import assert from "node:assert/strict";
import test from "node:test";
import { CouchError } from "../../protocol/errors.js";
import { sandboxFor } from "./ask.js";

const thrown: readonly { readonly name: string; readonly body: string; readonly outcome: unknown }[] = [
  { name: "nothing", body: "", outcome: null },
  { name: "returns false", body: "return false;", outcome: null },
  { name: "forbidden", body: "throw({forbidden: 'no'});", outcome: { error: "forbidden", reason: "no", status: 403 } },
  {
    name: "unauthorized",
    body: "throw({unauthorized: 'who'});",
    outcome: { error: "unauthorized", reason: "who", status: 401 },
  },
  {
    name: "forbidden, an object",
    body: "throw({forbidden: {a: 1}});",
    outcome: { error: "forbidden", reason: { a: 1 }, status: 403 },
  },
  {
    name: "forbidden, a number",
    body: "throw({forbidden: 7});",
    outcome: { error: "forbidden", reason: 7, status: 403 },
  },
  {
    name: "a string",
    body: "throw('just text');",
    outcome: { error: "unknown_error", reason: "just text", status: 500 },
  },
  {
    name: "another member",
    body: "throw({other: 'thing'});",
    outcome: { error: "unknown_error", reason: "thing", status: 500 },
  },
  {
    name: "two members",
    body: "throw({forbidden: 'f', unauthorized: 'u'});",
    outcome: {
      error: "unknown_error",
      reason: 'validate_doc_update threw {"forbidden":"f","unauthorized":"u"}',
      status: 500,
    },
  },
  {
    name: "an array",
    body: "throw(['forbidden', 'x']);",
    outcome: { error: "unknown_error", reason: 'validate_doc_update threw ["forbidden","x"]', status: 500 },
  },
  {
    name: "null",
    body: "throw(null);",
    outcome: { error: "unknown_error", reason: "validate_doc_update threw null", status: 500 },
  },
  {
    name: "one",
    body: "throw(1);",
    outcome: { error: "unknown_error", reason: "validate_doc_update threw 1", status: 500 },
  },
  {
    name: "an error",
    body: "throw(new Error('an error'));",
    outcome: { error: "unknown_error", reason: "Error: an error", status: 500 },
  },
  {
    name: "a type error",
    body: "newDoc.a.b.c;",
    outcome: { error: "unknown_error", reason: "TypeError: cannot read property 'b' of undefined", status: 500 },
  },
];

test("what is thrown, and what a client is told", async (t) => {
  const { ask } = sandboxFor(t);
  for (const { name, body, outcome } of thrown) {
    await t.test(name, async () => assert.deepEqual(await ask({ source: `function (newDoc) { ${body} }` }), outcome));
  }
});

test("a function is given the document, the old one, the user and the security object", async (t) => {
  const { valueOf } = sandboxFor(t);
  const doc = { _id: "x", text: "é\ud83d\ude00\n", n: 1.5, none: null };
  assert.deepEqual(await valueOf("newDoc", { docs: [doc] }), doc);
  assert.deepEqual(await valueOf("[oldDoc, arguments.length]"), [null, 4]);
  assert.deepEqual(await valueOf("oldDoc", { oldDoc: { _id: "x", _deleted: true } }), { _id: "x", _deleted: true });
  assert.deepEqual(await valueOf("arguments[2]", { user: null }), { db: "db", name: null, roles: [] });
  assert.deepEqual(await valueOf("arguments[3]"), { members: { names: ["ada"], roles: [] } });
  assert.deepEqual(
    await valueOf("[typeof log, typeof isArray, typeof toJSON, typeof sum, typeof emit, typeof require].join()"),
    Array(6).fill("function").join(),
  );
  assert.deepEqual(await valueOf("[sum([1, 2, 3]), isArray([]), isArray({}), toJSON({ a: 1 })]"), [
    6,
    true,
    false,
    '{"a":1}',
  ]);
  assert.equal(await valueOf("typeof this.validate_doc_update"), "function");
});

test("every function is asked; the first refusal is the answer", async (t) => {
  const { sandbox } = sandboxFor(t);
  const refuseIf = (name: string) => ({
    designDoc: `_design/${name}`,
    source: `function (doc) { if (doc.${name}) throw { forbidden: "${name} says no" }; }`,
  });
  const docs = [{ a: 1 }, { b: 1 }, { a: 1, b: 1 }, {}];
  const outcomes = await sandbox.validate({
    database: "db",
    functions: [refuseIf("a"), refuseIf("b")],
    userCtx: { db: "db", name: null, roles: [] },
    security: {},
    calls: docs.map((doc) => ({ newDoc: JSON.stringify(doc), oldDoc: null })),
  });
  assert.deepEqual(
    outcomes.map((outcome) => outcome?.reason ?? null),
    ["a says no", "b says no", "a says no", null],
  );
});

test("a function that is missing or does not compile refuses every document", async (t) => {
  const { ask, askAll } = sandboxFor(t);
  assert.deepEqual(await ask({ source: "" }), {
    error: "not_found",
    reason: "missing validate_doc_update function validate_doc_update on design doc _design/app",
    status: 404,
  });
  const broken = {
    error: "compilation_error",
    reason: "SyntaxError: missing formal parameter (function()",
    status: 500,
  };
  assert.deepEqual(await askAll({ source: "function(", docs: [{}, {}] }), [broken, broken]);
});

test("a source may be an arrow, may end in a semicolon or a comment, may be named", async (t) => {
  const { ask } = sandboxFor(t);
  for (const source of [
    "(doc) => { throw { forbidden: 1 }; }",
    "function (doc) { throw { forbidden: 1 }; };\n",
    "// first\nfunction named(doc) { throw { forbidden: 1 }; } // last",
  ]) {
    assert.equal((await ask({ source }))?.error, "forbidden", source);
  }
});

test("log() is heard with the database and the design document, also of a call that is ended", async (t) => {
  const { ask, logs } = sandboxFor(t);
  await ask({ source: "function (doc) { log('text'); log({ a: doc.a }); }", docs: [{ a: 1 }], database: "one" });
  await ask({ source: "function () { log('last words'); for (;;); }", database: "two", timeLimitMs: 50 });
  const designDoc = "_design/app";
  assert.deepEqual(logs, [
    { database: "one", designDoc, message: "text" },
    { database: "one", designDoc, message: '{"a":1}' },
    { database: "two", designDoc, message: "last words" },
  ]);
});

test("compile accepts one function expression and says why it does not accept something else", async (t) => {
  const { sandbox } = sandboxFor(t);
  const compile = (...sources: string[]) => sandbox.compile({ database: "db", designDoc: "_design/app", sources });
  assert.deepEqual(await compile("function (doc) { emit(doc._id, null); }"), [null]);
  const refusals = {
    "function(doc){ emit(1, ": "SyntaxError: unexpected token in expression: '' (function(doc){ emit(1, )",
    "function(": "SyntaxError: missing formal parameter (function()",
    "42": "Expression does not eval to a function. (42)",
  };
  for (const [source, reason] of Object.entries(refusals)) {
    const [accepted, refused] = await compile("function () {}", source);
    assert.equal(accepted, null);
    assert.deepEqual({ ...refused }, { ...new CouchError("compilation_error", reason) });
  }
  const missing = { ...new CouchError("not_found", "missing function") };
  assert.deepEqual({ ...(await compile(""))[0] }, missing);
  assert.deepEqual(
    (await compile("", "() => 1", "")).map((error) => error?.error),
    ["not_found", undefined, "not_found"],
  );
});
