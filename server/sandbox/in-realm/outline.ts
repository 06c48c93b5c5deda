import type { RealmTools } from "./tools.js";

/** A value without its life: functions are there as text, everything else as JSON has it. */
export type OutlineNode =
  | { readonly kind: "function"; readonly text: string }
  | { readonly kind: "object"; readonly members: Readonly<Record<string, OutlineNode>> }
  | { readonly kind: "value"; readonly value: unknown };

/** Evaluates an expression (given as a JSON string) and answers `{value: OutlineNode}`. */
export function outlineInRealm(tools: RealmTools): (expression: string) => string {
  /** Members of design documents lie at most four deep; a circle must end somewhere. */
  const maxDepth = 8;

  const outlineOf = (value: unknown, depth: number): OutlineNode => {
    if (typeof value === "function") return { kind: "function", text: Function.prototype.toString.call(value) };
    if (typeof value !== "object" || value === null || Array.isArray(value) || depth === maxDepth) {
      return { kind: "value", value };
    }
    const members: Record<string, OutlineNode> = {};
    for (const [name, member] of Object.entries(value)) {
      if (member !== undefined) members[name] = outlineOf(member, depth + 1);
    }
    return { kind: "object", members };
  };

  return (expression) => {
    try {
      const value = tools.evaluate(tools.parse(expression) as string);
      return tools.answer(tools.stringify({ value: outlineOf(value, 0) }));
    } catch (thrown) {
      // The author of the expression is told where it was.
      tools.log(`${thrown instanceof Error ? thrown.stack : ""}`);
      return tools.answer(tools.exhausted(thrown) ?? tools.refuse("compilation_error", tools.textOf(thrown)));
    }
  };
}
