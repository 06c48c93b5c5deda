/** What is wrong with a template, in words for its author, and where. */
import { relative, sep } from "node:path";

/** Lines and columns count from 1. */
export interface Place {
  /** An absolute path. */
  readonly file: string;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

export interface Problem extends Place {
  readonly words: string;
}

/** `FILE:LINE:COLUMN: WORDS`, which editors and terminals make links of. Files below `base` are told from there. */
export function printProblem({ file, line, column, words }: Problem, base?: string): string {
  const path = base === undefined ? file : shortPath(file, base);
  return `${[path, line, column].filter((part) => part !== undefined).join(":")}: ${words}`;
}

/** Files or folders are not as they should be: a line for each problem. */
export class TemplateError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], cause?: unknown) {
    super(problems.map((problem) => printProblem(problem)).join("\n"), { cause });
    this.name = "TemplateError";
    this.problems = problems;
  }
}

/** Relative to `base`, for a file that lies below it. */
export function shortPath(file: string, base: string): string {
  const short = relative(base, file);
  return short.startsWith(`..${sep}`) ? file : short;
}
