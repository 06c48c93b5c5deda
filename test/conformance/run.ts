/**
 * Replays the recordings against any server, and then runs the tables, from a shell:
 *
 *   npm run conformance -- --url http://admin:pw@127.0.0.1:5984 [FILE...]
 *
 * Prints each difference; exits with 1 when there is one that is not excused. Without FILEs: all recordings and tables.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { readExcuses } from "./excuses.js";
import { record, replay, type StepResult } from "./replay.js";
import { readScenario } from "./scenario.js";
import { allScenarioFiles } from "./suites.js";
import { runTables } from "./tables/run-tables.js";

const usage = `npm run conformance -- --url URL [options] [FILE...]
  --url URL      the server, with an administrator's name and password in it
  --only TEXT    judge only steps whose name or path, and run only rows whose name, contains TEXT
  --tables       only the tables, no recordings
  --strict       excuse nothing: neither deviations.json nor pending.json counts
  --json FILE    write the results as JSON
  --list         print the names of the steps and send nothing
  --record       write the server's answers into the files (CouchDB only)`;

const { values, positionals } = parseArgs({
  options: {
    url: { type: "string" },
    only: { type: "string" },
    tables: { type: "boolean", default: false },
    strict: { type: "boolean", default: false },
    json: { type: "string" },
    list: { type: "boolean", default: false },
    record: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const files = positionals.length > 0 ? positionals : values.tables ? [] : allScenarioFiles();

if (values.list) {
  for (const { name, steps } of files.map(readScenario)) for (const step of steps) print(`${name}/${step.name}`);
} else if (values.help || values.url === undefined) {
  print(usage);
  process.exitCode = values.help ? 0 : 2;
} else if (values.record) {
  await record(values.url, files);
} else {
  const excuses = values.strict ? { deviations: {}, pending: {} } : readExcuses();
  const only = values.only === undefined ? {} : { only: values.only };
  const results = await replay({ url: values.url, files, excuses, ...only, onResult: printDifferences });
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 1)}\n`);
  const count = (verdict: StepResult["verdict"]) => results.filter((result) => result.verdict === verdict).length;
  print(
    `${count("same") + count("arrived")} as CouchDB 3.5.0, ${count("different")} different, ` +
      `${count("deviation")} different on purpose, ${count("pending")} waiting for a feature`,
  );
  const wrong = positionals.length > 0 ? 0 : await judgeByTables(values.url, values.only);
  process.exitCode = count("different") + count("stale deviation") + wrong > 0 ? 1 : 0;
}

/** @returns how many rows and scenarios the server does otherwise */
async function judgeByTables(url: string, only: string | undefined): Promise<number> {
  const results = await runTables({
    url,
    only,
    onResult({ name, complaints }) {
      if (complaints.length > 0) print(`${name}\n    ${complaints.join("\n    ")}`);
    },
  });
  const wrong = results.filter(({ complaints }) => complaints.length > 0).length;
  print(`${results.length - wrong} rows of the tables as they must be, ${wrong} not`);
  return wrong;
}

function printDifferences({ name, method, path, verdict, differences }: StepResult): void {
  if (verdict === "different") print(`${name}  (${method} ${path})\n    ${differences.slice(0, 6).join("\n    ")}`);
  if (verdict === "stale deviation") print(`${name}  does not differ any more: take it out of deviations.json`);
  if (verdict === "arrived") print(`${name}  answers as CouchDB now: take it out of pending.json`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
