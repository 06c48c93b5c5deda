/** What `settee design check` prints. */
import { printProblem, shortPath } from "../../gateway/design-docs/problem.js";
import type { CheckedFile } from "./check-folder.js";
import type { Outcome } from "./outcome.js";

const marks: Readonly<Record<Outcome["status"], string>> = { right: "✓", wrong: "✗", shown: "·" };

export function printChecked(checked: readonly CheckedFile[], base: string): string {
  const lines = checked.flatMap((file) => [...printFile(file, base), ""]);
  const { right, wrong, problems, warnings } = countsOf(checked);
  const counts = [`${right} right`, `${wrong} wrong`];
  if (problems > 0) counts.push(counted(problems, "problem"));
  if (warnings > 0) counts.push(counted(warnings, "warning"));
  return `${[...lines, `${counted(checked.length, "design document")}: ${counts.join(", ")}`].join("\n")}\n`;
}

export function isAllRight(checked: readonly CheckedFile[]): boolean {
  const { wrong, problems } = countsOf(checked);
  return wrong + problems === 0;
}

function printFile({ file, id, problems, warnings, functions, tried }: CheckedFile, base: string): readonly string[] {
  const path = shortPath(file, base);
  const lines = [`${path}  ${id}`];
  for (const problem of problems) lines.push(`  ✗ ${printProblem(problem, base)}`);
  for (const warning of warnings) lines.push(`  ! ${printProblem(warning, base)}`);
  if (problems.length > 0) return lines;
  lines.push(`  ✓ ${counted(functions.length, "function")}: ${functions.join(", ")}`);
  if (tried === undefined)
    lines.push(`  · no samples: ${path.replace(/\.ts$/, ".samples.ts")} would be the place for them`);
  for (const { name, outcomes } of tried ?? []) {
    lines.push(`  ${name}`);
    for (const { title, status, details } of outcomes) {
      const [only] = details.length === 1 ? details : [];
      lines.push(`    ${marks[status]} ${title}${only === undefined ? "" : `: ${only}`}`);
      if (only === undefined) lines.push(...details.map((detail) => `        ${detail}`));
    }
  }
  return lines;
}

function countsOf(checked: readonly CheckedFile[]) {
  const outcomes = checked.flatMap(({ tried }) => tried ?? []).flatMap((group) => group.outcomes);
  const sum = (count: (file: CheckedFile) => number) => checked.reduce((total, file) => total + count(file), 0);
  return {
    right: outcomes.filter(({ status }) => status === "right").length,
    wrong: outcomes.filter(({ status }) => status === "wrong").length,
    problems: sum(({ problems }) => problems.length),
    warnings: sum(({ warnings }) => warnings.length),
  };
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
