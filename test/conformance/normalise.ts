/**
 * Two servers never give the same revision hashes, sequences, generated ids, dates and sizes. Both their answers are
 * brought to one form, in which these are `<rev>`, `<seq>`, `<uuid>` and so on, before they are compared.
 */
import { databaseVariables, type Variables } from "./variables.js";

const comparedHeaders = [
  "content-type",
  "etag",
  "location",
  "allow",
  "cache-control",
  "accept-ranges",
  "content-range",
  "content-encoding",
  "content-md5",
  "www-authenticate",
  "content-security-policy",
  "content-disposition",
  "set-cookie",
];

/** Members whose value is the server's own business. */
const volatile = new Set([
  "sizes",
  "instance_start_time",
  "uuid",
  "git_sha",
  "version",
  "disk_format_version",
  "signature",
  "started_on",
  "updated_on",
  "pid",
  "execution_time_ms",
  "collator_versions",
  "cluster",
]);

const sequences = new Set(["update_seq", "last_seq", "seq", "purge_seq", "committed_update_seq", "source_last_seq"]);

export function normaliseText(text: string, variables: Variables): string {
  let result = text;
  for (const [name, database] of databaseVariables(variables)) result = result.replaceAll(database, `{{${name}}}`);
  return result
    .replace(/\b(\d+)-[0-9a-f]{32}\b/g, "$1-<rev>")
    .replace(/\b\d+-g1[A-Za-z0-9_-]{20,}/g, "<seq>")
    .replace(/\b[0-9a-f]{32}\b/g, "<uuid>")
    .replace(/\b[0-9a-f]{40}\b/g, "<hash>")
    .replace(/AuthSession=[A-Za-z0-9_-]{8,}/g, "AuthSession=<cookie>")
    .replace(/Expires=[^;]+/gi, "Expires=<date>")
    .replace(/boundary="?[^";\s]+"?/g, "boundary=<boundary>")
    .replace(/https?:\/\/[^/"\s]+/g, "<origin>");
}

export function normaliseJson(value: unknown, variables: Variables, name?: string): unknown {
  if (name !== undefined && volatile.has(name)) return "<n>";
  if (name !== undefined && sequences.has(name) && value !== null) return "<seq>";
  if (name === "bookmark") return "<bookmark>";
  if (typeof value === "string") return normaliseText(value, variables);
  if (Array.isArray(value)) return value.map((item) => normaliseJson(item, variables));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      normaliseText(key, variables),
      normaliseJson(member, variables, key),
    ]),
  );
}

export function normaliseHeaders(headers: Headers, variables: Variables): Record<string, string> {
  const result: Record<string, string> = {};
  for (const name of comparedHeaders) {
    const value = headers.get(name);
    if (value === null) continue;
    const opaque = name === "etag" && !/^"\d+-[0-9a-f]{32}"$/.test(value);
    result[name] = opaque ? "<etag>" : normaliseText(value, variables);
  }
  return result;
}

/** An answer that is not one JSON value: lines of JSON (a continuous feed), an event stream, multipart, anything. */
export function normaliseBody(text: string, variables: Variables): string {
  return normaliseText(
    text.replace(/^\{.*\}$/gm, (line) => normaliseLine(line, variables)),
    variables,
  );
}

export function normaliseEvents(text: string, variables: Variables): string {
  return text
    .replace(/^id: .*$/gm, "id: <seq>")
    .replace(/^data: (\{.*\})$/gm, (_line, json: string) => `data: ${normaliseLine(json, variables)}`);
}

/** Boundaries have to go before anything else: they look like ids. */
export function withoutBoundaries(text: string, contentType: string | null): string {
  let result = text;
  for (const [, boundary] of `${contentType}\n${text}`.matchAll(/boundary="?([^";\s]+)"?/g)) {
    if (boundary !== "<boundary>") result = result.replaceAll(boundary as string, "<boundary>");
  }
  return result;
}

/** Only the types of a JSON value; of an array those of its first item. */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (value === null) return null;
  if (typeof value !== "object") return `<${typeof value}>`;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shapeOf(member)]));
}

function normaliseLine(line: string, variables: Variables): string {
  try {
    return JSON.stringify(normaliseJson(JSON.parse(line), variables));
  } catch {
    return line;
  }
}
