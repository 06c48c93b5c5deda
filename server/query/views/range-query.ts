import type { ViewQuery } from "../../../protocol/view-query.js";
import { Turn } from "../turn.js";
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
  readonly rows: AsyncIterable<readonly ViewRow[]>;
}

/** @throws CouchError query_parse_error for a range whose begin stands behind its end */
export async function queryRows(tree: IndexTree, query: ViewQuery): Promise<RangeAnswer> {
  const total = totalRows(tree);
  const turn = new Turn();
  const ranges = rangesOf(tree, query)[Symbol.iterator]();
  const begin = await firstWithRows(ranges, turn);
  const before = begin === undefined ? 0 : query.descending ? total - begin.to : begin.from;
  return {
    totalRows: total,
    offset: Math.min(total, before + (query.skip ?? 0)),
    rows: takeRows(tree, begin, ranges, query),
  };
}

/** The first range that has rows, or the last one; undefined when there is none. There may be thousands without rows. */
async function firstWithRows(ranges: Iterator<RankRange>, turn: Turn): Promise<RankRange | undefined> {
  let range: RankRange | undefined;
  for (let next = ranges.next(); !next.done; next = ranges.next()) {
    range = next.value;
    if (range.from < range.to) break;
    if (turn.isOver) await turn.next();
  }
  return range;
}

async function* takeRows(
  tree: IndexTree,
  begin: RankRange | undefined,
  rest: Iterator<RankRange>,
  query: ViewQuery,
): AsyncIterable<readonly ViewRow[]> {
  const { descending = false } = query;
  let toSkip = query.skip ?? 0;
  let left = query.limit ?? Number.POSITIVE_INFINITY;
  const turn = new Turn();
  for (let range = begin; range && left > 0; range = rest.next().value as RankRange | undefined) {
    const { from, to } = range;
    const skipped = Math.min(toSkip, to - from);
    const taken = Math.min(left, to - from - skipped);
    toSkip -= skipped;
    left -= taken;
    const first = descending ? to - skipped - taken : from + skipped;
    for (const rows of rowsBetween(tree, first, first + taken, descending)) {
      yield rows;
      if (turn.isOver) await turn.next();
    }
    if (turn.isOver) await turn.next();
  }
}
