/** Reduced rows of a view: one for all, or one for each group of keys. */
import { CouchError } from "../../../protocol/errors.js";
import type { ViewQuery } from "../../../protocol/view-query.js";
import { Turn } from "../turn.js";
import { groupKey } from "./group-key.js";
import { type IndexTree, type LeafPosition, leafAt, partsBetween, type RowSlice, rankOf } from "./index-tree.js";
import { type RankRange, rangesOf } from "./key-ranges.js";
import { beginning, type Cut, countBefore, countBeforeFrom, isBefore } from "./places.js";
import { finished, type Reduced, type Reducer, type Reduction } from "./reducer.js";
import type { Rows } from "./rows.js";

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
  const { skip = 0, limit = Number.POSITIVE_INFINITY } = query;
  let batch: Group[] = [];
  let seen = 0;
  const ranges = rangesOf(tree, query);
  const turn = new Turn();
  if (limit === 0) return;
  for (const group of groupsOf(tree, ranges, level, query)) {
    if (turn.isOver) await turn.next();
    if (!group || seen++ < skip) continue;
    batch.push(group);
    const isLast = seen - skip >= limit;
    if (batch.length < groupsAtOnce && !isLast) continue;
    yield await reduceGroups(tree, which, reducer, batch);
    if (isLast) return;
    batch = [];
  }
  if (batch.length > 0) yield await reduceGroups(tree, which, reducer, batch);
}

interface Group extends RankRange {
  /** JSON text. */
  readonly key: string;
}

/** Undefined for a range without rows: thousands of these may be looked up before the first group comes. */
function* groupsOf(
  tree: IndexTree,
  ranges: Iterable<RankRange>,
  level: number,
  query: ViewQuery,
): Iterable<Group | undefined> {
  for (const range of ranges) {
    if (range.from >= range.to) yield undefined;
    else if (level === 0) yield { ...range, key: "null" };
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
    const cut = this.#cut(group, true);
    // A group that leaves the leaf is not looked for in it.
    if (isBefore(rows, rows.count - 1, cut, this.#tree)) return rankOf(this.#tree, cut);
    return first + countBeforeFrom(rows, cut, this.#tree, from + 1);
  }

  #beginOf(group: unknown, { rows, first }: LeafPosition, from: number): number {
    const cut = this.#cut(group, false);
    if (!isBefore(rows, 0, cut, this.#tree)) return rankOf(this.#tree, cut);
    return first + countBefore(rows, cut, this.#tree, 1, from);
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
  const cuts = parts.flat().filter((part) => typeof part !== "string");
  const reduced = (await reduceCuts(cuts, which, reducer)).values();
  const reductions = parts.map((own) =>
    own.map((part) => (typeof part === "string" ? part : (reduced.next().value as Reduction))),
  );
  // As in CouchDB even a single reduction is reduced once more: a function may tell the two apart.
  const values = await reducer.rereduce(reductions);
  return groups.map(({ key }, i) => ({ key, ...finished(reducer, values[i] as Reduction) }));
}

/** Reductions of parts of leaves. A leaf never changes, and the same ranges are asked for again and again. */
const known = new WeakMap<Rows, Map<string, Reduction>>();
/** Parts of one leaf that are remembered, and rows of a part that is worth it. */
const mostKnown = 32;
const fewestRows = 8;

/** One for each, in order. */
async function reduceCuts(cuts: readonly RowSlice[], which: number, reducer: Reducer): Promise<readonly Reduction[]> {
  const reductions = cuts.map((cut) => known.get(cut.rows)?.get(nameOf(cut, which)));
  const missing = cuts.filter((_, i) => reductions[i] === undefined);
  if (missing.length === 0) return reductions as Reduction[];
  const reduced = await reducer.reduce(missing.map(({ rows, from, to }) => rows.slice(from, to)));
  for (const [i, cut] of missing.entries()) remember(cut, which, reduced[i] as Reduction);
  let next = 0;
  return reductions.map((reduction) => reduction ?? (reduced[next++] as Reduction));
}

function remember(cut: RowSlice, which: number, reduction: Reduction): void {
  if (cut.to - cut.from < fewestRows) return;
  const ofLeaf = known.get(cut.rows) ?? new Map<string, Reduction>();
  known.set(cut.rows, ofLeaf);
  if (ofLeaf.size >= mostKnown) ofLeaf.clear();
  ofLeaf.set(nameOf(cut, which), reduction);
}

function nameOf({ from, to }: RowSlice, which: number): string {
  return `${which} ${from} ${to}`;
}
