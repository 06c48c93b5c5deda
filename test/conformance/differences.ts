/** Compares a wanted answer with the one that was given. */
import type { Answer } from "./scenario.js";

/** How much of a value a difference shows, in characters. */
const shown = 160;

/** One line for each place where the answers differ, e.g. `status: wanted 201, got 409`. `ignore`: paths not compared. */
export function answerDifferences(want: Answer, got: Answer, ignore: readonly string[] = []): readonly string[] {
  const wanted: unknown = structuredClone(want);
  const given: unknown = structuredClone(got);
  for (const path of ignore) {
    remove(wanted, path.split("."));
    remove(given, path.split("."));
  }
  return differences(wanted, given, "");
}

function differences(want: unknown, got: unknown, path: string): string[] {
  if (isObject(want) && isObject(got) && Array.isArray(want) === Array.isArray(got)) {
    if (Array.isArray(want) && Array.isArray(got) && want.length !== got.length) {
      return [`${path}: ${want.length} items wanted, ${got.length} got`];
    }
    const names = new Set([...Object.keys(want), ...Object.keys(got)]);
    return [...names].flatMap((name) =>
      differences(own(want, name), own(got, name), path === "" ? name : `${path}.${name}`),
    );
  }
  if (want === got) return [];
  return [`${path}: wanted ${JSON.stringify(want)?.slice(0, shown)}, got ${JSON.stringify(got)?.slice(0, shown)}`];
}

function remove(value: unknown, [name, ...rest]: readonly string[]): void {
  if (!isObject(value) || name === undefined) return;
  const names = name === "*" ? Object.keys(value) : [name];
  for (const key of names) {
    if (rest.length === 0) delete value[key];
    else remove(value[key], rest);
  }
}

/** A member named `__proto__` is an ordinary one in JSON. */
function own(object: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object";
}
