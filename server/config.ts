/**
 * The configuration: `settee.config.json` (or the file that SETTEE_CONFIG names) and the environment, which wins. What
 * is unknown or ill-typed stops the start: a misspelt setting that is ignored is a server that does something else.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { z } from "zod";
import { environmentNames, type Settings, settingsSchema } from "./config/settings.js";

/** All settings, complete; folders are absolute paths. */
export type Config = Omit<Settings, "backend"> & { readonly backend: "embedded" };

/** Settings as a program gives them: any may be left out. */
export type ConfigInput = z.input<typeof settingsSchema>;

/** A setting that stops the start. The message is for the operator, names the setting and never quotes its value. */
export class ConfigError extends Error {}

type Json = Record<string, unknown>;
/** The path of a setting (`limits.maxUriLength`) to what it was set by (`SETTEE_MAX_URI_LENGTH`). */
type Sources = ReadonlyMap<string, string>;

const fileName = "settee.config.json";
const prefix = "SETTEE_";
const fileVariable = "SETTEE_CONFIG";
/** Settings that name files and folders, with the group they stand in. */
const paths = [
  [undefined, "dataDir"],
  [undefined, "designDocs"],
  ["accounts", "hooks"],
  ["mail", "templates"],
] as const;

/** @throws ConfigError */
export function loadConfig(environment: NodeJS.ProcessEnv, workingDirectory: string): Config {
  const named = environment[fileVariable];
  const file = resolve(workingDirectory, named || fileName);
  const values = named || existsSync(file) ? readConfigFile(file) : {};
  makeAbsolute(values, dirname(file));
  const sources = new Map<string, string>();
  const variables: Json = {};
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(prefix) || name === fileVariable || text === undefined) continue;
    const variable = Object.hasOwn(environmentNames, name) ? environmentNames[name] : undefined;
    if (!variable) throw new ConfigError(`${name}: there is no such setting.`);
    put(variables, variable.path, valueOf(text, variable.as));
    sources.set(variable.path, name);
  }
  makeAbsolute(variables, workingDirectory);
  return checked(merged(values, variables), sources, workingDirectory);
}

/** For programs that embed the server. @throws ConfigError */
export function completeConfig(input: ConfigInput, workingDirectory: string = process.cwd()): Config {
  return checked({ ...input }, new Map(), workingDirectory);
}

function checked(values: Json, sources: Sources, workingDirectory: string): Config {
  const parsed = settingsSchema.safeParse(values);
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map((issue) => explain(issue, sources)).join("\n"));
  const { backend, ...settings } = parsed.data;
  if (backend === "couchdb") {
    throw new ConfigError(`${sources.get("backend") ?? "backend"}: "couchdb" is not there yet. Use "embedded".`);
  }
  if (settings.adminName !== undefined && settings.adminPassword === undefined) {
    throw new ConfigError(`${sources.get("adminName") ?? "adminName"}: an administrator needs a password as well.`);
  }
  if (settings.mail.smtp !== undefined && settings.mail.from.includes("@localhost")) {
    throw new ConfigError("mail.from: mails that are really sent need an address to come from.");
  }
  const designDocs = settings.designDocs ?? defaultDesignDocs(workingDirectory);
  const { hooks } = settings.accounts;
  const { templates } = settings.mail;
  return {
    ...settings,
    backend,
    accounts: { ...settings.accounts, ...(hooks !== undefined && { hooks: resolve(workingDirectory, hooks) }) },
    mail: { ...settings.mail, ...(templates !== undefined && { templates: resolve(workingDirectory, templates) }) },
    dataDir: resolve(workingDirectory, settings.dataDir),
    ...(designDocs === undefined ? {} : { designDocs: resolve(workingDirectory, designDocs) }),
  };
}

function defaultDesignDocs(workingDirectory: string): string | undefined {
  const folder = resolve(workingDirectory, "design-docs");
  return existsSync(folder) ? folder : undefined;
}

function explain(issue: z.core.$ZodIssue, sources: Sources): string {
  const at = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `${[...at, key].join(".")}: there is no such setting.`).join("\n");
  }
  // An item of a list is set by what sets the list.
  const path = at.filter((part) => !/^\d+$/.test(part)).join(".");
  return `${sources.get(path) ?? (path || fileName)}: ${issue.message}.`;
}

function readConfigFile(file: string): Json {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigError(`${file} cannot be read.`, { cause: error });
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch (error) {
    // The parser's own message quotes the text around the fault, which may be a password.
    throw new ConfigError(`${file} is not JSON.`, { cause: error });
  }
  throw new ConfigError(`${file} must hold a JSON object.`);
}

function valueOf(text: string, as: "text" | "number" | "list" | "flag"): unknown {
  if (as === "flag") return text === "true" ? true : text === "false" ? false : text;
  if (as === "list") return text.split(",").flatMap((item) => item.trim() || []);
  // What is not a number stays a text, which the schema then refuses in its own words.
  return as === "number" && /^-?\d+$/.test(text.trim()) ? Number(text) : text;
}

/** Folders of a file are relative to the file, folders of the environment to where the server was started. */
function makeAbsolute(values: Json, base: string): void {
  for (const [group, name] of paths) {
    const holder = group === undefined ? values : values[group];
    const folder = isObject(holder) ? holder[name] : undefined;
    if (typeof folder !== "string" || folder === "") continue;
    put(values, group === undefined ? name : `${group}.${name}`, resolve(base, folder));
  }
}

function put(values: Json, path: string, value: unknown): void {
  const [first = "", second] = path.split(".");
  if (second === undefined) values[first] = value;
  else values[first] = { ...(values[first] as Json | undefined), [second]: value };
}

function merged(below: Json, above: Json): Json {
  const result: Json = { ...below };
  for (const [name, value] of Object.entries(above)) {
    const under = below[name];
    result[name] = isObject(value) && isObject(under) ? { ...under, ...value } : value;
  }
  return result;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
