/**
 * Numbers as CouchDB adds them: integers exactly, whatever their size, and an integer with a double to a double, which shows that it
 * is one (`0.5` and `0.5` make `1.0`).
 */
import { canonicalDouble } from "../../documents/json/number-text.js";

/** A double without a fraction. */
export class WholeDouble {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** Numbers are integers up to 2^53, or doubles with a fraction; bigints are larger integers. */
export type Quantity = number | bigint | WholeDouble;

const integer = /^-?\d+$/;

/** The number of a JSON text. */
export function readQuantity(text: string): Quantity {
  const value = Number(text);
  if (!integer.test(text)) return double(value);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

export function isQuantity(value: unknown): value is Quantity {
  return typeof value === "number" || typeof value === "bigint" || value instanceof WholeDouble;
}

export function addQuantities(a: Quantity, b: Quantity): Quantity {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(sum) && Number.isInteger(a) && Number.isInteger(b)) return sum;
  }
  return isInteger(a) && isInteger(b) ? whole(BigInt(a) + BigInt(b)) : double(asDouble(a) + asDouble(b));
}

export function squareOf(a: Quantity): Quantity {
  return isInteger(a) ? whole(BigInt(a) * BigInt(a)) : double(asDouble(a) ** 2);
}

/** The lesser one; the first of two that are equal. */
export function lesser(a: Quantity, b: Quantity): Quantity {
  return comparable(b) < comparable(a) ? b : a;
}

export function greater(a: Quantity, b: Quantity): Quantity {
  return comparable(b) > comparable(a) ? b : a;
}

/** As CouchDB prints it. */
export function printQuantity(quantity: Quantity): string {
  if (isInteger(quantity)) return String(quantity);
  return canonicalDouble(String(asDouble(quantity))) as string;
}

function isInteger(quantity: Quantity): quantity is number | bigint {
  return typeof quantity === "bigint" || (typeof quantity === "number" && Number.isInteger(quantity));
}

function asDouble(quantity: Quantity): number {
  return quantity instanceof WholeDouble ? quantity.value : Number(quantity);
}

function comparable(quantity: Quantity): number | bigint {
  return quantity instanceof WholeDouble ? quantity.value : quantity;
}

function whole(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** What is too large for a double stays the largest one: JSON has no infinity, and Erlang's answer would be a crash. */
function double(value: number): Quantity {
  const finite = Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
  return Number.isInteger(finite) ? new WholeDouble(finite) : finite;
}
