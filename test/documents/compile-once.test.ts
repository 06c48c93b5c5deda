import assert from "node:assert/strict";
import test from "node:test";
import { CouchError } from "../../protocol/errors.js";
import { compileOnce } from "../../server/documents/compile-once.js";
import type { Compile } from "../../server/documents/design-document.js";

test("what is known to be a function is not compiled again; what is not one is", async () => {
  const asked: (readonly string[])[] = [];
  const refusal = new CouchError("compilation_error", "SyntaxError");
  const compile: Compile = async (sources) => {
    asked.push(sources);
    return sources.map((source) => (source.startsWith("broken") ? refusal : null));
  };
  const once = compileOnce();
  assert.deepEqual(await once(compile)(["a", "broken", "b"]), [null, refusal, null]);
  assert.deepEqual(await once(compile)(["b", "c", "broken", "a"]), [null, null, refusal, null]);
  assert.deepEqual(await once(compile)(["c", "a"]), [null, null]);
  assert.deepEqual(await once(compile)([]), []);
  assert.deepEqual(asked, [
    ["a", "broken", "b"],
    ["c", "broken"],
  ]);
});

test("the same source twice has the same answer twice", async () => {
  const once = compileOnce();
  const refuse: Compile = async (sources) => sources.map(() => new CouchError("compilation_error", "no"));
  const answers = await once(refuse)(["x", "x"]);
  assert.deepEqual(
    answers.map((answer) => answer?.error),
    ["compilation_error", "compilation_error"],
  );
});
