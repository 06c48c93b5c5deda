/** One file of a template becomes a design document. These are the operator's own files; all the same they are never run in the server. */
import { join } from "node:path";
import type { JsonDocument } from "../../backend/backend.js";
import { checkFunction, OutlineError, type OutlineNode, outline } from "../../sandbox/outline.js";
import { type BundledModule, bundleFile, freeNames } from "./bundle.js";
import { cutFunction, type FunctionMember } from "./cut-function.js";
import { type DesignDocMembers, membersOf } from "./members.js";
import { placeOfMember } from "./places.js";
import { type Place, type Problem, TemplateError } from "./problem.js";

/** A function as it is deployed. */
export interface DeployedFunction extends FunctionMember {
  readonly source: string;
}

export interface CompiledDesignDocument {
  readonly document: JsonDocument;
  readonly module: BundledModule;
  readonly functions: readonly DeployedFunction[];
  /** Where a member of an export is written down, or something around it. */
  readonly placeOf: (path: readonly string[]) => Place;
}

/**
 * @param file relative to the folder
 * @throws TemplateError with all that is wrong with the file
 */
export async function compileDesignDocument(folder: string, file: string, id: string): Promise<CompiledDesignDocument> {
  const path = join(folder, file);
  const module = await bundleFile(folder, file);
  const placeOf = (member: readonly string[]): Place => placeOfMember(module, member) ?? { file: path };
  const members = membersOf(await evaluated(module, path));
  const problems: Problem[] = members.problems.map(({ path, words }) => ({ ...placeOf(path), words }));
  const functions: DeployedFunction[] = [];
  for (const member of members.functions) {
    const source = await cutFunction(module, member);
    functions.push({ ...member, source });
    const words = (await checkFunction(source)) ?? missingModule(source, members);
    if (words !== undefined)
      problems.push({ ...placeOf(member.path), words: `\`${member.path.join(".")}\`: ${words}` });
  }
  if (problems.length > 0) throw new TemplateError(problems.sort(byPlace));
  return { document: documentOf(id, functions, members), module, functions, placeOf };
}

function byPlace(a: Place, b: Place): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/** Lines that `evaluated` puts in front of a module. */
const preamble = '(function () {\n"use strict";\n';
const preambleLines = preamble.split("\n").length - 1;

/** The exports of a module. @throws TemplateError */
export async function evaluated(module: BundledModule, file: string): Promise<OutlineNode> {
  const members = [...module.exports].map(([name, local]) => `${JSON.stringify(name)}: ${local}`);
  try {
    return await outline(`${preamble}${module.body}\nreturn { ${members.join(", ")} };\n})()`);
  } catch (error) {
    if (!(error instanceof OutlineError)) throw error;
    throw new TemplateError([{ ...((await placeOfError(error, module)) ?? { file }), words: error.message }], error);
  }
}

async function placeOfError({ message, frames }: OutlineError, { body, placeOf }: BundledModule) {
  const [, missing] = /^ReferenceError: ([\w$]+) is not defined/.exec(message) ?? [];
  const [use] = missing === undefined ? [] : await freeNames(body, [missing]);
  if (use) return placeOf(use.line, use.column);
  const inside = frames.find(({ line }) => line > preambleLines);
  return inside && placeOf(inside.line - preambleLines, inside.column);
}

const required = /\brequire\("views\/lib\/([^"\n]*)"\)/g;

/** Words about a module that a function requires and that is not there. */
function missingModule(source: string, { data }: DesignDocMembers): string | undefined {
  const library = data.find(({ path }) => path[0] === "views" && path[1] === "lib")?.value;
  for (const [call, path = ""] of source.matchAll(required)) {
    let found = library;
    for (const name of path.split("/")) {
      const isThere = typeof found === "object" && found !== null && Object.hasOwn(found, name);
      found = isThere ? (found as Record<string, unknown>)[name] : undefined;
    }
    if (typeof found !== "string") return `${call}: there is no such text in \`lib\`.`;
  }
  return undefined;
}

function documentOf(id: string, functions: readonly DeployedFunction[], { data }: DesignDocMembers): JsonDocument {
  const document = { _id: id, language: "javascript" };
  for (const { path, source } of functions) put(document, path, source);
  for (const { path, value } of data) put(document, path, value);
  return document;
}

function put(document: object, path: readonly string[], value: unknown): void {
  let parent = document as Record<string, unknown>;
  for (const name of path.slice(0, -1)) {
    parent[name] ??= {};
    parent = parent[name] as Record<string, unknown>;
  }
  parent[path.at(-1) as string] = value;
}
