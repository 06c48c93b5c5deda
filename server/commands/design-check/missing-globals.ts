/** Names that functions use and that the sandbox has not: what works in Node and in browsers, and fails in a database. */
import { freeNames } from "../../gateway/design-docs/bundle.js";
import type { CompiledDesignDocument } from "../../gateway/design-docs/compile.js";
import type { Problem } from "../../gateway/design-docs/problem.js";
import { outline } from "../../sandbox/outline.js";

const ofBrowsers =
  "window document self location localStorage sessionStorage indexedDB XMLHttpRequest alert history".split(" ");

export async function missingGlobals({
  functions,
  module,
  placeOf,
}: CompiledDesignDocument): Promise<readonly Problem[]> {
  const names = await elsewhere();
  const problems: Problem[] = [];
  for (const { path, source } of functions) {
    const used = new Set((await freeNames(`(${source})`, names)).map(({ name }) => name));
    for (const name of used) {
      const [use] = await freeNames(module.body, [name]);
      const place = (use && module.placeOf(use.line, use.column)) ?? placeOf(path);
      const words = `\`${path.join(".")}\` uses \`${name}\`, which is not there where it runs.`;
      problems.push({ ...place, words });
    }
  }
  return problems;
}

let known: readonly string[] | undefined;

/** Global names of Node and of browsers that the sandbox has not. */
async function elsewhere(): Promise<readonly string[]> {
  if (known) return known;
  const found = await outline("Object.getOwnPropertyNames(globalThis)");
  const there = new Set(found.kind === "value" ? (found.value as string[]) : []);
  const all = new Set([...Object.getOwnPropertyNames(globalThis), ...ofBrowsers]);
  known = [...all].filter((name) => /^[A-Za-z]\w*$/.test(name) && !there.has(name));
  return known;
}
