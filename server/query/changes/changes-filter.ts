/** Which changes the reader of a feed wants. */
import { CouchError } from "../../../protocol/errors.js";
import { isDesignDocId } from "../../../protocol/ids.js";
import type { Database, StoredDocument } from "../../documents/database.js";
import type { FunctionSource } from "../../sandbox/sandbox.js";
import { findDesignDocument, findFunction } from "../design-function.js";
import { type Fields, parseFields } from "../mango/fields.js";
import { compileSelector, type Matcher } from "../mango/match.js";
import { parseSelector } from "../mango/selector.js";

export type ChangesFilter = IdFilter | SelectorFilter | FunctionFilter;

/** Goes by ids alone: what it wants is found without reading what it does not want. */
export type IdFilter = { readonly kind: "ids"; readonly ids: ReadonlySet<string> } | { readonly kind: "design" };

/** Looks into documents. */
export interface SelectorFilter {
  readonly kind: "selector";
  readonly matches: Matcher;
  /** What of the documents is shown, where they are; undefined: all. */
  readonly fields: Fields | undefined;
}

/** A function of a design document looks into documents. */
export interface FunctionFilter {
  readonly kind: "function";
  readonly filter: FunctionSource;
  /** It is the map function of a view: what it emits for is wanted. */
  readonly byView: boolean;
}

/** What a filter found in a change. */
export interface Wanted {
  readonly document: StoredDocument;
  /** With `style=all_docs`, of a document with several leaves: those that the filter wants, best first. */
  readonly leaves: readonly number[] | undefined;
}

export function goesByIds(filter: ChangesFilter | undefined): filter is IdFilter {
  return filter?.kind === "ids" || filter?.kind === "design";
}

export function wantsId(filter: IdFilter, id: string): boolean {
  return filter.kind === "design" ? isDesignDocId(id) : filter.ids.has(id);
}

/** @throws CouchError bad_request */
export function selectorFilter(selector: unknown, fields?: unknown): SelectorFilter {
  if (typeof selector !== "object" || selector === null || Array.isArray(selector)) {
    throw new CouchError("bad_request", "Selector error: expected a JSON object");
  }
  if (fields !== undefined && !Array.isArray(fields)) {
    throw new CouchError("bad_request", "Selector error: fields must be JSON array");
  }
  try {
    return { kind: "selector", matches: compileSelector(parseSelector(selector)), fields: parseFields(fields) };
  } catch (error) {
    // Feeds have one word for all that `_find` tells apart.
    if (error instanceof CouchError) throw new CouchError("bad_request", error.reason, { cause: error });
    throw error;
  }
}

/** @throws CouchError bad_request, not_found when the design document has no such function */
export function functionFilter(
  database: Database,
  member: "filters" | "views",
  path: string,
  form: string,
): FunctionFilter {
  const [design, name, more] = path.split("/");
  if (!design || !name || more !== undefined) throw new CouchError("bad_request", form);
  const filter = findFunction(findDesignDocument(database, design), member, name);
  return { kind: "function", filter, byView: member === "views" };
}
