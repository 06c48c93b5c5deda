/** The reduce functions that need no sandbox, by the names that CouchDB 3.5 gives them. */
import { distinctReducer } from "./reduce-distinct.js";
import { firstReducer, lastReducer, rankReducer } from "./reduce-ranked.js";
import { statsReducer } from "./reduce-stats.js";
import { countReducer, sumReducer } from "./reduce-sum.js";
import type { Reducer } from "./reducer.js";

/** CouchDB goes by how a name begins: `_sum`, and `_sums` too. */
const byName: readonly (readonly [string, Reducer])[] = [
  ["_sum", sumReducer],
  ["_count", countReducer],
  ["_stats", statsReducer],
  ["_approx_count_distinct", distinctReducer],
  ["_first", firstReducer],
  ["_last", lastReducer],
];

const ranked = /^_(top|bottom)_(.*)$/s;
const highestRank = 100;

/** Whether the source of a reduce function names a built-in one. */
export function isBuiltinReduce(source: string): boolean {
  return source.startsWith("_");
}

/** The function of that name, or what is wrong with the name, in CouchDB's words. */
export function builtinReduce(source: string): { readonly reducer: Reducer } | { readonly problem: string } {
  const rank = ranked.exec(source);
  if (rank) {
    if (!/^\d+$/.test(rank[2] as string)) return { problem: "invalid rank reducer" };
    const length = Number(rank[2]);
    if (length < 1 || length > highestRank) return { problem: `rank value must be between 1 and ${highestRank}` };
    return { reducer: rankReducer(rank[1] as "top" | "bottom", length) };
  }
  const reducer = byName.find(([name]) => source.startsWith(name))?.[1];
  return reducer ? { reducer } : { problem: `\`${source}\` is not a supported reduce function.` };
}
