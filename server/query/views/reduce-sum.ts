/**
 * `_sum` and `_count`, as CouchDB 3.5 has them. `_sum` adds numbers, arrays of numbers element by element, and objects member by
 * member; what cannot be added makes an error object, which is the value of the group.
 */
import { compareUtf8 } from "../collation.js";
import { parseExactWith } from "../exact-json.js";
import { addQuantities, isQuantity, printQuantity, type Quantity, readQuantity } from "./quantity.js";
import type { Reducer, Reduction } from "./reducer.js";

export const countReducer: Reducer = {
  reduce: (groups) => groups.map((rows) => String(rows.length)),
  rereduce: (groups) => groups.map((counts) => String(counts.reduce((sum, count) => sum + Number(count), 0))),
};

export const sumReducer: Reducer = {
  reduce: (groups) =>
    groups.map((rows) =>
      sum(
        rows.map((row) => row.smallInteger ?? row.value),
        () => rows.reduce((size, { json }) => size + json.length, 0),
      ),
    ),
  // A single sum stays what it is; it has no room to shrink.
  rereduce: (groups) =>
    groups.map((sums) =>
      sums.length === 1 ? (sums[0] as Reduction) : sum(sums, () => sums.reduce((size, { length }) => size + length, 0)),
    ),
};

const sumReason =
  "The _sum function requires that map values be numbers, arrays of numbers, or objects. Objects cannot be mixed with other " +
  "data structures. Objects can be arbitrarily nested, provided that the values for all fields are themselves numbers, arrays " +
  "of numbers, or objects.";

/** CouchDB's limits: a sum above so many bytes must be at most half as large as what it is the sum of. */
const overflowBytes = 4906;
const overflowRatio = 2;

const smallInteger = /^-?\d{1,15}$/;

/** A value that cannot be added. It is, or becomes, the value of its group. */
class NotAddable extends Error {
  readonly value: unknown;

  constructor(value: unknown) {
    super(sumReason);
    this.value = value;
  }
}

/** JSON texts in (or what they say, of small integers), JSON text out. `inputBytes` is asked for only when the sum is large. */
function sum(values: readonly (string | number)[], inputBytes: () => number): string {
  let total: unknown = 0;
  try {
    for (const value of values) total = addValues(typeof value === "number" ? value : readValue(value), total);
  } catch (error) {
    if (error instanceof NotAddable) return print(error.value);
    throw error;
  }
  const printed = print(total);
  if (printed.length <= overflowBytes || printed.length * overflowRatio <= inputBytes()) return printed;
  const reason = `Reduce output must shrink more rapidly: input size: ${inputBytes()} output size: ${printed.length}`;
  return JSON.stringify({ error: "builtin_reduce_error", reason });
}

function readValue(text: string): unknown {
  return smallInteger.test(text) ? Number(text) : parseExactWith(text, readQuantity);
}

function addValues(value: unknown, total: unknown): unknown {
  if (isQuantity(value) && isQuantity(total)) return addQuantities(total, value);
  if (Array.isArray(value) && Array.isArray(total)) return addArrays(total, value);
  if (isQuantity(value) && Array.isArray(total)) return addArrays(total, [value]);
  if (Array.isArray(value) && isQuantity(total)) return addArrays([total], value);
  if (value instanceof Map) {
    if (value.get("error") === "builtin_reduce_error") throw new NotAddable(value);
    if (total === 0) return value;
    if (total instanceof Map) return addObjects(total, value);
  }
  throw notAddable(value);
}

/** Where one array ends the other one's elements are taken as they are. */
function addArrays(totals: readonly unknown[], values: readonly unknown[]): unknown[] {
  const longer = totals.length > values.length ? totals : values;
  return longer.map((each, i) => {
    if (i >= totals.length || i >= values.length) return each;
    const [a, b] = [totals[i], values[i]];
    if (!isQuantity(a) || !isQuantity(b)) throw notAddable(totals.slice(i));
    return addQuantities(a, b);
  });
}

function addObjects(totals: ReadonlyMap<string, unknown>, values: ReadonlyMap<string, unknown>): Map<string, unknown> {
  const names = [...new Set([...totals.keys(), ...values.keys()])].sort(compareUtf8);
  return new Map(
    names.map((name) => {
      if (!values.has(name)) return [name, totals.get(name)];
      return [name, totals.has(name) ? addValues(values.get(name), totals.get(name)) : values.get(name)];
    }),
  );
}

function notAddable(value: unknown): NotAddable {
  return new NotAddable(
    new Map<string, unknown>([
      ["error", "builtin_reduce_error"],
      ["reason", sumReason],
      ["caused_by", value],
    ]),
  );
}

function print(value: unknown): string {
  if (isQuantity(value)) return printQuantity(value as Quantity);
  if (Array.isArray(value)) return `[${value.map(print).join(",")}]`;
  if (!(value instanceof Map)) return JSON.stringify(value);
  const members = [...(value as Map<string, unknown>)].map(([name, each]) => `${JSON.stringify(name)}:${print(each)}`);
  return `{${members.join(",")}}`;
}
