/**
 * Selectors, read once: every condition at its field's full name, every operator explicit, negations pushed down to the fields.
 *
 *   {"a": {"b": 1, "$not": {"$gt": 2}}}   becomes   {"$and": [{"a.b": {"$eq": 1}}, {"a": {"$lte": 2}}]}
 *
 * This form is what CouchDB explains, plans and matches by, and it decides what a negation means: a field that is missing
 * satisfies neither `$eq` nor `$ne`.
 */
import { CouchError } from "../../../protocol/errors.js";
import {
  badArgument,
  type Condition,
  checkedTest,
  type ElementOperator,
  isElementOperator,
  isTestOperator,
  opposite,
} from "./condition.js";
import { erlangTerm } from "./erlang-term.js";
import { type FieldPath, parseFieldPath } from "./field-path.js";

export type Selector =
  /** `{}`: every document. */
  | { readonly kind: "everything" }
  /** Without any conditions both are satisfied. */
  | { readonly kind: "and" | "or"; readonly of: readonly Selector[] }
  /** Inside of conditions on elements only. */
  | { readonly kind: "not"; readonly of: Selector }
  | FieldSelector;

export interface FieldSelector {
  readonly kind: "field";
  /** As it was written, with its escapes: `a.b`. Empty: the value itself, e.g. an element of an array. */
  readonly name: string;
  readonly path: FieldPath;
  readonly condition: Condition;
}

/** Where in a selector the parser is. */
interface Place {
  /** The field around it. */
  readonly name: string;
  readonly negated: boolean;
  /** Conditions on elements keep their `$not`: there it is true of missing members. */
  readonly onElements: boolean;
}

/** Parsing and matching recurse, and comparing goes as deep as arguments do. */
const deepest = 200;
/** Conditions on the elements of one array: each is asked of every element. */
const mostOnElements = 100;
const unsupported = new Set(["$text", "$where", "$geoWithin", "$geoIntersects", "$near", "$nearSphere"]);

/** @throws CouchError invalid_selector_json, invalid_selector, invalid_operator, bad_arg, not_supported */
export function parseSelector(json: unknown): Selector {
  if (!isObject(json)) {
    throw new CouchError("invalid_selector_json", `Selector must be a JSON object, not: ${erlangTerm(json)}`);
  }
  if (isDeeper(json, deepest)) {
    throw new CouchError("invalid_selector", `Selectors are at most ${deepest} levels deep.`);
  }
  if (Object.keys(json).length === 0) return { kind: "everything" };
  const selector = parse(json, { name: "", negated: false, onElements: false });
  if (selector.kind === "field" && selector.name === "") {
    throw new CouchError("invalid_selector", "One or more conditions is missing a field name.");
  }
  return selector;
}

/** The selector in CouchDB's normal form, as `_explain` shows it. */
export function selectorJson(selector: Selector): Record<string, unknown> {
  switch (selector.kind) {
    case "everything":
      return {};
    case "and":
    case "or":
      return { [`$${selector.kind}`]: selector.of.map(selectorJson) };
    case "not":
      return { $not: selectorJson(selector.of) };
    case "field":
      return { [selector.name]: conditionJson(selector.condition) };
  }
}

function conditionJson({ operator, argument }: Condition): Record<string, unknown> {
  if (operator === "$not") return { $not: conditionJson(argument) };
  return { [operator]: isElementOperator(operator) ? selectorJson(argument as Selector) : argument };
}

function parse(json: unknown, place: Place): Selector {
  const members = isObject(json) ? Object.entries(json) : [];
  const [first] = members;
  // A bare value; an empty object is one too.
  if (!first) return field(place, { operator: "$eq", argument: json });
  if (members.length === 1) return parseMember(first, place);
  return { kind: place.negated ? "or" : "and", of: members.map((member) => parseMember(member, place)) };
}

function parseMember([key, argument]: [string, unknown], place: Place): Selector {
  if (!key.startsWith("$"))
    return parse(argument, { ...place, name: place.name === "" ? key : `${place.name}.${key}` });
  switch (key) {
    case "$and":
    case "$or":
      return {
        kind: (key === "$and") === place.negated ? "or" : "and",
        of: list(key, argument).map((part) => parse(part, place)),
      };
    case "$nor":
      return { kind: place.negated ? "or" : "and", of: list(key, argument).map((part) => parseNegation(part, place)) };
    case "$not":
      if (!isObject(argument)) throw badArgument(key, argument);
      return parseNegation(argument, place);
  }
  if (isElementOperator(key)) return field(place, parseElements(key, argument));
  if (isTestOperator(key)) return field(place, checkedTest(key, argument));
  if (unsupported.has(key)) throw new CouchError("not_supported", `Unsupported operator: ${key}`);
  throw new CouchError("invalid_operator", `Invalid operator: ${key}`);
}

function parseNegation(json: unknown, place: Place): Selector {
  if (place.onElements) return { kind: "not", of: parse(json, place) };
  return parse(json, { ...place, negated: !place.negated });
}

function parseElements(operator: ElementOperator, argument: unknown): Condition {
  if (!isObject(argument)) throw badArgument(operator, argument);
  const selector = parse(argument, { name: "", negated: false, onElements: true });
  if (conditionsIn(selector) > mostOnElements) {
    throw new CouchError("invalid_selector", `${operator} takes at most ${mostOnElements} conditions.`);
  }
  return { operator, argument: selector };
}

function field({ name, negated }: Place, condition: Condition): FieldSelector {
  const path = name === "" ? [] : parseFieldPath(name);
  return { kind: "field", name, path, condition: negated ? opposite(condition) : condition };
}

/** Selectors that stand in a list. */
function list(operator: string, argument: unknown): readonly unknown[] {
  if (!Array.isArray(argument)) throw badArgument(operator, argument);
  return argument;
}

function conditionsIn(selector: Selector): number {
  switch (selector.kind) {
    case "everything":
      return 0;
    case "and":
    case "or":
      return selector.of.reduce((sum, part) => sum + conditionsIn(part), 0);
    case "not":
      return conditionsIn(selector.of);
    case "field": {
      const { operator, argument } = selector.condition;
      return 1 + (isElementOperator(operator) ? conditionsIn(argument as Selector) : 0);
    }
  }
}

function isDeeper(json: unknown, levels: number): boolean {
  if (typeof json !== "object" || json === null) return false;
  return levels === 0 || Object.values(json).some((value) => isDeeper(value, levels - 1));
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
