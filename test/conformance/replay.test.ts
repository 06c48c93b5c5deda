/**
 * A real Settee answers as CouchDB 3.5.0 did. A step that differs on purpose stands in `deviations.json` with its
 * reason, one that waits for a feature in `pending.json`.
 */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { after, before, describe, it } from "node:test";
import { type SetteeProcess, startSettee } from "../helpers/settee-process.js";
import { pendingFeature, readExcuses, strayExcuses } from "./excuses.js";
import { replay, type StepResult } from "./replay.js";
import { suiteFiles, suites } from "./suites.js";

/** Differences shown for one file: the first ones usually explain the rest. */
const shownSteps = 12;

const excuses = readExcuses();

describe("conformance", () => {
  let settee: SetteeProcess;
  before(async () => {
    // Ids that begin with a digit, as the recorded ones do: where they stand among other ids is compared. Passwords cost what
    // they do by default, since user documents tell.
    const settings = { SETTEE_UUIDS_ALGORITHM: "utc_random", SETTEE_PASSWORD_ITERATIONS: "600000" };
    settee = await startSettee({ settings });
  });
  after(() => settee?.close());

  for (const [suite, beginnings] of Object.entries(suites)) {
    describe(suite, () => {
      for (const file of suiteFiles(beginnings)) {
        const scenario = basename(file, ".json");
        it(scenario, async (t) => {
          const results = await replay({ url: settee.adminUrl, files: [file], excuses });
          const of = (verdict: StepResult["verdict"]) => results.filter((result) => result.verdict === verdict);
          const waiting = new Set(of("pending").map(({ name }) => pendingFeature(name, excuses)));
          if (waiting.size > 0) t.diagnostic(`${of("pending").length} steps wait for: ${[...waiting].join(", ")}`);
          for (const { name } of of("arrived")) t.diagnostic(`take out of pending.json: ${name}`);
          if (waiting.size === 0 && Object.hasOwn(excuses.pending, `${scenario}/*`)) {
            t.diagnostic(`take out of pending.json: ${scenario}/*`);
          }
          const complaints = [
            ...of("different").map(describeResult),
            ...of("stale deviation").map(({ name }) => `${name}\n    does not differ any more: deviations.json`),
            ...strayExcuses(
              scenario,
              results.map(({ name }) => name),
              excuses,
            ).map((name) => `${name}\n    no such step`),
          ];
          const more = complaints.length > shownSteps ? `\n... and ${complaints.length - shownSteps} more` : "";
          const summary = `${complaints.length} of ${results.length} steps:\n`;
          assert.ok(complaints.length === 0, summary + complaints.slice(0, shownSteps).join("\n") + more);
        });
      }
    });
  }
});

function describeResult({ name, method, path, differences }: StepResult): string {
  return `${name}  (${method} ${path.slice(0, 120)})\n    ${differences.slice(0, 4).join("\n    ")}`;
}
