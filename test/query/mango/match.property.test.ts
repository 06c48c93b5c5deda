import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileSelector } from "../../../server/query/mango/match.js";
import { parseSelector, selectorJson } from "../../../server/query/mango/selector.js";

type Json = Readonly<Record<string, unknown>>;

const matches = (selector: Json, document: unknown): boolean => compileSelector(parseSelector(selector))(document);

const scalar = fc.constantFrom<unknown>(null, false, true, -1, 0, 1, 2.5, "", "a", "A", "b", "é");
const value = fc.oneof(
  { weight: 4, arbitrary: scalar },
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom("a", "b", "0", "__proto__"), scalar, { maxKeys: 2 }),
  fc.array(fc.dictionary(fc.constantFrom("a", "b"), scalar, { maxKeys: 2 }), { maxLength: 3 }),
);
const document = fc.dictionary(fc.constantFrom("a", "b", "c", "__proto__"), value, { maxKeys: 4 });

const name = fc.constantFrom("a", "b", "a.a", "a.0", "c.b", "__proto__", "constructor");
const test_ = fc.oneof(
  fc.record({ operator: fc.constantFrom("$lt", "$lte", "$eq", "$ne", "$gte", "$gt"), argument: value }),
  fc.record({ operator: fc.constantFrom("$in", "$nin", "$all"), argument: fc.array(value, { maxLength: 4 }) }),
  fc.record({
    operator: fc.constant("$type"),
    argument: fc.constantFrom("null", "number", "string", "array", "object"),
  }),
  fc.record({ operator: fc.constant("$size"), argument: fc.nat(3) }),
  fc.record({ operator: fc.constant("$mod"), argument: fc.tuple(fc.constantFrom(2, 3), fc.nat(2)) }),
  fc.record({ operator: fc.constant("$regex"), argument: fc.constantFrom("^a", "(?i)A", "b$") }),
  fc.record({ operator: fc.constant("$beginsWith"), argument: fc.constantFrom("", "a") }),
);
const condition = test_.map(({ operator, argument }) => ({ [operator]: argument }));

const { selector } = fc.letrec<{ selector: Json; field: Json }>((tie) => ({
  field: fc
    .tuple(name, fc.oneof(condition, fc.record({ $exists: fc.boolean() }), value))
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
const selectors = fc.array(selector, { minLength: 1, maxLength: 3 });

const runs = { numRuns: 500 };

test("$and is every one, $or any", () => {
  fc.assert(
    fc.property(selectors, document, (all, document) => {
      const each = all.map((one) => matches(one, document));
      assert.equal(matches({ $and: all }, document), each.every(Boolean));
      assert.equal(matches({ $or: all }, document), each.some(Boolean));
    }),
    runs,
  );
});

test("De Morgan's laws", () => {
  fc.assert(
    fc.property(selectors, document, (all, document) => {
      const none = all.map(($not) => ({ $not }));
      assert.equal(matches({ $not: { $and: all } }, document), matches({ $or: none }, document));
      assert.equal(matches({ $not: { $or: all } }, document), matches({ $and: none }, document));
      assert.equal(matches({ $nor: all }, document), matches({ $and: none }, document));
    }),
    runs,
  );
});

test("two negations are none", () => {
  fc.assert(
    fc.property(selector, document, (one, document) => {
      assert.equal(matches({ $not: { $not: one } }, document), matches(one, document));
    }),
    runs,
  );
});

test("of a field that is there a condition holds or its negation, of one that is not neither", () => {
  fc.assert(
    fc.property(name, condition, document, (field, condition, document) => {
      const isThere = matches({ [field]: { $exists: true } }, document);
      const holds = [{ [field]: condition }, { [field]: { $not: condition } }].filter((one) => matches(one, document));
      assert.equal(holds.length, isThere ? 1 : 0);
    }),
    runs,
  );
});

test("a value is less, equal or greater", () => {
  fc.assert(
    fc.property(value, value, (stored, argument) => {
      const is = (operator: string): boolean => matches({ a: { [operator]: argument } }, { a: stored });
      assert.equal(Number(is("$lt")) + Number(is("$eq")) + Number(is("$gt")), 1);
      assert.equal(is("$lte"), is("$lt") || is("$eq"));
      assert.equal(is("$gte"), is("$gt") || is("$eq"));
      assert.equal(is("$ne"), !is("$eq"));
    }),
    runs,
  );
});

test("$in is $or of $eq, for elements of an array as for a value", () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 6 }), value, (candidates, stored) => {
      const $or = candidates.map((argument) => ({ a: { $eq: argument } }));
      const any = (Array.isArray(stored) ? stored : [stored]).some((a) => matches({ $or }, { a }));
      assert.equal(matches({ a: { $in: candidates } }, { a: stored }), any);
      assert.equal(matches({ a: { $nin: candidates } }, { a: stored }), !any);
    }),
    runs,
  );
});

test("$all is each of them in $in, but equal to the letter", () => {
  fc.assert(
    fc.property(
      fc.array(scalar, { minLength: 1, maxLength: 4 }),
      fc.array(scalar, { maxLength: 6 }),
      (wanted, stored) => {
        assert.equal(
          matches({ a: { $all: wanted } }, { a: stored }),
          wanted.every((one) => stored.includes(one)),
        );
      },
    ),
    runs,
  );
});

test("element conditions ask every element", () => {
  fc.assert(
    fc.property(selector, fc.array(document, { maxLength: 3 }), (one, elements) => {
      // `$not` of a missing member differs inside of elements, so each is asked there too.
      const holds = elements.map((element) => matches({ a: { $elemMatch: one } }, { a: [element] }));
      assert.equal(matches({ a: { $elemMatch: one } }, { a: elements }), holds.some(Boolean));
      assert.equal(matches({ a: { $allMatch: one } }, { a: elements }), holds.length > 0 && holds.every(Boolean));
      const opposite = elements.map((element) => matches({ a: { $elemMatch: { $not: one } } }, { a: [element] }));
      assert.deepEqual(
        opposite,
        holds.map((held) => !held),
      );
    }),
    runs,
  );
});

test("the normal form means the same and stays as it is", () => {
  fc.assert(
    fc.property(selector, document, (one, document) => {
      const normal = selectorJson(parseSelector(one));
      assert.equal(matches(normal, document), matches(one, document));
      assert.deepEqual(selectorJson(parseSelector(normal)), normal);
    }),
    runs,
  );
});

test("nothing reaches a prototype", () => {
  const before = Object.getOwnPropertyNames(Object.prototype);
  fc.assert(
    fc.property(selector, document, (one, document) => {
      matches(one, document);
      assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), before);
    }),
    runs,
  );
});
