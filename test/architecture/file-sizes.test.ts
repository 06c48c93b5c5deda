import assert from "node:assert/strict";
import { test } from "node:test";
import { sourceFiles } from "./source-files.js";

/** A file that reaches this usually holds two ideas, and both deserve a name. */
const maxLines = 400;

test(`no source file has more than ${maxLines} lines`, () => {
  const files = sourceFiles("protocol", "server", "client", "test");
  assert.ok(files.length > 50, "the sources were not found");
  const tooLong = files
    .map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }))
    .filter(({ lines }) => lines > maxLines);
  assert.deepEqual(tooLong, []);
});
