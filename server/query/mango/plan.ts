/** Which index answers a query, by CouchDB's rules, and what became of the others. */
import { CouchError } from "../../../protocol/errors.js";
import type { FindRequest } from "./find-request.js";
import { type IndexRanges, isUnsatisfiable, plannedRanges, rangesOfIndex } from "./index-ranges.js";
import { withPrefix } from "./index-request.js";
import { allDocuments, columnsOf, compareIndexes, type JsonIndex, type MangoIndex } from "./mango-index.js";
import type { Selector } from "./selector.js";
import { fieldsIn, indexableFields, isConstant, requiredFields } from "./selector-fields.js";

export type Unfit = "field_mismatch" | "sort_order_mismatch";

/** An index of the kind that was chosen, the best first. */
export interface RankedIndex {
  readonly index: MangoIndex;
  /** Fields that could narrow it down, and do not. */
  readonly distance: number;
}

/** All indexes, and which of them were left after each step. */
export interface PlanSteps {
  readonly all: readonly MangoIndex[];
  /** Without partial ones that were not asked for. */
  readonly whole: readonly MangoIndex[];
  readonly inScope: readonly MangoIndex[];
  readonly unfit: ReadonlyMap<MangoIndex, Unfit>;
  readonly usable: readonly MangoIndex[];
  /** By the choice of the user, where that can be had. */
  readonly wanted: readonly MangoIndex[];
  readonly ranked: readonly RankedIndex[];
}

export interface Plan {
  /** Undefined: none fits; only to be explained. */
  readonly index: MangoIndex | undefined;
  /** As they are explained. */
  readonly ranges: IndexRanges;
  /** Nothing need be read, or said of it. */
  readonly isEmpty: boolean;
  /** Whether the index has all that is wanted of a document. */
  readonly isCovering: boolean;
  readonly steps: PlanSteps;
}

/** @throws CouchError invalid_index where no other than the index that was asked for may be taken */
export function planQuery(indexes: readonly JsonIndex[], request: FindRequest): Plan {
  const { selector, useIndex } = request;
  const all: readonly MangoIndex[] = [allDocuments, ...indexes.toSorted(compareIndexes)];
  const asked = namedBy(useIndex, all);
  const whole = all.filter((index) => asked.includes(index) || !isPartial(index));
  const inScope = whole.filter((index) => isInScope(index, request));
  const unfit = new Map(inScope.flatMap((index) => withReason(index, request)));
  const usable = inScope.filter((index) => !unfit.has(index));
  const named = namedBy(useIndex, usable);
  if (named.length === 0 && !request.allowFallback) refuseFallback(useIndex, usable);
  const wanted = named.length > 0 ? named : usable;
  // All documents by id are for when there is nothing better.
  const favoured = wanted.filter(({ type }) => type === "json");
  const ranked = rank(favoured.length > 0 ? favoured : wanted, selector);
  const index = ranked[0]?.index;
  const ranges = index ? indexRanges(index, selector) : [];
  return {
    index,
    ranges,
    isEmpty: index !== undefined && ranges === "empty" && (isOfNothing(selector) || isUnsatisfiable(index, selector)),
    isCovering: index !== undefined && covers(index, requiredBy(request)),
    steps: { all, whole, inScope, unfit, usable, wanted, ranked },
  };
}

/** @throws CouchError no_usable_index */
export function chosenIndex(
  { index }: Plan,
  { partition }: FindRequest,
  { partitioned }: { readonly partitioned: boolean },
): MangoIndex {
  if (index) return index;
  const kind = !partitioned ? "" : partition === undefined ? "global " : "partitioned ";
  throw new CouchError("no_usable_index", `No ${kind}index exists for this sort, try indexing by the sort fields.`);
}

