/** Random documents and selectors that have something to do with each other. */
import fc from "fast-check";
import type { Json } from "../../server/query/mango/body-members.js";

const scalar = fc.constantFrom<unknown>(null, false, true, -1, 0, 1, 2.5, "", "a", "A", "b", "é");

export const jsonValue = fc.oneof(
  { weight: 4, arbitrary: scalar },
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom("a", "b", "0", "__proto__"), scalar, { maxKeys: 2 }),
  fc.array(fc.dictionary(fc.constantFrom("a", "b"), scalar, { maxKeys: 2 }), { maxLength: 3 }),
);

export const scalarValue = scalar;

export const documentBody = fc.dictionary(fc.constantFrom("a", "b", "c", "__proto__"), jsonValue, { maxKeys: 4 });

export const fieldName = fc.constantFrom("a", "b", "a.a", "a.0", "c.b", "__proto__", "constructor");

const test = fc.oneof(
  fc.record({ operator: fc.constantFrom("$lt", "$lte", "$eq", "$ne", "$gte", "$gt"), argument: jsonValue }),
  fc.record({ operator: fc.constantFrom("$in", "$nin", "$all"), argument: fc.array(jsonValue, { maxLength: 4 }) }),
  fc.record({
    operator: fc.constant("$type"),
    argument: fc.constantFrom("null", "number", "string", "array", "object"),
  }),
  fc.record({ operator: fc.constant("$size"), argument: fc.nat(3) }),
  fc.record({ operator: fc.constant("$mod"), argument: fc.tuple(fc.constantFrom(2, 3), fc.nat(2)) }),
  fc.record({ operator: fc.constant("$regex"), argument: fc.constantFrom("^a", "(?i)A", "b$") }),
  fc.record({ operator: fc.constant("$beginsWith"), argument: fc.constantFrom("", "a") }),
);

export const condition: fc.Arbitrary<Json> = test.map(({ operator, argument }) => ({ [operator]: argument }));

export const { selector } = fc.letrec<{ selector: Json; field: Json }>((tie) => ({
  field: fc
    .tuple(fieldName, fc.oneof(condition, fc.record({ $exists: fc.boolean() }), jsonValue))
    .map(([field, of]) => ({ [field]: of })),
  selector: fc.oneof(
    { maxDepth: 3 },
    { weight: 3, arbitrary: tie("field") },
    fc.array(tie("selector"), { minLength: 1, maxLength: 3 }).map(($and) => ({ $and })),
    fc.array(tie("selector"), { minLength: 1, maxLength: 3 }).map(($or) => ({ $or })),
    fc.array(tie("selector"), { minLength: 1, maxLength: 3 }).map(($nor) => ({ $nor })),
    tie("selector").map(($not) => ({ $not })),
    tie("selector").map((of) => ({ a: { $elemMatch: of } })),
    tie("selector").map((of) => ({ a: { $allMatch: of } })),
    tie("selector").map((of) => ({ a: { $keyMapMatch: of } })),
  ),
}));
