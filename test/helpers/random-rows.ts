/** Random documents with random rows: few ids and few keys, so that they meet; some keys equal in the order and different as text. */
import fc from "fast-check";
import type { EmittedRow } from "../../server/query/views/changes.js";

const scalar = fc.constantFrom(
  ...["null", "false", "true", "-1.5", "0", "1", "1.0", "2", "9007199254740992", "9007199254740993"],
  ...['""', '"a"', '"A"', '"b"', '"á"', '"a\u0301"', '"co-op"', '"coop"', '"\\\\"', '",]"', '"😀"'],
);

/** Canonical JSON text. */
export const keyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 6, arbitrary: fc.array(scalar, { maxLength: 3 }).map((items) => `[${items.join(",")}]`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("{}", '{"a":1}', '{"2":1,"1":1}', '{"1":1,"2":1}', "[[1,2],{}]", '["a",["b","c"]]'),
  },
);

export const documentId: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 60 }).map((n) => `doc-${n}`) },
  { weight: 1, arbitrary: fc.constantFrom("é", "\uffff", "😀", 'quo"te', "back\\slash") },
);

/** Texts that `_sum` takes, of very different lengths. Integers only: the sum of doubles depends on who is added first. */
const numberText: fc.Arbitrary<string> = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }).map(String),
  fc.constantFrom("0", "9007199254740993"),
  fc.integer({ min: 100, max: 400 }).map((digits) => "1".padEnd(digits, "0")),
);

export interface RandomDocument {
  readonly id: string;
  readonly rows: readonly EmittedRow[];
}

const row: fc.Arbitrary<EmittedRow> = fc.record({ key: keyText, value: numberText });

const document: fc.Arbitrary<RandomDocument> = fc.record({
  id: documentId,
  rows: fc.oneof(
    { weight: 5, arbitrary: fc.array(row, { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constant([]) },
    // One document with a long run of rows of one key: they end a leaf and begin the next.
    {
      weight: 1,
      arbitrary: fc
        .record({ key: keyText, values: fc.array(numberText, { minLength: 5, maxLength: 40 }) })
        .map(({ key, values }) => values.map((value) => ({ key, value }))),
    },
  ),
});

/** Each id at most once. */
export const batch: fc.Arbitrary<readonly RandomDocument[]> = fc.uniqueArray(document, {
  selector: ({ id }) => id,
  maxLength: 40,
});

export const batches: fc.Arbitrary<readonly (readonly RandomDocument[])[]> = fc.array(batch, {
  minLength: 1,
  maxLength: 6,
});
