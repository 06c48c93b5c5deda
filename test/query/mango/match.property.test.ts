import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileSelector } from "../../../server/query/mango/match.js";
import { parseSelector, selectorJson } from "../../../server/query/mango/selector.js";
import {
  condition,
  documentBody as document,
  fieldName as name,
  scalarValue as scalar,
  selector,
  jsonValue as value,
} from "../../helpers/random-selectors.js";

type Json = Readonly<Record<string, unknown>>;

const matches = (selector: Json, document: unknown): boolean => compileSelector(parseSelector(selector))(document);

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
