/**
 * The only user of esbuild: a file with its imports becomes one module, and that module less everything that one
 * expression does not need.
 */
import { builtinModules } from "node:module";
import { join, resolve } from "node:path";
import { type BuildFailure, type BuildOptions, build, type Message, type Plugin, stop, transform } from "esbuild";
import { type PlaceOf, placesOf } from "./places.js";
import { type Problem, TemplateError } from "./problem.js";

/** A module with all imports inlined: its top level, and what it exports by which local name. */
export interface BundledModule {
  readonly body: string;
  readonly exports: ReadonlyMap<string, string>;
  /** Where a place of the body comes from. */
  readonly placeOf: PlaceOf;
  /** What compiles and is hardly meant. */
  readonly warnings: readonly Problem[];
}

/** Modules of `lib` stand in the design document; whoever runs it finds them. */
const libraryModules: Plugin = {
  name: "library-modules",
  setup({ onResolve }) {
    onResolve({ filter: /^views\/lib\// }, ({ kind, path }) =>
      kind === "require-call" ? { path, external: true } : undefined,
    );
  },
};

const printing = {
  // CouchDB with SpiderMonkey 91 reads functions with a parser of that age before it runs them.
  target: "es2017",
  charset: "utf8",
  legalComments: "none",
  logLevel: "silent",
  // Whatever tsconfig lies above the folder must not change what is deployed.
  tsconfigRaw: {},
} as const satisfies BuildOptions;

const options = {
  ...printing,
  bundle: true,
  format: "esm",
  write: false,
  platform: "neutral",
  mainFields: ["module", "main"],
  treeShaking: true,
  plugins: [libraryModules],
} as const satisfies BuildOptions;

/** @throws TemplateError */
export async function bundleFile(folder: string, file: string): Promise<BundledModule> {
  // The paths of a source map are relative to an output that is never written.
  const output = { sourcemap: "external", outfile: join(folder, "bundle.js") } as const;
  const built = await run(folder, { ...options, ...output, absWorkingDir: folder, entryPoints: [file] });
  const { body, exports, skipped } = split(built.text);
  const warnings = built.warnings.map((message) => problemOf(message, folder));
  return { body, exports, placeOf: placesOf(built.map, folder, skipped), warnings };
}

/** What an expression is called in the text that `bundleExpression` answers. */
export const wanted = "theFunction";

/**
 * The top level of the module less what the expression does not need, ending in `var theFunction = ...;`.
 * @throws TemplateError
 */
export async function bundleExpression(body: string, expression: string): Promise<string> {
  const contents = `${body}\nexport { ${wanted} as default };\nvar ${wanted} = ${expression};`;
  const { text } = await run("", { ...options, stdin: { contents, loader: "js" } });
  return split(text).body.replace(/^\/\/ <stdin>\n/, "");
}

const mark = "__not_there_";

export interface FreeName {
  readonly name: string;
  /** Count from 1. */
  readonly line: number;
  readonly column: number;
}

/**
 * Uses of global names, of those that are asked for; one that the text asks `typeof` about first is guarded and no use. Only
 * esbuild knows which names are free.
 */
export async function freeNames(text: string, names: readonly string[]): Promise<readonly FreeName[]> {
  const define = Object.fromEntries(names.map((name) => [name, `${mark}${name}`]));
  const { code, map } = await transform(text, { ...printing, loader: "js", define, sourcemap: "external" });
  const placeOf = placesOf(map, "/", 0);
  const found: FreeName[] = [];
  code.split("\n").forEach((line, index) => {
    for (const { 1: name = "", index: column } of line.matchAll(new RegExp(`${mark}(\\w+)`, "g"))) {
      if (code.includes(`typeof ${mark}${name}`)) continue;
      const place = placeOf(index + 1, column + 1);
      found.push({ name, line: place?.line ?? 1, column: place?.column ?? 1 });
    }
  });
  return found;
}

interface Built {
  readonly text: string;
  /** JSON; empty when none was asked for. */
  readonly map: string;
  readonly warnings: readonly Message[];
}

async function run(folder: string, how: BuildOptions): Promise<Built> {
  try {
    const { outputFiles = [], warnings } = await build(how);
    const text = outputFiles.find(({ path }) => !path.endsWith(".map"))?.text ?? "";
    return { text, map: outputFiles.find(({ path }) => path.endsWith(".map"))?.text ?? "", warnings };
  } catch (error) {
    const { errors = [] } = error as Partial<BuildFailure>;
    if (errors.length === 0) throw error;
    throw new TemplateError(
      errors.map((message) => problemOf(message, folder)),
      error,
    );
  }
}

function problemOf({ text, location }: Message, folder: string): Problem {
  const [, missing] = /^Could not resolve "(?:node:)?([^"]+)"/.exec(text) ?? [];
  const words =
    missing !== undefined && builtinModules.includes(missing)
      ? `"${missing}" is a part of Node, which is not there where functions of design documents run.`
      : text;
  if (!location) return { file: folder, words };
  return { file: resolve(folder, location.file), line: location.line, column: location.column + 1, words };
}

/** How esbuild defines its own word for the `require` that is there where the text runs. */
const requireShim = /^var __require = [\s\S]*?\n\}\);\n/;

/** esbuild ends a module with one `export {...}` of lines `local as name`. */
function split(text: string): {
  readonly body: string;
  readonly exports: ReadonlyMap<string, string>;
  /** Lines in front of the body. */
  readonly skipped: number;
} {
  const at = text.lastIndexOf("\nexport {\n");
  const exports = new Map<string, string>();
  const clause = at < 0 ? "" : text.slice(at + "\nexport {\n".length, text.lastIndexOf("\n};"));
  for (const line of clause.split("\n").filter((line) => line.trim() !== "")) {
    const [local = "", name = local] = line.trim().replace(/,$/, "").split(" as ");
    exports.set(name, local);
  }
  const whole = at < 0 ? text : text.slice(0, at);
  const rest = whole.replace(requireShim, "").trimStart();
  const skipped = whole.slice(0, whole.length - rest.length).split("\n").length - 1;
  const body = rest.trimEnd();
  return { body: rest === whole.trimStart() ? body : body.replaceAll("__require(", "require("), exports, skipped };
}

let users = 0;

/** Keeps esbuild's process for as long as somebody builds, and no longer: the server has no use for it afterwards. */
export async function withEsbuild<T>(use: () => Promise<T>): Promise<T> {
  users++;
  try {
    return await use();
  } finally {
    if (--users === 0) await stop();
  }
}
