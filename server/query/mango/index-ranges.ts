/** Which part of an index a selector asks for: what is explained, and what is read. */
import { compareUtf8 } from "../collation.js";
import type { Condition } from "./condition.js";
import {
  type Comparisons,
  type FieldRange,
  plannedComparisons,
  type Range,
  rangeOf,
  searchedComparisons,
} from "./field-range.js";
import { columnsOf, type JsonIndex, type MangoIndex } from "./mango-index.js";
import type { Selector } from "./selector.js";
import { conditionsOn, indexableConditions } from "./selector-fields.js";

/** Ranges of the first columns of an index; "empty": nothing can satisfy the selector. */
export type IndexRanges = readonly FieldRange[] | "empty";

/** The range of each field that has one. Where one is empty CouchDB knows of no other. */
export function plannedRanges(selector: Selector): ReadonlyMap<string, Range> {
  const ranges = new Map<string, Range>();
  for (const [name, conditions] of indexableConditions(selector)) {
    const range = rangeOf(conditions, plannedComparisons);
    if (range === "empty") return new Map([[name, range]]);
    ranges.set(name, range);
  }
  return ranges;
}

/** Those of the first columns, as far as these have any. */
export function rangesOfIndex(index: MangoIndex, ranges: ReadonlyMap<string, Range>): readonly Range[] {
  const columns = columnsOf(index);
  const end = columns.findIndex((name) => !ranges.has(name));
  return columns.slice(0, end < 0 ? columns.length : end).map((name) => ranges.get(name) as Range);
}

/** Behind all values, in CouchDB's words. */
export const maximum = "<MAX>";

export function startKey(ranges: readonly FieldRange[]): readonly unknown[] {
  return boundsOf(ranges, "low");
}

export function endKey(ranges: readonly FieldRange[]): readonly unknown[] {
  return [...boundsOf(ranges, "high"), maximum];
}

/** Values of columns: rows that begin with less, or with more, are not asked for. */
export interface KeyBounds {
  readonly low: readonly unknown[];
  readonly high: readonly unknown[];
}

/** What of an index must be read so that nothing is missed. */
export function searchedKeys({ fields }: JsonIndex, selector: Selector): KeyBounds | "empty" {
  const ranges: FieldRange[] = [];
  for (const { name } of fields) {
    const range = rangeOf(conditionsOn(selector, name), comparisonsOf(name));
    if (range === "empty") return "empty";
    ranges.push(range);
  }
  return { low: boundsOf(ranges, "low"), high: boundsOf(ranges, "high") };
}

/** Ids are compared by their bytes, and ordered like other texts where they are a column of an index: only equality is the same. */
function comparisonsOf(name: string): Comparisons {
  if (name !== "_id") return searchedComparisons;
  return (condition) => (condition.operator === "$eq" ? searchedComparisons(condition) : []);
}

/** Of the first columns, as far as each has a bound. */
function boundsOf(ranges: readonly FieldRange[], side: "low" | "high"): readonly unknown[] {
  const end = ranges.findIndex((range) => !range[side]);
  return ranges.slice(0, end < 0 ? ranges.length : end).map((range) => range[side]?.value);
}

/** Nothing in the index, or among all documents, can satisfy the selector. */
export function isUnsatisfiable(index: MangoIndex, selector: Selector): boolean {
  return (index.type === "special" ? searchedIds(selector) : searchedKeys(index, selector)) === "empty";
}

/** Ids, inclusive; undefined: no bound. */
export interface IdBounds {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** Which ids a selector leaves, of all documents. Every id is text, and text comes behind all else that JSON has. */
export function searchedIds(selector: Selector): IdBounds | "empty" {
  let [from, to]: (string | undefined)[] = [];
  for (const { operator, argument } of conditionsOn(selector, "_id").flatMap(idComparisons)) {
    const isLow = operator === "$gte";
    if (typeof argument !== "string") {
      if (isLow) continue;
      return "empty";
    }
    if (isLow) from = from === undefined || compareUtf8(argument, from) > 0 ? argument : from;
    else to = to === undefined || compareUtf8(argument, to) < 0 ? argument : to;
  }
  return from !== undefined && to !== undefined && compareUtf8(from, to) > 0 ? "empty" : { from, to };
}

function idComparisons({ operator, argument }: Condition): readonly { operator: "$gte" | "$lte"; argument: unknown }[] {
  switch (operator) {
    case "$gt":
    case "$gte":
      return [{ operator: "$gte", argument }];
    case "$lt":
    case "$lte":
      return [{ operator: "$lte", argument }];
    case "$eq":
      return [
        { operator: "$gte", argument },
        { operator: "$lte", argument },
      ];
    case "$beginsWith":
      return [
        { operator: "$gte", argument },
        { operator: "$lte", argument: argument + lastCodePoint },
      ];
    case "$in": {
      const ids = argument.filter((id): id is string => typeof id === "string").sort(compareUtf8);
      return [
        { operator: "$gte", argument: ids[0] },
        { operator: "$lte", argument: ids.at(-1) },
      ];
    }
    default:
      return [];
  }
}

/** Nothing but itself comes behind it, by bytes. */
const lastCodePoint = "\u{10ffff}";
