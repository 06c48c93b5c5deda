import { equal } from "node:assert/strict";
import { test } from "node:test";
import { hasEtag } from "../../server/http/etag.js";

const etag = '"2-abc"';

for (const [header, known] of [
  [undefined, false],
  [etag, true],
  [`W/${etag}`, true],
  [`"1-a", ${etag}`, true],
  [`"1-a",W/${etag}`, true],
  ["2-abc", false],
  ["*", false],
  ['"2-abcd"', false],
  [`w/${etag}`, false],
] as const) {
  test(`If-None-Match: ${header}`, () => {
    equal(hasEtag(header === undefined ? {} : { "if-none-match": header }, etag), known);
  });
}
