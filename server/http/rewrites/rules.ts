/** `rewrites` of a design document as a list of rules, read and checked before one of them is asked. */
import { CouchError } from "../../../protocol/errors.js";

/** One part of a path: itself, anything by a name, or (`*`) all that is left. */
export type PathPart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "rest" };

export interface RewriteRule {
  /** `*`: any. */
  readonly method: string;
  readonly from: readonly PathPart[];
  readonly to: readonly PathPart[];
  /** Values with variables in them, in the order of the rule. */
  readonly query: readonly (readonly [name: string, value: unknown])[];
  /** Of variables: `int`, `bool`. */
  readonly formats: Readonly<Record<string, unknown>>;
}

/** From the design document to its database, and no further. */
const mostParents = 2;

/** What is no object among the rules is passed over, as in CouchDB. @throws CouchError rewrite_error, insecure_rewrite_rule */
export function parseRules(rules: readonly unknown[]): readonly RewriteRule[] {
  return rules.filter(isObject).map(parseRule);
}

function parseRule({ method = "*", from = "*", to, query = {}, formats = {} }: Record<string, unknown>): RewriteRule {
  if (typeof method !== "string") throw badRule("method", "a text");
  if (typeof from !== "string") throw badRule("from", "a text");
  if (typeof to !== "string") throw badRule("to", "a text");
  if (!isObject(query)) throw badRule("query", "an object");
  if (!isObject(formats)) throw badRule("formats", "an object");
  return { method, from: parsePath(from), to: parsePath(to), query: Object.entries(query), formats };
}

function parsePath(text: string): readonly PathPart[] {
  const parts = text.split("/").filter((part) => part !== "");
  if (parts.filter((part) => part === "..").length > mostParents) throw new CouchError("insecure_rewrite_rule");
  return parts.map((part) => {
    if (part === "*") return { kind: "rest" };
    return part.startsWith(":") ? { kind: "variable", name: part.slice(1) } : { kind: "text", text: part };
  });
}

function badRule(member: string, shape: string): CouchError {
  return new CouchError("rewrite_error", `\`${member}\` of a rule must be ${shape}.`, { status: 500 });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
