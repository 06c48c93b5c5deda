/** Finds the first rule that fits a request, and what it makes of it. Pure; results are CouchDB's, in its order. */
import { parseJsonParameter } from "../query.js";
import { dataSegment, escapedQuery } from "./rewritten-url.js";
import type { PathPart, RewriteRule } from "./rules.js";

/** A variable that has got a value; `text` is how the client wrote it, when it did. */
interface Binding {
  readonly name: string;
  readonly value: unknown;
  readonly text?: string;
}

export interface RewriteSubject {
  readonly method: string;
  /** Of the path behind `_rewrite`, decoded. */
  readonly parts: readonly string[];
  readonly query: Iterable<readonly [name: string, value: string]>;
}

export interface AppliedRule {
  /** Segments of a path from the design document on, escaped, with `..` among them. */
  readonly segments: readonly string[];
  /** Without its question mark. */
  readonly query: string;
}

/** Undefined when no rule fits. @throws CouchError bad_request for a key in the query that is no JSON */
export function applyRules(rules: readonly RewriteRule[], subject: RewriteSubject): AppliedRule | undefined {
  for (const rule of rules) {
    if (rule.method !== "*" && rule.method !== subject.method) continue;
    const matched = matchPath(rule.from, subject.parts);
    if (matched) return applied(rule, matched, subject);
  }
  return undefined;
}

interface Matched {
  readonly bindings: readonly Binding[];
  readonly rest: readonly string[];
}

function matchPath(from: readonly PathPart[], parts: readonly string[]): Matched | undefined {
  const bindings: Binding[] = [];
  for (const [index, part] of from.entries()) {
    if (part.kind === "rest" && index === from.length - 1) {
      return { bindings: bindings.reverse(), rest: parts.slice(index) };
    }
    const value = parts[index];
    if (value === undefined) return undefined;
    if (part.kind === "text" && part.text !== value) return undefined;
    if (part.kind !== "text") bindings.push({ name: part.kind === "rest" ? "*" : part.name, value });
  }
  return parts.length === from.length ? { bindings: bindings.reverse(), rest: [] } : undefined;
}

function applied(rule: RewriteRule, { bindings, rest }: Matched, { query }: RewriteSubject): AppliedRule {
  const known = [...bindings, ...Array.from(query, ([name, text]) => given(name, text))];
  const asked = rule.query
    .map(([name, value]) => ({ name, value: filledIn(value, known, rest, rule.formats) }))
    .reverse();
  const all = [...known.filter(({ name }) => !asked.some((other) => other.name === name)), ...asked];
  const shown = all.filter(({ name }) => name !== "*").reverse();
  return {
    segments: segmentsOf(rule.to, all, rest),
    query: escapedQuery(shown.map((binding) => [binding.name, textOf(binding)])),
  };
}

/** Parameters that are JSON. */
const keys = new Set(["key", "startkey", "start_key", "endkey", "end_key", "keys"]);

function given(name: string, text: string): Binding {
  return { name, text, value: keys.has(name) ? parseJsonParameter(text) : text };
}

function textOf({ name, value, text }: Binding): string {
  if (text !== undefined) return text;
  return typeof value === "string" && !keys.has(name) ? value : JSON.stringify(value);
}

type Formats = RewriteRule["formats"];

/** Variables stand by themselves or in a list. */
function filledIn(value: unknown, known: readonly Binding[], rest: readonly string[], formats: Formats): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => (typeof item === "string" ? filledIn(item, known, rest, formats) : item));
  }
  if (value === "*") return valueOf("*", known, formats) ?? (rest.length > 0 ? rest.join("/") : value);
  if (typeof value !== "string" || !value.startsWith(":")) return value;
  return valueOf(value.slice(1), known, formats) ?? value;
}

function valueOf(name: string, known: readonly Binding[], formats: Formats): unknown {
  const found = known.find((binding) => binding.name === name)?.value;
  return typeof found === "string" ? formatted(found, formats[name]) : found;
}

function formatted(text: string, format: unknown): unknown {
  if (format === "int" && /^[+-]?\d+$/.test(text)) return Number(text);
  if (format === "bool" && /^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
  return text;
}

function segmentsOf(to: readonly PathPart[], all: readonly Binding[], rest: readonly string[]): readonly string[] {
  const segments: string[] = [];
  for (const part of to) {
    if (part.kind === "rest") return [...segments, ...rest.map(dataSegment)];
    if (part.kind === "text") segments.push(encodeURIComponent(part.text));
    else {
      const found = all.find(({ name }) => name === part.name);
      segments.push(dataSegment(found ? textOf(found) : "undefined"));
    }
  }
  return segments;
}
