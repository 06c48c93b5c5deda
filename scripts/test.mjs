/**
 * `npm test`: types, lint and format, then every test. `npm test -- documents/write` runs only the files whose path has
 * that in it. The last line is always `N passed, N failed`; each check counts as one.
 */
import { existsSync, readdirSync } from "node:fs";
import { join, sep } from "node:path";
import { finished } from "node:stream/promises";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { ensureInstalled } from "./ensure-installed.mjs";
import { repositoryRoot } from "./repository-root.mjs";

/** Files at a time. Many of them start servers, and what they wait for must not wait for processors. */
const concurrency = 2;
/** Milliseconds that one file may take: only for what hangs. */
const timeout = 15 * 60_000;

ensureInstalled();
const { checkDesignDocs, checkStyle, compile } = await import("./steps.mjs");

const filters = process.argv.slice(2);
const count = { passed: 0, failed: 0 };
for (const [name, isGood] of [
  ["types", compile()],
  ["types of design-docs", checkDesignDocs()],
  ["lint and format", checkStyle()],
]) {
  if (isGood) count.passed++;
  else count.failed++;
  console.log(`${isGood ? "✔" : "✖"} ${name}`);
}

const files = testFiles();
if (files.length === 0) {
  console.error("No test file matches.");
  count.failed++;
} else {
  await runTests(files);
}
// Whatever is still in a pipe comes first.
process.stdout.write(`\n${count.passed} passed, ${count.failed} failed\n`, () => {
  process.exit(count.failed === 0 ? 0 : 1);
});

function testFiles() {
  const folder = join(repositoryRoot, "test");
  return readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => join("test", file))
    .filter((file) => filters.length === 0 || filters.some((filter) => file.split(sep).join("/").includes(filter)))
    .map((file) => join(repositoryRoot, "dist", file.replace(/\.ts$/, ".js")))
    .sort();
}

async function runTests(all) {
  const compiled = all.filter((file) => existsSync(file));
  for (const file of all) {
    if (compiled.includes(file)) continue;
    console.error(`✖ ${file} was not built`);
    count.failed++;
  }
  // The files' processes get the arguments of this one.
  process.execArgv.push("--enable-source-maps");
  const events = run({ files: compiled, concurrency, timeout });
  events.on("test:pass", (test) => {
    if (test.details.type !== "suite") count.passed++;
  });
  events.on("test:fail", (test) => {
    // A parent that failed for its children alone: they are counted.
    if (test.details.error?.failureType !== "subtestsFailed") count.failed++;
  });
  const report = events.compose(new spec());
  report.pipe(process.stdout, { end: false });
  await finished(report, { writable: false });
}
