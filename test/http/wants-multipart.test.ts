import { equal } from "node:assert/strict";
import { test } from "node:test";
import { bulkGetType, wantsMultipart } from "../../server/http/wants-multipart.js";

const table: readonly (readonly [
  accept: string | undefined,
  related: boolean,
  mixed: boolean,
  bulkGet: "json" | "mixed" | "related",
])[] = [
  [undefined, true, true, "json"],
  ["*/*", true, true, "json"],
  ["application/json", false, false, "json"],
  ["multipart/related", true, false, "related"],
  ["multipart/mixed", false, true, "mixed"],
  ["multipart/mixed, multipart/related", true, true, "mixed"],
  ["Multipart/Mixed ; q=0.5", false, true, "mixed"],
  ["multipart/*", true, true, "mixed"],
  ["multipart/related,*/*;", true, true, "json"],
  ["multipart/mixed;;q=0.5", false, true, "mixed"],
  ["multipart/mixed, application/json", false, true, "json"],
  ["multipart/mixed;q=0, */*", true, false, "json"],
  ["multipart/*;q=0, */*", false, false, "json"],
  ["*/*;q=0", false, false, "json"],
  ["multipart/related;q=x", false, false, "json"],
  ["multipart/related;type=x", false, false, "json"],
  ["text/html", false, false, "json"],
];

for (const [accept, related, mixed, bulkGet] of table) {
  test(`Accept: ${accept}`, () => {
    equal(wantsMultipart(accept, "related"), related, "a document with its attachments");
    equal(wantsMultipart(accept, "mixed"), mixed, "open_revs");
    equal(bulkGetType(accept), bulkGet, "_bulk_get");
  });
}
