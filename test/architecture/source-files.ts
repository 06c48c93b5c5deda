/** The project's own TypeScript, read from the sources and not from `dist/`. */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix, sep } from "node:path";
import { repositoryRoot } from "../helpers/repository-root.js";

export interface SourceFile {
  /** From the root of the repository, with slashes, e.g. `server/storage/keys.ts`. */
  readonly path: string;
  readonly text: string;
}

export function sourceFiles(...folders: readonly string[]): readonly SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => /\.tsx?$/.test(file))
      .map((file) => ({
        path: posix.join(folder, file.split(sep).join("/")),
        text: readFileSync(join(repositoryRoot, folder, file), "utf8"),
      })),
  );
}

/** `from "x"`, `import "x"`, `import("x")`, `require("x")`, wherever they stand. */
const specifier = /(?:\bfrom\s+|\bimport\s+|\bimport\s*\(\s*|\brequire\s*\(\s*)(["'`])([^"'`\n]+)\1/g;

/** What a file imports, as it is written. */
export function importsOf({ text }: Pick<SourceFile, "text">): readonly string[] {
  return [...withoutComments(text).matchAll(specifier)].map((match) => match[2] as string);
}

/** The file or folder of the repository that a relative import means, without its ending. */
export function resolved(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier).replace(/\.[jt]sx?$/, "");
}

/** Comments of a line's own and blocks: enough to keep examples in docstrings from counting. */
function withoutComments(text: string): string {
  return text.replaceAll(/^\s*\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
}
