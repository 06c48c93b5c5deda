/** Reduced rows of a view: one for all, or one for each group of keys. */
import { CouchError } from "../../../protocol/errors.js";
import type { ViewQuery } from "../../../protocol/view-query.js";
import { compareJson } from "../collation.js";
import { groupKey } from "./group-key.js";
import { type IndexTree, type LeafPosition, leafAt, partsBetween, rankOf } from "./index-tree.js";
import { type RankRange, rangesOf } from "./key-ranges.js";
import { beginning, type Cut } from "./places.js";
import { finished, type Reduced, type Reducer, type Reduction } from "./reducer.js";
import type { ViewRow } from "./view-row.js";

export type ReducedRow = Reduced & {
  /** JSON text. */
  readonly key: string;
};

/** Groups whose rows are handed to the reducer together. */
const groupsAtOnce = 200;

/**
 * Rows come in batches. `which` is the reduce function's place among those of the view. An empty range has no row at all.
 * @throws CouchError query_parse_error for a range whose begin stands behind its end, and for `keys` without `group`
 */
export async function* queryReduced(
  tree: IndexTree,
  which: number,
  reducer: Reducer,
  query: ViewQuery,
): AsyncIterable<readonly ReducedRow[]> {
  const level = query.groupLevel ?? (query.group ? Number.POSITIVE_INFINITY : 0);
  if (query.keys && level !== Number.POSITIVE_INFINITY) {
    throw new CouchError("query_parse_error", "Multi-key fetches for reduce views must use `group=true`");
  }
  let batch: Group[] = [];
  const ranges = rangesOf(tree, query);
  for (const group of taken(groupsOf(tree, ranges, level, query), query)) {
    batch.push(group);
    if (batch.length < groupsAtOnce) continue;
    yield await reduceGroups(tree, which, reducer, batch);
    batch = [];
  }
  if (batch.length > 0) yield await reduceGroups(tree, which, reducer, batch);
}

interface Group extends RankRange {
  /** JSON text. */
  readonly key: string;
}

function* taken<T>(items: Iterable<T>, { skip = 0, limit = Number.POSITIVE_INFINITY }: ViewQuery): Iterable<T> {
  let seen = 0;
  if (limit === 0) return;
  for (const item of items) {
    if (seen++ < skip) continue;
    yield item;
    if (seen - skip >= limit) return;
  }
}

function* groupsOf(tree: IndexTree, ranges: Iterable<RankRange>, level: number, query: ViewQuery): Iterable<Group> {
  for (const range of ranges) {
    if (range.from >= range.to) continue;
    if (level === 0) yield { ...range, key: "null" };
    else yield* new Grouping(tree, level, range, query).groups();
  }
}

/** Splits a range where the beginning of the key changes. Within a leaf by looking at its rows; beyond, by a cut through the tree. */
class Grouping {
  readonly #tree: IndexTree;
  readonly #level: number;
  readonly #range: RankRange;
  readonly #descending: boolean;
  readonly #partition: string | undefined;
  #leaf: LeafPosition | undefined;

  constructor(tree: IndexTree, level: number, range: RankRange, { descending = false, partition }: ViewQuery) {
    this.#tree = tree;
    this.#level = level;
    this.#range = range;
    this.#descending = descending;
    this.#partition = partition;
  }

  *groups(): Iterable<Group> {
    let { from, to } = this.#range;
    while (from < to) {
      // CouchDB names a group by the row that it meets first.
      const leaf = this.#leafAt(this.#descending ? to - 1 : from);
      const first = (this.#descending ? to - 1 : from) - leaf.first;
      const key = groupKey(leaf.rows.keyText(first), this.#level);
      const group = beginning(leaf.rows.key(first), this.#level);
      if (this.#descending) {
        const begin = Math.max(from, this.#beginOf(group, leaf, first));
        yield { key, from: begin, to };
        to = begin;
      } else {
        const end = Math.min(to, this.#endOf(group, leaf, first));
        yield { key, from, to: end };
        from = end;
      }
    }
  }

  #leafAt(rank: number): LeafPosition {
    const leaf = this.#leaf;
    if (leaf && rank >= leaf.first && rank < leaf.first + leaf.rows.count) return leaf;
    this.#leaf = leafAt(this.#tree, rank);
    return this.#leaf;
  }

  #endOf(group: unknown, { rows, first }: LeafPosition, from: number): number {
    let i = from + 1;
    while (i < rows.count && this.#isOf(group, rows.key(i))) i++;
    return i < rows.count ? first + i : rankOf(this.#tree, this.#cut(group, true));
  }

  #beginOf(group: unknown, { rows, first }: LeafPosition, from: number): number {
    let i = from - 1;
    while (i >= 0 && this.#isOf(group, rows.key(i))) i--;
    return i >= 0 ? first + i + 1 : rankOf(this.#tree, this.#cut(group, false));
  }

  #isOf(group: unknown, key: unknown): boolean {
    return compareJson(beginning(key, this.#level), group, this.#tree.collation) === 0;
  }

  #cut(group: unknown, after: boolean): Cut {
    return { key: group, id: undefined, after, level: this.#level, partition: this.#partition };
  }
}

/** The rows of all groups are reduced at once, and then the reductions of all groups: two trips to a sandbox, at most. */
async function reduceGroups(
  tree: IndexTree,
  which: number,
  reducer: Reducer,
  groups: readonly Group[],
): Promise<ReducedRow[]> {
  const parts = groups.map(({ from, to }) => partsBetween(tree, from, to, which));
  const cut = parts.flat().filter((part): part is readonly ViewRow[] => typeof part !== "string");
  const reduced = cut.length > 0 ? await reducer.reduce(cut) : [];
  let next = 0;
  const reductions = parts.map((own) =>
    own.map((part): Reduction => (typeof part === "string" ? part : (reduced[next++] as Reduction))),
  );
  // As in CouchDB even a single reduction is reduced once more: a function may tell the two apart.
  const values = await reducer.rereduce(reductions);
  return groups.map(({ key }, i) => ({ key, ...finished(reducer, values[i] as Reduction) }));
}
