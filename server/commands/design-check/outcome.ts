/** What became of one sample. */
import { isDeepStrictEqual } from "node:util";

export interface Outcome {
  /** What was tried, e.g. `somebody else's document`. */
  readonly title: string;
  /** `shown`: nothing was expected. */
  readonly status: "right" | "wrong" | "shown";
  /** Lines for the author: what happened, and what was expected instead. */
  readonly details: readonly string[];
}

/** Samples of one kind, of one function: `writes`, `view by-type`. */
export interface OutcomeGroup {
  readonly name: string;
  readonly outcomes: readonly Outcome[];
}

/** Compares as JSON does: what is undefined is not there. */
export function isSame(expected: unknown, actual: unknown): boolean {
  return isDeepStrictEqual(plain(expected), plain(actual));
}

/** Every member that is expected is there with its value; others are of no interest. */
export function holds(expected: Readonly<Record<string, unknown>>, actual: unknown): boolean {
  if (typeof actual !== "object" || actual === null) return false;
  return Object.entries(expected).every(([name, value]) => {
    const found = (actual as Record<string, unknown>)[name];
    return name === "headers" && typeof value === "object" && value !== null
      ? holds(value as Record<string, unknown>, found)
      : isSame(value, found);
  });
}

export function wrong(title: string, expected: unknown, actual: unknown): Outcome {
  return { title, status: "wrong", details: [`expected ${shown(expected)}`, `got      ${shown(actual)}`] };
}

/** A text as it is, anything else as JSON. */
export function shown(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value) ?? "null") as unknown);
}
