/** What may differ from CouchDB: on purpose (`deviations.json`), or until a feature is there (`pending.json`). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../helpers/repository-root.js";

/** `scenario/step` to a reason. */
export type Deviations = Readonly<Record<string, string>>;
/** `scenario/step`, or `scenario/*` for all of its steps, to the name of the feature that is missing. */
export type Pending = Readonly<Record<string, string>>;

export interface Excuses {
  readonly deviations: Deviations;
  readonly pending: Pending;
}

/**
 * `same` and `different`: as CouchDB, or not and nobody knows why. `deviation` and `pending`: different and excused.
 * `stale deviation`: excused, but the same. `arrived`: listed as pending by its own name, but the same.
 */
export type Verdict = "same" | "different" | "deviation" | "pending" | "stale deviation" | "arrived";

export function readExcuses(): Excuses {
  const read = (file: string) => JSON.parse(readFileSync(join(repositoryRoot, "test", "conformance", file), "utf8"));
  return { deviations: read("deviations.json"), pending: read("pending.json") };
}

/** `name`: `scenario/step`. */
export function verdictOn(name: string, isSame: boolean, { deviations, pending }: Excuses): Verdict {
  if (Object.hasOwn(deviations, name)) return isSame ? "stale deviation" : "deviation";
  if (Object.hasOwn(pending, name)) return isSame ? "arrived" : "pending";
  if (isSame) return "same";
  return Object.hasOwn(pending, wildcard(name)) ? "pending" : "different";
}

/** The names in `excuses` that belong to the scenario but to none of its steps: misspelt, or the step is gone. */
export function strayExcuses(scenario: string, steps: readonly string[], { deviations, pending }: Excuses): string[] {
  const known = new Set([...steps, `${scenario}/*`]);
  const names = [...Object.keys(deviations), ...Object.keys(pending)];
  return names.filter((name) => name.startsWith(`${scenario}/`) && !known.has(name));
}

/** The feature that a pending step waits for. */
export function pendingFeature(name: string, { pending }: Excuses): string | undefined {
  return pending[name] ?? pending[wildcard(name)];
}

function wildcard(name: string): string {
  return `${name.slice(0, name.indexOf("/"))}/*`;
}
