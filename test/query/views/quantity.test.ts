import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  addQuantities,
  greater,
  lesser,
  printQuantity,
  readQuantity,
  squareOf,
} from "../../../server/query/views/quantity.js";

const sum = (a: string, b: string): string => printQuantity(addQuantities(readQuantity(a), readQuantity(b)));
const square = (a: string): string => printQuantity(squareOf(readQuantity(a)));

test("integers are added and squared exactly, whatever their size", () => {
  const integer = fc.oneof(fc.bigInt({ max: 2n ** 70n, min: -(2n ** 70n) }), fc.integer().map(BigInt));
  fc.assert(
    fc.property(integer, integer, (a, b) => {
      assert.equal(sum(String(a), String(b)), String(a + b));
      assert.equal(square(String(a)), String(a * a));
    }),
  );
});

test("a double stays one, even without a fraction", () => {
  assert.equal(sum("0.5", "0.5"), "1.0");
  assert.equal(sum("1.0", "2"), "3.0");
  assert.equal(sum("0", "1.0"), "1.0");
  assert.equal(sum("1", "0.25"), "1.25");
  assert.equal(sum("12345678901234567890", "0.5"), "12345678901234567000.0");
  assert.equal(square("1.5"), "2.25");
  assert.equal(square("2.0"), "4.0");
});

test("what is too large for a double is the largest one", () => {
  assert.equal(sum("1e308", "1e308"), "1.7976931348623157e+308");
  assert.equal(square("-1e200"), "1.7976931348623157e+308");
});

test("the lesser and the greater keep their spelling, the first one among equals", () => {
  const [one, oneDouble, big] = [readQuantity("1"), readQuantity("1.0"), readQuantity("9007199254740993")];
  assert.equal(lesser(one, oneDouble), one);
  assert.equal(greater(oneDouble, one), oneDouble);
  assert.equal(greater(big, readQuantity("9007199254740992.0")), big);
  assert.equal(lesser(big, readQuantity("-0.5")), -0.5);
});
