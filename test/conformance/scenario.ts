/**
 * A recording: a list of requests, each with the answer that CouchDB 3.5.0 gave, normalised (`normalise.ts`).
 *
 * Names in double braces stand for values: `{{db}}` to `{{db4}}` fresh database names, `{{origin}}`, `{{admin}}` and
 * `{{password}}` those of the server's URL, any other what an earlier step saved; `{{x*9000}}` is 9,000 times an x.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";

/** What is compared of an answer; `failure` when there was none. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
  readonly failure?: string;
}

export interface Step {
  readonly name: string;
  /** "admin" (default), "anonymous" or "NAME:PASSWORD". */
  readonly as?: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly text?: string;
  /** Sent decoded. */
  readonly base64?: string;
  /** Variable name to where its value is: a path in the JSON answer, `header:NAME`, or `cookie:NAME` for `NAME=value`. */
  readonly save?: Readonly<Record<string, string>>;
  /** Paths in the answer that are not compared, e.g. `json.rows.*.value`. */
  readonly ignore?: readonly string[];
  /** Compares the answer's text instead of its JSON: the spelling of numbers, the order of members. */
  readonly raw?: boolean;
  /** Compares names and types of a JSON answer only, arrays by their first item. */
  readonly shape?: boolean;
  readonly want: Answer;
}

export interface Scenario {
  /** The file's name without `.json`. */
  readonly name: string;
  readonly about: string;
  readonly steps: readonly Step[];
}

export function readScenario(file: string): Scenario {
  const { about, steps } = JSON.parse(readFileSync(file, "utf8")) as Omit<Scenario, "name">;
  return { name: basename(file, ".json"), about, steps };
}
