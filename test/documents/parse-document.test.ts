import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CouchError } from "../../protocol/errors.js";
import { maxGeneration } from "../../protocol/ids.js";
import { scanDocument } from "../../server/documents/json/json-text.js";
import {
  editOrigin,
  type ParsedDocument,
  parseDocument,
  replicatedOrigin,
} from "../../server/documents/parse-document.js";

const parsed = (document: unknown): ParsedDocument =>
  parseDocument(scanDocument(Buffer.from(JSON.stringify(document))));
const badRequest = (error: unknown): boolean => error instanceof CouchError && error.error === "bad_request";

describe("the revision that a document names", () => {
  it("is the parent of an edit, and the newest of a replicated line", () => {
    assert.deepEqual(editOrigin(parsed({ _rev: "2-b" })), { kind: "edit", parent: "2-b" });
    assert.deepEqual(replicatedOrigin(parsed({ _rev: "2-b" })), {
      kind: "replicated",
      path: { start: 2, hashes: ["b"] },
    });
    const path = { start: 2, hashes: ["b", "a"] };
    const withHistory = parsed({ _rev: "7-ignored", _revisions: { start: 2, ids: ["b", "a"] } });
    assert.deepEqual(replicatedOrigin(withHistory), { kind: "replicated", path });
    assert.deepEqual(editOrigin(withHistory), { kind: "edit", parent: "2-b", mustExist: true });
    assert.deepEqual(editOrigin(parsed({})), { kind: "edit", parent: undefined });
  });

  it("is required of a replicated document", () => {
    assert.throws(() => replicatedOrigin(parsed({})), badRequest);
    assert.throws(() => replicatedOrigin(parsed({ _rev: "0-a" })), badRequest);
  });

  // Beyond exact numbers a child could have its parent's generation, and its record could not be read any more.
  it("is of a generation that can be counted", () => {
    const highest = `${maxGeneration}-a`;
    assert.deepEqual(editOrigin(parsed({ _rev: highest })), { kind: "edit", parent: highest });
    for (const rev of [`${maxGeneration + 1}-a`, "99999999999999999999-a"]) {
      assert.throws(() => editOrigin(parsed({ _rev: rev })), badRequest);
      assert.throws(() => replicatedOrigin(parsed({ _rev: rev })), badRequest);
    }
    assert.throws(() => parsed({ _revisions: { start: maxGeneration + 1, ids: ["a"] } }), CouchError);
  });

  // `a` with revision 1-b NUL 1-c would share the key of its body with document `a NUL 1-b`, revision 1-c.
  it("holds no NUL, which divides id and revision in the keys of bodies", () => {
    assert.throws(() => editOrigin(parsed({ _rev: "1-b\u00001-c" })), badRequest);
    assert.throws(() => replicatedOrigin(parsed({ _rev: "1-b\u00001-c" })), badRequest);
    assert.throws(() => parsed({ _revisions: { start: 1, ids: ["b\u00001-c"] } }), badRequest);
  });
});
