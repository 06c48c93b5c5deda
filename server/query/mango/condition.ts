/** Operators on a value: which there are, what arguments they take, and what their opposites are. */
import { CouchError } from "../../../protocol/errors.js";
import { erlangTerm } from "./erlang-term.js";
import { compileRegex } from "./regex.js";
import type { Selector } from "./selector.js";

/** What is asked of a value as a whole. */
export type Test =
  | { readonly operator: "$lt" | "$lte" | "$eq" | "$ne" | "$gte" | "$gt"; readonly argument: unknown }
  | { readonly operator: "$in" | "$nin" | "$all"; readonly argument: readonly unknown[] }
  | { readonly operator: "$exists"; readonly argument: boolean }
  | { readonly operator: "$type" | "$regex" | "$beginsWith"; readonly argument: string }
  | { readonly operator: "$size"; readonly argument: number }
  /** Divisor and remainder. */
  | { readonly operator: "$mod"; readonly argument: readonly [number, number] };

export type TestOperator = Test["operator"];

/** `$elemMatch` and `$allMatch` look at the elements of an array, `$keyMapMatch` at the names of an object's members. */
export type ElementOperator = "$elemMatch" | "$allMatch" | "$keyMapMatch";

export type Condition =
  | Test
  | { readonly operator: ElementOperator; readonly argument: Selector }
  | { readonly operator: "$not"; readonly argument: Condition };

const elementOperators: ReadonlySet<string> = new Set<ElementOperator>(["$elemMatch", "$allMatch", "$keyMapMatch"]);

export function isElementOperator(operator: string): operator is ElementOperator {
  return elementOperators.has(operator);
}

const anything = (): boolean => true;
const isText = (argument: unknown): boolean => typeof argument === "string";
const isCount = (argument: unknown): boolean => Number.isInteger(argument) && (argument as number) >= 0;

const takes: Readonly<Record<TestOperator, (argument: unknown) => boolean>> = {
  $lt: anything,
  $lte: anything,
  $eq: anything,
  $ne: anything,
  $gte: anything,
  $gt: anything,
  $in: Array.isArray,
  $nin: Array.isArray,
  $all: Array.isArray,
  $exists: (argument) => typeof argument === "boolean",
  $type: isText,
  $regex: isText,
  $beginsWith: isText,
  $size: isCount,
  $mod: (argument) =>
    Array.isArray(argument) && argument.length === 2 && argument.every(Number.isInteger) && argument[0] !== 0,
};

export function isTestOperator(operator: string): operator is TestOperator {
  return Object.hasOwn(takes, operator);
}

/** @throws CouchError bad_arg, invalid_operator, not_supported */
export function checkedTest(operator: TestOperator, argument: unknown): Test {
  if (!takes[operator](argument)) {
    // CouchDB's word for these two.
    if (operator === "$regex" || operator === "$beginsWith") {
      throw new CouchError("invalid_operator", `Invalid operator: ${operator}`);
    }
    throw badArgument(operator, argument);
  }
  if (operator === "$regex") compileRegex(argument as string);
  return { operator, argument } as Test;
}

export function badArgument(operator: string, argument: unknown): CouchError {
  return new CouchError("bad_arg", `Bad argument for operator ${operator}: ${erlangTerm(argument)}`);
}

const opposites = {
  $lt: "$gte",
  $lte: "$gt",
  $eq: "$ne",
  $ne: "$eq",
  $gte: "$lt",
  $gt: "$lte",
  $in: "$nin",
  $nin: "$in",
} as const;

/** What is true of a value, if there is one, when the condition is not. */
export function opposite(condition: Condition): Condition {
  if (condition.operator === "$exists") return { operator: "$exists", argument: !condition.argument };
  if (!Object.hasOwn(opposites, condition.operator)) return { operator: "$not", argument: condition };
  const { operator, argument } = condition as { operator: keyof typeof opposites; argument: unknown };
  return { operator: opposites[operator], argument } as Test;
}
