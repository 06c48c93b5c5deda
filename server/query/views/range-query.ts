import type { ViewQuery } from "../../../protocol/view-query.js";
import { type IndexTree, rowsBetween, totalRows } from "./index-tree.js";
import { type RankRange, rangesOf } from "./key-ranges.js";
import type { ViewRow } from "./view-row.js";

/** Rows of a view, as `reduce=false` asks for them. */
export interface RangeAnswer {
  /** Rows of the view. */
  readonly totalRows: number;
  /** Rows before the first one of the answer, in its direction, as CouchDB counts them. */
  readonly offset: number;
  /** A leaf's rows at a time, read as they are asked for. */
  readonly rows: Iterable<readonly ViewRow[]>;
}

/** @throws CouchError query_parse_error for a range whose begin stands behind its end */
export function queryRows(tree: IndexTree, query: ViewQuery): RangeAnswer {
  const total = totalRows(tree);
  const ranges = new Ranges(rangesOf(tree, query));
  const begin = ranges.begin();
  const before = begin === undefined ? 0 : query.descending ? total - begin.to : begin.from;
  return {
    totalRows: total,
    offset: Math.min(total, before + (query.skip ?? 0)),
    rows: takeRows(tree, ranges, query),
  };
}

/** The ranges of a query, of which the first with rows is looked at before the answer begins. */
class Ranges {
  readonly #rest: Iterator<RankRange>;
  #begin: RankRange | undefined;

  constructor(ranges: Iterable<RankRange>) {
    this.#rest = ranges[Symbol.iterator]();
  }

  /** The first range that has rows, or the last one; undefined when there is none. */
  begin(): RankRange | undefined {
    for (let next = this.#rest.next(); !next.done; next = this.#rest.next()) {
      this.#begin = next.value;
      if (next.value.from < next.value.to) break;
    }
    return this.#begin;
  }

  *[Symbol.iterator](): Iterator<RankRange> {
    if (!this.#begin) return;
    yield this.#begin;
    for (let next = this.#rest.next(); !next.done; next = this.#rest.next()) yield next.value;
  }
}

function* takeRows(tree: IndexTree, ranges: Ranges, query: ViewQuery): Iterable<readonly ViewRow[]> {
  const { descending = false } = query;
  let toSkip = query.skip ?? 0;
  let left = query.limit ?? Number.POSITIVE_INFINITY;
  for (const { from, to } of ranges) {
    if (left === 0) return;
    const skipped = Math.min(toSkip, to - from);
    const taken = Math.min(left, to - from - skipped);
    toSkip -= skipped;
    left -= taken;
    const first = descending ? to - skipped - taken : from + skipped;
    yield* rowsBetween(tree, first, first + taken, descending);
  }
}
