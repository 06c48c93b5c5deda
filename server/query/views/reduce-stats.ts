/** `_stats`, as CouchDB 3.5 has it: of numbers, of arrays of numbers element by element, and of objects that are statistics already. */
import { parseExactWith } from "../exact-json.js";
import { erlangTerm } from "../mango/erlang-term.js";
import {
  addQuantities,
  greater,
  isQuantity,
  lesser,
  printQuantity,
  type Quantity,
  readQuantity,
  squareOf,
} from "./quantity.js";
import { failedReduction, firstFailure, type Reducer, type Reduction } from "./reducer.js";

interface Statistics {
  readonly sum: Quantity;
  readonly count: Quantity;
  readonly min: Quantity;
  readonly max: Quantity;
  readonly sumsqr: Quantity;
}

type Accumulated = Statistics | readonly Accumulated[];

const memberNames = ["sum", "count", "min", "max", "sumsqr"] as const;

export const statsReducer: Reducer = {
  reduce: (groups) => groups.map((rows) => reduceTexts(rows.map((row) => row.value))),
  rereduce: (groups) => groups.map((reductions) => firstFailure(reductions) ?? reduceTexts(reductions)),
};

/** A value of which there are no statistics; in CouchDB's words. */
class InvalidValue extends Error {}

function reduceTexts(texts: readonly string[]): Reduction {
  try {
    let total: Accumulated | undefined;
    for (const text of texts) {
      const value = parseExactWith(text, readQuantity);
      total = total === undefined ? statisticsOf(value) : add(value, total);
    }
    return print(total as Accumulated);
  } catch (error) {
    if (error instanceof InvalidValue) return failedReduction({ error: "invalid_value", reason: error.message });
    throw error;
  }
}

function statisticsOf(value: unknown): Accumulated {
  if (Array.isArray(value)) return value.map(statisticsOf);
  if (isQuantity(value)) return { sum: value, count: 1, min: value, max: value, sumsqr: squareOf(value) };
  if (value instanceof Map) return unpack(value);
  throw new InvalidValue(`non-numeric _stats input: ${erlangTerm(value)}`);
}

function add(value: unknown, total: Accumulated): Accumulated {
  const isList = Array.isArray(value);
  if (isList !== Array.isArray(total) || !(isList || isQuantity(value) || value instanceof Map)) {
    throw new InvalidValue(
      `The _stats function requires that map values be numbers or arrays of numbers, not '${printable(value)}'`,
    );
  }
  if (!isList) return combine(statisticsOf(value) as Statistics, total as Statistics);
  const totals = total as readonly Accumulated[];
  if (value.length !== totals.length) {
    throw new InvalidValue(
      `The _stats function requires that arrays have the same length, not ${value.length} and ${totals.length}`,
    );
  }
  return totals.map((each, i) => add(value[i], each));
}

function combine(a: Statistics, b: Statistics): Statistics {
  return {
    sum: addQuantities(a.sum, b.sum),
    count: addQuantities(a.count, b.count),
    min: lesser(a.min, b.min),
    max: greater(a.max, b.max),
    sumsqr: addQuantities(a.sumsqr, b.sumsqr),
  };
}

function unpack(members: ReadonlyMap<string, unknown>): Statistics {
  const [sum, count, min, max, sumsqr] = memberNames.map((name) => {
    const value = members.get(name);
    if (isQuantity(value)) return value;
    if (value === undefined) {
      throw new InvalidValue(`user _stats input missing required field ${name} (${printable(members)})`);
    }
    throw new InvalidValue(`non-numeric _stats input received for ${name}: ${erlangTerm(value)}`);
  }) as [Quantity, Quantity, Quantity, Quantity, Quantity];
  return { sum, count, min, max, sumsqr };
}

function print(total: Accumulated): string {
  if (Array.isArray(total)) return `[${(total as readonly Accumulated[]).map(print).join(",")}]`;
  const statistics = total as Statistics;
  return `{${memberNames.map((name) => `"${name}":${printQuantity(statistics[name])}`).join(",")}}`;
}

/** As Erlang prints it for readers: text as text. */
function printable(value: unknown): string {
  if (isQuantity(value)) return printQuantity(value);
  if (typeof value === "string") return `<<${JSON.stringify(value)}>>`;
  if (Array.isArray(value)) return `[${value.map(printable).join(",")}]`;
  if (!(value instanceof Map)) return String(value);
  return `[${[...(value as Map<string, unknown>)].map((member) => `{${member.map(printable).join(",")}}`).join(",")}]`;
}
