/** From a place in a bundled module back to the author's own file. */
import { SourceMap } from "node:module";
import { resolve } from "node:path";
import type { Place } from "./problem.js";

/** Lines and columns count from 1. */
export type PlaceOf = (line: number, column: number) => Place | undefined;

/**
 * @param map the bundle's source map
 * @param folder what its paths are relative to
 * @param skipped lines of the bundle in front of the first one that is asked for
 */
export function placesOf(map: string, folder: string, skipped: number): PlaceOf {
  const sourceMap = new SourceMap(JSON.parse(map) as ConstructorParameters<typeof SourceMap>[0]);
  return (line, column) => {
    const entry = sourceMap.findEntry(line - 1 + skipped, column - 1);
    if (!("originalSource" in entry)) return undefined;
    const { originalSource, originalLine, originalColumn } = entry;
    // What esbuild adds of its own comes from nowhere.
    if (!originalSource) return undefined;
    return { file: resolve(folder, originalSource), line: originalLine + 1, column: originalColumn + 1 };
  };
}

interface Printed {
  readonly body: string;
  readonly exports: ReadonlyMap<string, string>;
  readonly placeOf: PlaceOf;
}

/**
 * Where a member of an export is written down, or the nearest thing around it that can be found. esbuild prints with two spaces for
 * each level, so that the members of an object are the lines below it with a little more space.
 */
export function placeOfMember({ body, exports, placeOf }: Printed, path: readonly string[]): Place | undefined {
  const [exported = "", ...members] = path;
  const lines = body.split("\n");
  const local = escaped(exports.get(exported) ?? exported);
  const declaration = new RegExp(`^(var |let |const |class |(?:async )?function\\*? ?)${local}(?![\\w$])`);
  let at = lines.findIndex((line) => declaration.test(line));
  if (at < 0) return undefined;
  let column = (lines[at] as string).match(declaration)?.[1]?.length ?? 0;
  for (const member of members) {
    const key = `(?:${escaped(JSON.stringify(member))}|${escaped(member)}) ?[:(,}]`;
    const found = below(lines, at, new RegExp(`^\\s*(?:async |\\*)?${key}`));
    // A short object is printed on one line.
    const beside = (lines[at] as string).slice(column).search(new RegExp(`[{,] ${key}`));
    if (found !== undefined) [at, column] = [found, indentOf(lines[found] as string)];
    else if (beside >= 0) column += beside + 2;
    else break;
  }
  return placeOf(at + 1, column + 1);
}

function below(lines: readonly string[], from: number, pattern: RegExp): number | undefined {
  const depth = indentOf(lines[from] as string);
  for (let at = from + 1; at < lines.length; at++) {
    const line = lines[at] as string;
    if (line.trim() === "") continue;
    const space = indentOf(line);
    if (space <= depth) return undefined;
    if (space === depth + 2 && pattern.test(line)) return at;
  }
  return undefined;
}

function indentOf(line: string): number {
  return line.search(/\S|$/);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
