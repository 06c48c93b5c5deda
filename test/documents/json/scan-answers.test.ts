import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CouchError } from "../../../protocol/errors.js";
import { scanBulkGet, scanOpenRevs } from "../../../server/documents/json/scan-answers.js";

const bytes = (text: string): Buffer => Buffer.from(text);

describe("answers with documents in them", () => {
  test("_bulk_get: documents stay text, errors become values", () => {
    const text = `{ "results" : [ {"id":"a","docs":[{"ok":{"_id":"a","_rev":"1-a","big":123456789012345678901234567890, "f":1.0}},
      {"error":{"id":"a","rev":"2-b","error":"not_found","reason":"missing"}}]},
      {"more":[{}],"id":"b\\u0061","docs":[]} ], "extra": {"results": []} }`;
    const [first, second, ...none] = scanBulkGet(bytes(text));
    assert.deepEqual(none, []);
    assert.equal(first?.id, "a");
    const [document, error] = first?.revisions ?? [];
    assert.ok(document && "document" in document);
    assert.equal(document.document.body.toString(), '{"big":123456789012345678901234567890,"f":1.0}');
    assert.deepEqual({ ...document.document.special }, { _id: "a", _rev: "1-a" });
    assert.deepEqual(error, { error: { id: "a", rev: "2-b", error: "not_found", reason: "missing" } });
    assert.deepEqual(second, { id: "ba", revisions: [] });
  });

  test("open_revs: documents and what is missing", () => {
    const [one, two] = scanOpenRevs(bytes('[{"ok":{"_id":"a","x":[1,{"y":2}]}},{"missing":"2-b"}]'));
    assert.ok(one && "document" in one);
    assert.equal(one.document.body.toString(), '{"x":[1,{"y":2}]}');
    assert.deepEqual(two, { missing: "2-b" });
    assert.deepEqual(scanOpenRevs(bytes(" [ ] ")), []);
  });

  test("whatever is something else is refused", () => {
    const bad = [
      "",
      "[]",
      "{",
      '{"results":{}}',
      '{"results":[1]}',
      '{"results":[{"docs":{}}]}',
      '{"results":[]}x',
      '{"results":[{"docs":[{"ok":{"a":}}]}]}',
      '{"results":[],}',
    ];
    for (const text of bad) assert.throws(() => scanBulkGet(bytes(text)), CouchError, text);
    for (const text of ["{}", "[1]", "[{}", '[{"ok":{}} {"ok":{}}]'])
      assert.throws(() => scanOpenRevs(bytes(text)), CouchError, text);
    assert.throws(() => scanOpenRevs(Buffer.from([0x5b, 0xff, 0x5d])), CouchError);
  });
});
