/** What a selector says about its fields, for choosing an index. Fields are compared by their names as they were written. */
import { compareUtf8 } from "../collation.js";
import type { Condition } from "./condition.js";
import type { Selector } from "./selector.js";

const narrowing = new Set(["$lt", "$lte", "$eq", "$gte", "$gt", "$beginsWith"]);

/** All fields, each once, in order. */
export function fieldsIn(selector: Selector): readonly string[] {
  const collect = (part: Selector): readonly string[] => {
    if (part.kind === "field") return [part.name];
    return part.kind === "and" || part.kind === "or" ? part.of.flatMap(collect) : [];
  };
  return inOrder(collect(selector));
}

/** Fields with a condition that narrows an index down to a range, in order. */
export function indexableFields(selector: Selector): readonly string[] {
  return inOrder(
    conditionsIn(selector).flatMap(({ name, condition }) => (narrowing.has(condition.operator) ? [name] : [])),
  );
}

/** What every document must satisfy, by fields that can be narrowed down, in order. */
export function indexableConditions(selector: Selector): ReadonlyMap<string, readonly Condition[]> {
  const conditions = new Map<string, Condition[]>(indexableFields(selector).map((name) => [name, []]));
  // Once through all: a stranger's selector may have a hundred thousand fields.
  for (const { name, condition } of conditionsIn(selector)) conditions.get(name)?.push(condition);
  return conditions;
}

/** What every document must satisfy of a field. */
export function conditionsOn(selector: Selector, name: string): readonly Condition[] {
  return conditionsIn(selector).flatMap((found) => (found.name === name ? [found.condition] : []));
}

/** Only one value of the field satisfies the selector. */
export function isConstant(selector: Selector, name: string): boolean {
  return conditionsOn(selector, name).some(({ operator }) => operator === "$eq");
}

/** Fields that all documents have that satisfy the selector. */
export function requiredFields(selector: Selector): ReadonlySet<string> {
  switch (selector.kind) {
    case "field": {
      const { operator, argument } = selector.condition;
      return new Set(operator === "$exists" && !argument ? [] : [selector.name]);
    }
    case "and":
      return new Set(selector.of.flatMap((part) => [...requiredFields(part)]));
    case "or": {
      const [first, ...others] = selector.of.map(requiredFields);
      return new Set([...(first ?? [])].filter((name) => others.every((other) => other.has(name))));
    }
    default:
      return new Set();
  }
}

interface NamedCondition {
  readonly name: string;
  readonly condition: Condition;
}

/** Those that all hold: on the top level and within `$and`. */
function conditionsIn(selector: Selector): readonly NamedCondition[] {
  if (selector.kind === "field") return [selector];
  return selector.kind === "and" ? selector.of.flatMap(conditionsIn) : [];
}

function inOrder(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort(compareUtf8);
}
