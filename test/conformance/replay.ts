/** Replays recorded scenarios against a server and tells where its answers differ. */
import { readFileSync, writeFileSync } from "node:fs";
import { answerDifferences } from "./differences.js";
import { exchange } from "./exchange.js";
import { type Excuses, type Verdict, verdictOn } from "./excuses.js";
import { type Answer, readScenario, type Step } from "./scenario.js";
import { databaseVariables, freshVariables } from "./variables.js";

export interface ReplayOptions {
  /** With an administrator's name and password in it. */
  readonly url: string;
  readonly files: readonly string[];
  /** Default: nothing is excused. */
  readonly excuses?: Excuses;
  /** Judges only the steps whose name or path contains this; the others are sent all the same, for what they do. */
  readonly only?: string;
  readonly onResult?: (result: StepResult) => void;
}

export interface StepResult {
  /** `scenario/step`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly verdict: Verdict;
  readonly differences: readonly string[];
}

/** One scenario after the other, step by step. Their databases are removed afterwards. */
export async function replay(options: ReplayOptions): Promise<readonly StepResult[]> {
  const results: StepResult[] = [];
  for (const file of options.files) {
    const scenario = readScenario(file);
    await runSteps(options.url, scenario.steps, (step, got) => {
      const name = `${scenario.name}/${step.name}`;
      if (options.only !== undefined && !name.includes(options.only) && !step.path.includes(options.only)) return;
      const differences = answerDifferences(step.want, got, step.ignore);
      const verdict = verdictOn(name, differences.length === 0, options.excuses ?? { deviations: {}, pending: {} });
      const result = { name, method: step.method, path: step.path, verdict, differences };
      results.push(result);
      options.onResult?.(result);
    });
  }
  return results;
}

/** Writes the server's answers into the files, as those that are wanted from now on. The server has to be CouchDB. */
export async function record(url: string, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const scenario = JSON.parse(readFileSync(file, "utf8")) as { steps: (Step & { want: Answer })[] };
    const recorded: Step[] = [];
    await runSteps(url, scenario.steps, (step, got) => recorded.push({ ...step, want: got }));
    writeFileSync(file, `${JSON.stringify({ ...scenario, steps: recorded }, null, 1)}\n`);
  }
}

async function runSteps(
  url: string,
  steps: readonly Step[],
  onAnswer: (step: Step, got: Answer) => void,
): Promise<void> {
  const server = new URL(url);
  const variables = freshVariables(server);
  try {
    for (const step of steps) onAnswer(step, await exchange(step, server, variables));
  } finally {
    for (const [, name] of databaseVariables(variables)) {
      await exchange({ method: "DELETE", path: `/${name}` }, server, variables);
    }
  }
}
