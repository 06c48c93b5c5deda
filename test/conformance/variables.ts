/** The values that `{{NAME}}` stands for while one scenario runs. */
import { randomBytes } from "node:crypto";

export type Variables = Record<string, unknown>;

const databases = ["db", "db2", "db3", "db4"];

export function freshVariables(server: URL): Variables {
  const names = databases.map((name) => [name, `behaviour-${name}-${randomBytes(5).toString("hex")}`]);
  return {
    ...Object.fromEntries(names),
    origin: server.origin,
    admin: decodeURIComponent(server.username),
    password: decodeURIComponent(server.password),
  };
}

/** The database names among the variables, with the variable's name. */
export function databaseVariables(variables: Variables): readonly (readonly [string, string])[] {
  return databases.map((name) => [name, String(variables[name])]);
}

/** @throws Error for a name that no step has saved */
export function fill(template: string, variables: Variables): string {
  return replaceNames(template, variables, (_name, value) => value);
}

/** For paths: what was saved is encoded, database names are already fit for a path. */
export function fillPath(template: string, variables: Variables): string {
  return replaceNames(template, variables, (name, value) =>
    name.startsWith("db") ? value : encodeURIComponent(value),
  );
}

/** Fills every string in a JSON value, names of members included. */
export function fillDeep<T>(value: T, variables: Variables): T {
  return filled(value, variables) as T;
}

function filled(value: unknown, variables: Variables): unknown {
  if (typeof value === "string") return fill(value, variables);
  if (Array.isArray(value)) return value.map((item) => filled(item, variables));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [fill(name, variables), filled(member, variables)]),
  );
}

function replaceNames(template: string, variables: Variables, encode: (name: string, value: string) => string): string {
  return template
    .replace(/\{\{(.)\*(\d+)\}\}/g, (_match, character: string, times: string) => character.repeat(Number(times)))
    .replace(/\{\{(\w+)\}\}/g, (_match, name: string) => {
      if (!(name in variables)) throw new Error(`unknown variable ${name}`);
      return encode(name, String(variables[name]));
    });
}
