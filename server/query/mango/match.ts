/** Selectors as functions. */
import { type Collation, compareJson } from "../collation.js";
import type { Condition } from "./condition.js";
import { badPath, notFound, valueAt } from "./field-path.js";
import { compileRegex } from "./regex.js";
import type { FieldSelector, Selector } from "./selector.js";
import { SortedValues } from "./sorted-values.js";

/** Whether a JSON value satisfies a selector. */
export type Matcher = (value: unknown) => boolean;

/** Steps of searching that one document may cost, regular expressions all told: about a second at worst. */
const searchSteps = 200_000_000;

/** A row of an index: what is known of a document without reading it. */
export interface KeyedRow {
  readonly id: string;
  /** The values of the index's fields. */
  readonly key: readonly unknown[];
}

/** What the parts of a selector share. */
interface Context {
  readonly collation: Collation;
  readonly budget: { steps: number };
  /** How a field is read; undefined: by its path. */
  readonly reader?: ((name: string) => (value: unknown) => unknown) | undefined;
}

/** The selector compiled once, for many documents: their whole JSON, with `_id`, `_rev`, `_deleted` and `_attachments`. */
export function compileSelector(selector: Selector): Matcher {
  return compileWith(selector, undefined);
}

/** The same for rows of an index. All fields of the selector must be columns of it, or `_id`. */
export function compileForRows(selector: Selector, columns: readonly string[]): (row: KeyedRow) => boolean {
  return compileWith(selector, (name) => {
    const column = columns.indexOf(name);
    return (row) => (column < 0 ? (row as KeyedRow).id : (row as KeyedRow).key[column]);
  });
}

function compileWith(selector: Selector, reader: Context["reader"]): Matcher {
  const budget = { steps: 0 };
  const matches = compile(selector, { collation: "icu", budget, reader });
  return (value) => {
    budget.steps = searchSteps;
    return matches(value);
  };
}

function compile(selector: Selector, context: Context): Matcher {
  switch (selector.kind) {
    case "everything":
      return () => true;
    case "and": {
      const all = selector.of.map((part) => compile(part, context));
      return (value) => all.every((matches) => matches(value));
    }
    case "or": {
      const any = selector.of.map((part) => compile(part, context));
      // As in CouchDB: an empty list asks for nothing, so that `{"age": 22, "$or": []}` is about age alone.
      return (value) => any.length === 0 || any.some((matches) => matches(value));
    }
    case "not":
      return not(compile(selector.of, context));
    case "field":
      return compileField(selector, context);
  }
}

function not(matches: Matcher): Matcher {
  return (value) => !matches(value);
}

function compileField({ name, path, condition }: FieldSelector, context: Context): Matcher {
  // Ids are ordered as in `_all_docs`.
  const matches = compileCondition(condition, name === "_id" ? { ...context, collation: "raw" } : context);
  const missing = condition.operator === "$exists" && !condition.argument;
  const read = context.reader?.(name) ?? ((value: unknown) => valueAt(value, path));
  return (value) => {
    const found = read(value);
    if (found === notFound) return missing;
    return found !== badPath && matches(found);
  };
}

function compileCondition({ operator, argument }: Condition, context: Context): Matcher {
  const { collation } = context;
  // Conditions on elements look at these alone.
  const ofElements = { ...context, reader: undefined };
  switch (operator) {
    case "$lt":
      return (value) => compareJson(value, argument, collation) < 0;
    case "$lte":
      return (value) => compareJson(value, argument, collation) <= 0;
    case "$eq":
      return (value) => compareJson(value, argument, collation) === 0;
    case "$ne":
      return (value) => compareJson(value, argument, collation) !== 0;
    case "$gte":
      return (value) => compareJson(value, argument, collation) >= 0;
    case "$gt":
      return (value) => compareJson(value, argument, collation) > 0;
    case "$in":
      return oneOf(argument, collation);
    case "$nin":
      return not(oneOf(argument, collation));
    case "$all":
      return allOf(argument);
    case "$exists":
      return () => argument;
    case "$type":
      return (value) => typeOf(value) === argument;
    case "$size":
      return (value) => Array.isArray(value) && value.length === argument;
    case "$mod": {
      const [divisor, remainder] = argument;
      return (value) => Number.isInteger(value) && (value as number) % divisor === remainder;
    }
    case "$regex":
      return search(argument, context);
    case "$beginsWith":
      return (value) => typeof value === "string" && value.startsWith(argument);
    case "$elemMatch": {
      const matches = compile(argument, ofElements);
      return (value) => Array.isArray(value) && value.some(matches);
    }
    case "$allMatch": {
      const matches = compile(argument, ofElements);
      return (value) => Array.isArray(value) && value.length > 0 && value.every(matches);
    }
    case "$keyMapMatch": {
      const matches = compile(argument, ofElements);
      return (value) => typeOf(value) === "object" && Object.keys(value as object).some(matches);
    }
    case "$not":
      return not(compileCondition(argument, context));
  }
}

function search(pattern: string, { budget }: Context): Matcher {
  const { size, test } = compileRegex(pattern);
  return (value) => {
    if (typeof value !== "string") return false;
    budget.steps -= value.length * size;
    // Beyond its own limit CouchDB finds nothing either.
    return budget.steps >= 0 && test(value);
  };
}

/** The value, or any element of an array, is among the candidates. */
function oneOf(candidates: readonly unknown[], collation: Collation): Matcher {
  const sorted = new SortedValues(candidates, collation);
  const isAmong = (value: unknown): boolean => sorted.indexOf(value) >= 0;
  return (value) => (Array.isArray(value) ? value.some(isAmong) : isAmong(value));
}

/** An array that has every one of the values, or is the only one; equal to the letter. No values: nothing has them. */
function allOf(wanted: readonly unknown[]): Matcher {
  const sorted = new SortedValues(wanted, "raw");
  return (value) => {
    if (!Array.isArray(value) || wanted.length === 0) return false;
    if (wanted.length === 1 && compareJson(wanted[0], value, "raw") === 0) return true;
    const found = new Set(value.map((element) => sorted.indexOf(element)));
    found.delete(-1);
    return found.size === sorted.length;
  };
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
