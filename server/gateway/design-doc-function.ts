/**
 * Cuts one function out of a bundled module: as text that stands alone, as readable as its author wrote it.
 *
 * Most functions use nothing around them, and are deployed as they stand. Where one uses helpers, these go in front of
 * it, inside of one function: CouchDB takes nothing else.
 */
import { bundleExpression, type BundledModule, wanted } from "./design-doc-bundle.js";

/** A function among the exports: `["views", "by-type", "map"]`, with the parameters that CouchDB calls it with. */
export interface FunctionMember {
  readonly path: readonly string[];
  readonly parameters: string;
  /** Its source, as the engine shows it. */
  readonly text: string;
}

export async function cutFunction(module: BundledModule, member: FunctionMember): Promise<string> {
  const [exported = "", ...path] = member.path;
  const local = module.exports.get(exported) as string;
  const inPlace = literal(module.body, local, path, member.text);
  const whole = local + path.map((name) => `[${JSON.stringify(name)}]`).join("");
  const { body } = await bundleExpression(module.body, inPlace ?? whole);
  return standAlone(body, member.parameters);
}

/**
 * The function as an expression of its own, if it may be taken out of the object around it; otherwise that whole object
 * has to come along. It may when every line that encloses it is `name: {` up to a `var local = {` of the top level: then
 * no other function is around it whose variables it could be using. (esbuild prints one member on a line, indented by
 * its depth.)
 */
function literal(body: string, local: string, path: readonly string[], text: string): string | undefined {
  if (path.length === 0) return undefined;
  const lines = body.split("\n");
  let at = lines.indexOf(`var ${local} = {`);
  if (at < 0) return undefined;
  for (const [depth, name] of path.entries()) {
    const indent = "  ".repeat(depth + 1);
    const last = depth === path.length - 1;
    const starts = [name, JSON.stringify(name)].map((key) => indent + key);
    for (at++; !starts.some((start) => lines[at]?.startsWith(`${start}:`) || lines[at]?.startsWith(`${start}(`)); at++) {
      if (lines[at] === undefined || !lines[at]?.startsWith(indent)) return undefined;
    }
    if (!last && !starts.some((start) => lines[at] === `${start}: {`)) return undefined;
  }
  const line = (lines[at] as string).trimStart();
  const written = lines.slice(at).join("\n").trimStart();
  const key = [...path].pop() as string;
  for (const name of [key, JSON.stringify(key)]) {
    if (line.startsWith(`${name}(`) && written.startsWith(text)) return `function ${text.slice(text.indexOf("(", name.length))}`;
    if (written.startsWith(`${name}: ${text}`) && !/^[\w$.]+[(,]/.test(text)) return text;
  }
  return undefined;
}

const declared = new RegExp(`^var ${wanted} = ([\\s\\S]*);$`);

/** One anonymous function expression from the top level of a module whose last statement declares what is wanted. */
function standAlone(body: string, parameters: string): string {
  const alone = declared.exec(body)?.[1];
  if (alone !== undefined && /^(async )?(function\s*\(|\()/.test(alone)) return outdent(alone);

  const renamed = /^function (\w+)(\([\s\S]*\})\nvar __wanted = (\w+);$/.exec(body);
  if (renamed && renamed[1] === renamed[3] && !mentions(renamed[2] as string, renamed[1] as string)) {
    if (!/\n\S/.test((renamed[2] as string).slice(0, -2))) return `function${renamed[2]}`;
  }
  const own = `return ${wanted}.apply(this, arguments);`;
  return `function (${parameters}) {\n${indent(`${body}\n${own}`)}\n}`;
}

function mentions(text: string, name: string): boolean {
  return new RegExp(`(?<![\\w$.])${name}(?![\\w$])`).test(text);
}

/** A template literal keeps its line ends and what follows them: then the text is better left as it is. */
function indent(text: string): string {
  return text.includes("`") ? text : text.replace(/^(?=.)/gm, "  ");
}

function outdent(text: string): string {
  const lines = text.split("\n");
  const depth = (lines.at(-1) as string).search(/\S/);
  const safe = !text.includes("`") && depth > 0 && lines.slice(1).every((line) => line.slice(0, depth).trim() === "");
  return safe ? lines.map((line, index) => (index === 0 ? line : line.slice(depth))).join("\n") : text;
}
