/**
 * The only user of esbuild: a file with its imports becomes one module, and that module less everything that one
 * expression does not need.
 */
import { type BuildFailure, type BuildOptions, build, stop } from "esbuild";

/** A module with all imports inlined: its top level, and what it exports by which local name. */
export interface BundledModule {
  readonly body: string;
  readonly exports: ReadonlyMap<string, string>;
}

/** Words about an author's file, already fit to be shown. */
export class BundleError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "BundleError";
  }
}

const options = {
  bundle: true,
  format: "esm",
  write: false,
  platform: "neutral",
  mainFields: ["module", "main"],
  treeShaking: true,
  // CouchDB with SpiderMonkey 91 reads functions with a parser of that age before it runs them.
  target: "es2017",
  charset: "utf8",
  legalComments: "none",
  logLevel: "silent",
  // Whatever tsconfig lies above the folder must not change what is deployed.
  tsconfigRaw: {},
} as const satisfies BuildOptions;

/** @throws BundleError */
export async function bundleFile(folder: string, file: string): Promise<BundledModule> {
  return split(await run({ ...options, absWorkingDir: folder, entryPoints: [file] }));
}

/** What an expression is called in the text that `bundleExpression` answers. */
export const wanted = "theFunction";

/**
 * The top level of the module less what the expression does not need, ending in `var theFunction = ...;`.
 * @throws BundleError
 */
export async function bundleExpression(body: string, expression: string): Promise<string> {
  const contents = `${body}\nexport { ${wanted} as default };\nvar ${wanted} = ${expression};`;
  const needed = split(await run({ ...options, stdin: { contents, loader: "js" } }));
  return needed.body.replace(/^\/\/ <stdin>\n/, "");
}

async function run(how: BuildOptions): Promise<string> {
  try {
    const { outputFiles } = await build(how);
    return outputFiles?.[0]?.text ?? "";
  } catch (error) {
    const [first] = (error as Partial<BuildFailure>).errors ?? [];
    if (!first) throw error;
    const place = first.location ? ` (${first.location.file}:${first.location.line}:${first.location.column})` : "";
    throw new BundleError(`${first.text}${place}`, error);
  }
}

/** esbuild ends a module with one `export {...}` of lines `local as name`. */
function split(text: string): BundledModule {
  const at = text.lastIndexOf("\nexport {\n");
  const exports = new Map<string, string>();
  const clause = at < 0 ? "" : text.slice(at + "\nexport {\n".length, text.lastIndexOf("\n};"));
  for (const line of clause.split("\n").filter((line) => line.trim() !== "")) {
    const [local = "", name = local] = line.trim().replace(/,$/, "").split(" as ");
    exports.set(name, local);
  }
  return { body: (at < 0 ? text : text.slice(0, at)).trim(), exports };
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
