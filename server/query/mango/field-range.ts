/** The values between which a field must lie, by what a selector asks of it. In the order of indexes. */
import { compareJson } from "../collation.js";
import type { Condition } from "./condition.js";

export interface Bound {
  readonly value: unknown;
  readonly isIncluded: boolean;
}

export interface FieldRange {
  /** Undefined: none. */
  readonly low: Bound | undefined;
  readonly high: Bound | undefined;
}

/** Conditions that exclude each other leave nothing. */
export type Range = FieldRange | "empty";

export interface Comparison {
  readonly operator: "$lt" | "$lte" | "$gte" | "$gt";
  readonly value: unknown;
}

/** The comparisons that a condition implies. */
export type Comparisons = (condition: Condition) => readonly Comparison[];

export function rangeOf(conditions: readonly Condition[], comparisons: Comparisons): Range {
  let range: FieldRange = { low: undefined, high: undefined };
  for (const condition of conditions) {
    for (const comparison of comparisons(condition)) {
      const narrowed = narrow(range, comparison);
      if (narrowed === "empty") return narrowed;
      range = narrowed;
    }
  }
  return range;
}

/** As CouchDB plans, and explains. */
export function plannedComparisons({ operator, argument }: Condition): readonly Comparison[] {
  switch (operator) {
    case "$lt":
    case "$lte":
    case "$gte":
    case "$gt":
      return [{ operator, value: argument }];
    case "$eq":
      return between(argument, argument);
    case "$beginsWith":
      return between(argument, argument + lastCharacter);
    default:
      return [];
  }
}

/** As an index is searched: no document that satisfies the condition lies outside, so it is wider at times. */
export function searchedComparisons(condition: Condition): readonly Comparison[] {
  const { operator, argument } = condition;
  if (operator === "$beginsWith") {
    const beginning = firmBeginning.exec(argument)?.[0] ?? "";
    return between(beginning, beginning + lastCharacter);
  }
  return plannedComparisons(condition).flatMap(widened);
}

/** ICU orders it behind all others. */
const lastCharacter = "\uffff";

/**
 * Texts that begin alike stand together, in ICU's order, but for the end of what they have in common: an accent may change place with
 * the next one, a vowel with its consonant. Up to the last character of these kinds they do.
 */
const firmBeginning = /^.*[\x20-\x7e\p{Script=Han}]/su;

function between(low: unknown, high: unknown): readonly Comparison[] {
  return [
    { operator: "$gte", value: low },
    { operator: "$lte", value: high },
  ];
}

/** An index orders integers beyond 2^53 exactly; selectors and documents know them rounded. */
function widened({ operator, value }: Comparison): readonly Comparison[] {
  if (typeof value === "number") {
    if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return [{ operator, value }];
    const step = Math.abs(value) * Number.EPSILON;
    const isHigh = operator === "$lt" || operator === "$lte";
    return [{ operator: isHigh ? "$lte" : "$gte", value: isHigh ? value + step : value - step }];
  }
  return isExact(value) ? [{ operator, value }] : [];
}

/** Whether an index orders it like `compareJson` after `JSON.parse`: large integers, and names that look like numbers, it does not. */
function isExact(value: unknown): boolean {
  if (typeof value === "number") return Math.abs(value) <= Number.MAX_SAFE_INTEGER;
  if (typeof value !== "object" || value === null) return true;
  if (!Array.isArray(value) && Object.keys(value).some((name) => /^\d+$/.test(name))) return false;
  return Object.values(value).every(isExact);
}

function narrow({ low, high }: FieldRange, { operator, value }: Comparison): Range {
  const bound = { value, isIncluded: operator === "$gte" || operator === "$lte" };
  const narrowed =
    operator === "$gt" || operator === "$gte"
      ? { low: tighter(low, bound, 1), high }
      : { low, high: tighter(high, bound, -1) };
  return isEmpty(narrowed) ? "empty" : narrowed;
}

/** `direction`: 1 when the higher bound is the tighter one, -1 when the lower one is. */
function tighter(bound: Bound | undefined, other: Bound, direction: 1 | -1): Bound {
  if (!bound) return other;
  const order = compareJson(other.value, bound.value) * direction;
  if (order === 0) return bound.isIncluded ? other : bound;
  return order > 0 ? other : bound;
}

function isEmpty({ low, high }: FieldRange): boolean {
  if (!low || !high) return false;
  const order = compareJson(low.value, high.value);
  return order > 0 || (order === 0 && !(low.isIncluded && high.isIncluded));
}
