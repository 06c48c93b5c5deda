import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { type Collation, compareJson, compareUtf8 } from "../../server/query/collation.js";
import { repositoryRoot } from "../helpers/repository-root.js";

interface Recording {
  readonly steps: readonly { readonly name: string; readonly want: { readonly json?: { rows: { key: unknown }[] } } }[];
}

const recording = JSON.parse(
  readFileSync(join(repositoryRoot, "test/conformance/couchdb-3.5.0/41-collation.json"), "utf8"),
) as Recording;

/** The keys of an answer of CouchDB. */
function recorded(step: string): readonly unknown[] {
  const keys = recording.steps.find(({ name }) => name === step)?.want.json?.rows.map(({ key }) => key);
  assert.ok(keys && keys.length > 100, `no recording of "${step}"`);
  return keys;
}

const orders: readonly { collation: Collation; step: string }[] = [
  { collation: "icu", step: "all keys in order" },
  { collation: "raw", step: "raw order, view option" },
];

for (const { collation, step } of orders) {
  test(`${collation}: every pair of recorded keys stands as CouchDB put it`, () => {
    const keys = recorded(step);
    for (let i = 0; i < keys.length; i++) {
      assert.equal(compareJson(keys[i], keys[i], collation), 0);
      for (let j = i + 1; j < keys.length; j++) {
        const order = compareJson(keys[i], keys[j], collation);
        assert.ok(order <= 0, `${JSON.stringify(keys[i])} after ${JSON.stringify(keys[j])}`);
        assert.equal(Math.sign(compareJson(keys[j], keys[i], collation)), order === 0 ? 0 : 1);
      }
    }
  });
}

test("icu: keys are equal where CouchDB groups them", () => {
  const distinct = recorded("all keys in order").filter(
    (key, i, keys) => i === 0 || compareJson(keys[i - 1], key, "icu") !== 0,
  );
  assert.deepEqual(distinct, recorded("grouped: equal keys"));
});

test("integers beyond 2^53 are ordered exactly", () => {
  assert.ok(compareJson(9007199254740993n, 9007199254740992) > 0);
  assert.ok(compareJson(2n ** 70n, 1e300) < 0);
  assert.ok(compareJson([2n ** 70n], [2n ** 70n + 1n]) < 0);
  assert.equal(compareJson(2n ** 70n, 2 ** 70), 0);
});

test("members count in their own order", () => {
  const reversed = new Map([
    ["2", 1],
    ["1", 1],
  ]);
  assert.ok(compareJson(reversed, { "1": 1, "2": 1 }) > 0);
  assert.equal(compareJson(new Map([["a", 1]]), { a: 1 }), 0);
});

test("raw strings and ids are ordered as their UTF-8 bytes are", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (a, b) => {
      assert.equal(Math.sign(compareUtf8(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
  assert.ok(compareUtf8("\uffff", "😀") < 0);
  assert.ok(compareUtf8("a😀", "a\uffff") > 0);
});

for (const collation of ["icu", "raw"] as const) {
  test(`${collation} is a total order`, () => {
    const json = fc.jsonValue({ maxDepth: 2, stringUnit: "grapheme" });
    fc.assert(
      fc.property(json, json, json, (a, b, c) => {
        const sign = (x: unknown, y: unknown): number => Math.sign(compareJson(x, y, collation));
        // `|| 0`: a negated zero is a zero.
        assert.equal(sign(a, b), -sign(b, a) || 0);
        if (sign(a, b) <= 0 && sign(b, c) <= 0) assert.ok(sign(a, c) <= 0);
        if (sign(a, b) === 0) assert.equal(sign(a, c), sign(b, c));
      }),
      { numRuns: 1000 },
    );
  });
}
