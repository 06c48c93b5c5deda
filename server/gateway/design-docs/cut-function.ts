/**
 * Cuts one function out of a bundled module: text that stands alone, as readable as its author wrote it.
 *
 * Most functions use nothing around them and are deployed as they stand. Where one uses helpers, these go in front of
 * it, inside of one function: CouchDB takes nothing else.
 */
import { type BundledModule, bundleExpression, wanted } from "./bundle.js";

/** A function among the exports: `["views", "by-type", "map"]`, with the parameters that CouchDB calls it with. */
export interface FunctionMember {
  readonly path: readonly [string, ...string[]];
  readonly parameters: string;
  /** Its source, as the engine shows it. */
  readonly text: string;
}

/** @throws TemplateError */
export async function cutFunction(module: BundledModule, member: FunctionMember): Promise<string> {
  const [exported, ...path] = member.path;
  const whole = module.exports.get(exported) + path.map((name) => `[${JSON.stringify(name)}]`).join("");
  const body = await bundleExpression(module.body, inPlace(module.body, member.text) ?? whole);
  return standAlone(body, member.parameters);
}

const key = '(?:"[^"\\n]*"|[\\w$]+)';
const declaration = /^var [\w$]+ = $/;
const opensObject = new RegExp(`^(?:var [\\w$]+ = |\\s+${key}: )\\{$`);
/** What may stand before a function on its line: `"by-type": { reduce: "_count", map: `. */
const beforeMember = new RegExp(`^(?:var [\\w$]+ = \\{)?\\s+(?:${key}: (?:\\{ |"[^"\\n]*", ))*(?:${key}: )?$`);

/**
 * The function as an expression that may stand at the top level, or undefined when it must stay where it is, and what
 * encloses it has to come along. It may move when only object literals enclose it: then there is no other function
 * around it whose variables it could be using. esbuild prints with two spaces for each level, so that the lines that
 * enclose a place are the nearest ones above it with less and less space.
 */
function inPlace(body: string, text: string): string | undefined {
  const at = body.indexOf(text);
  if (at < 0 || at !== body.lastIndexOf(text)) return undefined;
  const above = body.slice(0, at).split("\n");
  const before = above.pop() as string;
  if (before === "" && text.startsWith("function ")) return text;
  if (declaration.test(before)) return text;
  if (!beforeMember.test(before)) return undefined;

  let depth = before.search(/\S|$/);
  for (const line of above.reverse()) {
    const space = line.search(/\S|$/);
    if (depth === 0) break;
    if (space >= depth || line.trim() === "") continue;
    if (!opensObject.test(line)) return undefined;
    depth = space;
  }
  if (before.endsWith(": ")) return text;
  const method = new RegExp(`^${key}(?=\\()`);
  return method.test(text) ? text.replace(method, "function ") : undefined;
}

const nothingElse = new RegExp(`^var ${wanted} = ([\\s\\S]*);$`);

/** One anonymous function expression that does all of the body. */
function standAlone(body: string, parameters: string): string {
  const expression = nothingElse.exec(body)?.[1];
  if (expression !== undefined) {
    const [, name, rest] = /^function ([\w$]+)(\([\s\S]*)$/.exec(expression) ?? [];
    // CouchDB on SpiderMonkey would take a named function for a declaration, which has no value.
    if (name === undefined || rest === undefined) return expression;
    if (!rest.includes(name)) return `function${rest}`;
  }
  return `function (${parameters}) {\n${indent(body)}\n  return ${wanted}.apply(this, arguments);\n}`;
}

/** The lines of a template literal are data: text that has one is left as it is. */
function indent(text: string): string {
  return text.includes("`") ? text : text.replace(/^(?=.)/gm, "  ");
}
