/** The ranges of ranks that a view query asks for. */
import { CouchError } from "../../../protocol/errors.js";
import type { ViewQuery } from "../../../protocol/view-query.js";
import { type Collation, compareJson } from "../collation.js";
import { parseExact } from "../exact-json.js";
import { type IndexTree, rankOf, totalRows } from "./index-tree.js";
import type { Cut } from "./places.js";

/** Ranks `from` to `to` (exclusive). */
export interface RankRange {
  readonly from: number;
  readonly to: number;
}

/** One range for each of `keys`, in the order of the answer; one range without. @throws CouchError query_parse_error */
export function rangesOf(tree: IndexTree, query: ViewQuery): Iterable<RankRange> {
  checkRange(query, tree.collation);
  return query.keys ? rangesOfKeys(tree, query, query.keys) : [rangeOf(tree, query)];
}

/** Looked up as they are needed: there may be thousands of keys, and a limit. */
function* rangesOfKeys(tree: IndexTree, query: ViewQuery, keys: readonly string[]): Iterable<RankRange> {
  for (const key of query.descending ? keys.toReversed() : keys) {
    yield rangeOf(tree, { ...query, startKey: key, endKey: key, inclusiveEnd: true });
  }
}

/** A range whose begin stands behind its end is a mistake that an empty answer would hide. @throws CouchError query_parse_error */
function checkRange(query: ViewQuery, collation: Collation): void {
  const [start, end] = [query.startKey ?? query.key, query.endKey ?? query.key];
  if (query.keys || start === undefined || end === undefined) return;
  const order = compareJson(parseExact(start), parseExact(end), collation);
  if (query.descending ? order >= 0 : order <= 0) return;
  throw new CouchError(
    "query_parse_error",
    `No rows can match your key range, reverse your start_key and end_key or set descending=${!query.descending}`,
  );
}

function rangeOf(tree: IndexTree, query: ViewQuery): RankRange {
  const { descending = false, inclusiveEnd = true } = query;
  // The end is passed by rows before it, or by those up to it; the start never by its own rows.
  const start = cutAt(query, query.startKey ?? query.key, query.startKeyDocId, descending);
  const end = cutAt(
    query,
    query.endKey ?? query.key,
    query.endKeyDocId,
    (inclusiveEnd || endsPartition(query)) !== descending,
  );
  const startRank = start ? rankOf(tree, start) : descending ? totalRows(tree) : 0;
  const endRank = end ? rankOf(tree, end) : descending ? 0 : totalRows(tree);
  // A range without rows is where it starts: that is its offset.
  if (descending) return { from: Math.min(endRank, startRank), to: startRank };
  return { from: startRank, to: Math.max(startRank, endRank) };
}

/** Without an end key a query of a partition goes up to its end, whatever is said of the end key. */
function endsPartition({ partition, key, endKey }: ViewQuery): boolean {
  return partition !== undefined && key === undefined && endKey === undefined;
}

function cutAt(
  { partition }: ViewQuery,
  key: string | undefined,
  id: string | undefined,
  after: boolean,
): Cut | undefined {
  if (key !== undefined) return { key: parseExact(key), id, after, partition };
  return partition === undefined ? undefined : { key: undefined, id: undefined, after, partition };
}