/** Whether an index has all these fields of a document; undefined: the whole. */
export function covers(index: MangoIndex, fields: readonly string[] | undefined): boolean {
  if (index.type === "special" || !fields) return false;
  const columns = new Set([...columnsOf(index), "_id"]);
  return fields.every((name) => columns.has(name));
}

function requiredBy({ fields, selector }: FindRequest): readonly string[] | undefined {
  return fields && [...fields.names, ...fieldsIn(selector)];
}

function isPartial(index: MangoIndex): boolean {
  return index.type === "json" && index.partialFilter !== undefined;
}

function isInScope(index: MangoIndex, { partition }: FindRequest): boolean {
  return index.type === "special" || index.partitioned === (partition !== undefined);
}

/** With `use_index`: none where nothing was asked for. */
function namedBy([designDoc, name]: readonly string[], indexes: readonly MangoIndex[]): readonly MangoIndex[] {
  if (designDoc === undefined) return [];
  const id = withPrefix(designDoc);
  return indexes.filter(
    (index) => index.type === "json" && index.designDoc === id && (name === undefined || index.name === name),
  );
}

function refuseFallback([designDoc, name]: readonly string[], usable: readonly MangoIndex[]): void {
  if (designDoc !== undefined) {
    const named = name === undefined ? withPrefix(designDoc) : `${withPrefix(designDoc)}, ${name}`;
    throw new CouchError(
      "invalid_index",
      `${named} specified by \`use_index\` could not be found or it is not suitable.`,
    );
  }
  if (usable.some(({ type }) => type === "json")) return;
  throw new CouchError("invalid_index", "You must specify an index with the `use_index` parameter.");
}

/** An index has only documents that have all of its fields: one fits where the others cannot be found anyway. */
function withReason(index: MangoIndex, { selector, sort }: FindRequest): readonly (readonly [MangoIndex, Unfit])[] {
  const sorted = sort.map(({ name }) => name);
  const columns = columnsOf(index);
  if (index.type === "special") {
    if (sorted.length === 0) return [];
    if (!indexableFields(selector).includes("_id")) return [[index, "field_mismatch"]];
    return sorted.length === 1 && sorted[0] === "_id" ? [] : [[index, "sort_order_mismatch"]];
  }
  const known = new Set([...requiredFields(selector), ...sorted, "_id", "_rev"]);
  if (!columns.every((name) => known.has(name))) return [[index, "field_mismatch"]];
  return isSorted(columns, sorted, selector) ? [] : [[index, "sort_order_mismatch"]];
}

/** Columns that have one value only, in front of those that are sorted by, change nothing about the order. */
function isSorted(columns: readonly string[], sorted: readonly string[], selector: Selector): boolean {
  if (sorted.length === 0) return true;
  const first = columns.findIndex((name) => name === sorted[0] || !isConstant(selector, name));
  return first >= 0 && sorted.every((name, i) => columns[first + i] === name);
}

/** The one that fits the selector best, then the one with the fewest fields, then by name. */
function rank(indexes: readonly MangoIndex[], selector: Selector): readonly RankedIndex[] {
  const ranges = plannedRanges(selector);
  return indexes
    .map((index) => ({ index, distance: ranges.size - rangesOfIndex(index, ranges).length }))
    .sort(
      (a, b) =>
        a.distance - b.distance ||
        columnsOf(a.index).length - columnsOf(b.index).length ||
        compareIndexes(a.index, b.index),
    );
}

function indexRanges(index: MangoIndex, selector: Selector): IndexRanges {
  if (isOfNothing(selector)) return "empty";
  const ranges = rangesOfIndex(index, plannedRanges(selector));
  return ranges.some((range) => range === "empty") ? "empty" : (ranges as Exclude<IndexRanges, "empty">);
}

/** As in CouchDB: on its own an empty list finds nothing, in `{"age": 22, "$or": []}` it asks for nothing. */
function isOfNothing(selector: Selector): boolean {
  return (selector.kind === "and" || selector.kind === "or") && selector.of.length === 0;
}
