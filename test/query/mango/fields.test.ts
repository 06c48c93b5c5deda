import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ByteWriter } from "../../../server/documents/bytes.js";
import { canonicalJson } from "../../../server/documents/json/json-text.js";
import { badPath, notFound, parseFieldPath, valueAt } from "../../../server/query/mango/field-path.js";
import { type Fields, parseFields, writeFields } from "../../../server/query/mango/fields.js";

function picked(document: string, fields: readonly string[]): string {
  const out = new ByteWriter();
  writeFields(out, canonicalJson(Buffer.from(document)), parseFields(fields) as Fields);
  return out.view().toString();
}

describe("fields", () => {
  const document = `{"_id":"a","o":{"p":5,"q":{"r":[1.0,2]}},"big":123456789012345678901234567890,"a.b":1,"l":[[0],{"x":1}],
    "__proto__":{"x":1},"nul":null,"k\\u00e9y":"\\"","e":{}}`;
  const table: readonly (readonly [fields: readonly string[], wanted: string])[] = [
    [["_id"], '{"_id":"a"}'],
    [["nope", "o.nope", "o.p.nope", "_id.nope"], "{}"],
    [["o.p", "_id", "nope"], '{"o":{"p":5},"_id":"a"}'],
    [["o.q.r", "o.p"], '{"o":{"q":{"r":[1.0,2]},"p":5}}'],
    [["o.p", "o"], '{"o":{"p":5,"q":{"r":[1.0,2]}}}'],
    [["o", "o.p"], '{"o":{"p":5,"q":{"r":[1.0,2]}}}'],
    [["_id", "o.p", "_id"], '{"_id":"a","o":{"p":5}}'],
    [["big"], '{"big":123456789012345678901234567890}'],
    [["a.b"], "{}"],
    [["a\\.b"], '{"a.b":1}'],
    [["l.1.x", "l.0", "l.7", "l.x"], '{"l":{"1":{"x":1},"0":[0]}}'],
    [["__proto__.x"], '{"__proto__":{"x":1}}'],
    [["constructor", "toString"], "{}"],
    [["nul", "e", "kéy"], '{"nul":null,"e":{},"kéy":"\\""}'],
  ];
  for (const [fields, wanted] of table) {
    test(JSON.stringify(fields), () => assert.equal(picked(document, fields), wanted));
  }

  test("no list and an empty one mean whole documents; what is no list of names is refused", () => {
    assert.equal(parseFields(undefined), undefined);
    assert.equal(parseFields([]), undefined);
    const refused: readonly (readonly [json: unknown, words: string])[] = [
      ["n", "invalid_fields: Fields must be an array of strings, not: <<110>>"],
      [null, "invalid_fields: Fields must be an array of strings, not: null"],
      [["a", 1], "invalid_field: Invalid JSON for field spec: 1"],
      [["a..b"], "invalid_field: Invalid field name: a..b"],
      [[`${"a.".repeat(1000)}a`], `invalid_field: Invalid field name: ${"a.".repeat(1000)}a`],
    ];
    for (const [json, words] of refused) {
      assert.throws(
        () => parseFields(json),
        ({ error, reason }) => `${error}: ${reason}` === words,
      );
    }
  });

  test("values that are nested deeper than the stack are picked as they are", () => {
    const deep = `${"[".repeat(200_000)}1${"]".repeat(200_000)}`;
    assert.equal(picked(`{"a":${deep},"b":1}`, ["b", "a"]), `{"b":1,"a":${deep}}`);
  });

  test("every field has the value that its path leads to", () => {
    const name = fc.constantFrom("a", "b", "0", "1", "é", "__proto__", 'q"');
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { maxDepth: 4 },
        fc.oneof(fc.string({ unit: "grapheme" }), fc.integer(), fc.boolean(), fc.constant(null)),
        fc.array(tie("json"), { maxLength: 3 }),
        fc.dictionary(name, tie("json"), { maxKeys: 4 }),
      ),
    }));
    const paths = fc.array(fc.array(name, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.dictionary(name, json, { maxKeys: 4 }), paths, (document, paths) => {
        const text = canonicalJson(Buffer.from(JSON.stringify(document)));
        for (const path of paths) {
          const field = path.join(".");
          const value = valueAt(JSON.parse(text.toString()), parseFieldPath(field));
          const isThere = value !== notFound && value !== badPath;
          const nested = path.reduceRight(
            (inner, name) => `{${JSON.stringify(name)}:${inner}}`,
            JSON.stringify(value) ?? "",
          );
          assert.deepEqual(JSON.parse(picked(text.toString(), [field])), isThere ? JSON.parse(nested) : {});
        }
        // Several at once: each still says the same.
        const all = JSON.parse(
          picked(
            text.toString(),
            paths.map((path) => path.join(".")),
          ),
        );
        for (const path of paths) {
          const value = valueAt(JSON.parse(text.toString()), path);
          if (value === notFound || value === badPath) continue;
          assert.deepEqual(
            path.reduce((at, name) => at[name], all),
            value,
          );
        }
      }),
    );
  });
});
