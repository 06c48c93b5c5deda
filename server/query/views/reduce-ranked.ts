/** `_first`, `_last`: values at the ends of a range. `_top_N`, `_bottom_N`: its N greatest or least different values. */
import { compareJson } from "../collation.js";
import { parseExact } from "../exact-json.js";
import type { Reducer, Reduction } from "./reducer.js";
import type { ViewRow } from "./view-row.js";

export const firstReducer: Reducer = {
  reduce: (groups) => groups.map((rows) => (rows[0] as ViewRow).value),
  rereduce: (groups) => groups.map((values) => values[0] as Reduction),
};

export const lastReducer: Reducer = {
  reduce: (groups) => groups.map((rows) => (rows.at(-1) as ViewRow).value),
  rereduce: (groups) => groups.map((values) => values.at(-1) as Reduction),
};

interface Ranked {
  /** JSON text. */
  readonly text: string;
  readonly value: unknown;
}

/** A reduction is a JSON array whose elements stand in lines of their own: JSON text itself has no line breaks. */
export function rankReducer(direction: "top" | "bottom", length: number): Reducer {
  const sign = direction === "top" ? -1 : 1;
  const rank = (texts: readonly string[]): Reduction => {
    const values = texts.map((text): Ranked => ({ text, value: parseExact(text) }));
    values.sort((a, b) => sign * compareJson(a.value, b.value));
    // Of equal values the first one that came stays.
    const distinct = values.filter(
      (each, i) => i === 0 || compareJson((values[i - 1] as Ranked).value, each.value) !== 0,
    );
    return distinct
      .slice(0, length)
      .map(({ text }) => text)
      .join("\n");
  };
  return {
    reduce: (groups) => groups.map((rows) => rank(rows.map((row) => row.value))),
    rereduce: (groups) => groups.map((reductions) => rank(reductions.flatMap((reduction) => reduction.split("\n")))),
    finish: (reduction) => `[${reduction.split("\n").join(",")}]`,
  };
}
