/** Where things stand in the order of a view, and cuts between them. */
import { partitionOf } from "../../documents/partitions.js";
import { type Collation, compareBeginning, compareJson, compareUtf8 } from "../collation.js";

/** Things in the order of a view: the rows of a leaf, the children of an inner node (by their first rows), changes of a batch. */
export interface Places {
  readonly count: number;
  /** Parsed. */
  key(i: number): unknown;
  id(i: number): string;
}

/** How the rows of a view are ordered: by key, then by id. */
export interface RowOrder {
  readonly collation: Collation;
  /** Rows of one partition stand together; partitions are ordered by their bytes, keys within each. */
  readonly byPartition?: boolean | undefined;
}

/**
 * A cut through the order of a view: some rows stand before it, the others behind it.
 *
 * The rows of `key` (and of `id`, where there is one) stand before it when `after` is set, behind it otherwise.
 */
export interface Cut {
  /** Undefined: of all keys of the partition. */
  readonly key: unknown;
  readonly id: string | undefined;
  readonly after: boolean;
  /** Set: rows count by the first elements of their keys, as many as here; `key` is such a beginning. */
  readonly level?: number;
  /** In rows by partition, where there is no id to tell it. */
  readonly partition?: string | undefined;
}

export function isBefore(places: Places, i: number, cut: Cut, { collation, byPartition }: RowOrder): boolean {
  if (byPartition) {
    const side = compareUtf8(partitionOf(places.id(i)), cut.partition ?? partitionOf(cut.id as string));
    if (side !== 0) return side < 0;
    if (cut.key === undefined) return cut.after;
  }
  const key = places.key(i);
  const side =
    cut.level === undefined
      ? compareJson(key, cut.key, collation)
      : compareBeginning(key, cut.level, cut.key, collation);
  if (side !== 0) return side < 0;
  if (cut.id === undefined) return cut.after;
  const idOrder = compareUtf8(places.id(i), cut.id);
  return idOrder < 0 || (idOrder === 0 && cut.after);
}

/** How many of the places stand before the cut; those before `from` are known to. */
export function countBefore(places: Places, cut: Cut, order: RowOrder, from = 0, to = places.count): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(places, middle, cut, order)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The same, quick when the cut is not far behind `from`: for those who go through places and cuts in their order. */
export function countBeforeFrom(places: Places, cut: Cut, order: RowOrder, from: number, to = places.count): number {
  let known = from;
  let next = from;
  for (let step = 1; next < to && isBefore(places, next, cut, order); step *= 2) {
    known = next + 1;
    next += step;
  }
  return countBefore(places, cut, order, known, Math.min(next, to));
}

/** Negative, zero or positive, as one row's place is before, the same as, or behind another's. */
export function comparePlaces(
  a: { readonly parsedKey: unknown; readonly id: string },
  b: { readonly parsedKey: unknown; readonly id: string },
  { collation, byPartition }: RowOrder,
): number {
  const side = byPartition ? compareUtf8(partitionOf(a.id), partitionOf(b.id)) : 0;
  return side || compareJson(a.parsedKey, b.parsedKey, collation) || compareUtf8(a.id, b.id);
}

/** What a key is grouped by. */
export function beginning(key: unknown, level: number): unknown {
  return Array.isArray(key) && key.length > level ? key.slice(0, level) : key;
}
