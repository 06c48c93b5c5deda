/** How results are sorted, and which fields an index has: CouchDB writes both alike. */
import { CouchError } from "../../../protocol/errors.js";
import { isObject } from "./body-members.js";
import { readableErlangTerm } from "./erlang-term.js";
import { parseFieldPath } from "./field-path.js";

export type Direction = "asc" | "desc";

export interface SortField {
  /** As it was written, with its escapes. */
  readonly name: string;
  readonly direction: Direction;
}

/** `["a", {"b": "asc"}]`. @throws CouchError invalid_sort_json, invalid_sort_field, unsupported_mixed_sort */
export function parseSort(json: unknown): readonly SortField[] {
  if (!Array.isArray(json)) {
    throw new CouchError("invalid_sort_json", `Sort must be an array of sort specs, not: ${readableErlangTerm(json)}`);
  }
  const fields = json.map(parseSortField);
  if (new Set(fields.map(({ direction }) => direction)).size > 1) {
    throw new CouchError("unsupported_mixed_sort", "Sorts currently only support a single direction for all fields.");
  }
  return fields;
}

/** `{"a": "asc"}`, as CouchDB explains it. */
export function sortJson(sort: readonly SortField[]): Record<string, Direction> {
  return Object.fromEntries(sort.map(({ name, direction }) => [name, direction]));
}

function parseSortField(json: unknown): SortField {
  const members: readonly [string, unknown][] = isObject(json) ? Object.entries(json) : [];
  const [name, direction] = typeof json === "string" ? [json, "asc"] : (members[0] ?? []);
  if (members.length > 1 || !isFieldName(name) || (direction !== "asc" && direction !== "desc")) {
    throw new CouchError("invalid_sort_field", `Invalid sort field: ${readableErlangTerm(json)}`);
  }
  return { name, direction };
}

function isFieldName(name: string | undefined): name is string {
  if (name === undefined) return false;
  try {
    parseFieldPath(name);
    return true;
  } catch {
    return false;
  }
}
