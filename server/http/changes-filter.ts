/** Which changes the reader of a feed wants: `filter` of `_changes`. */
import { CouchError } from "../../protocol/errors.js";
import { isDesignDocId } from "../../protocol/ids.js";
import type { Database } from "../documents/database.js";
import { type Fields, parseFields } from "../query/mango/fields.js";
import { compileSelector, type Matcher } from "../query/mango/match.js";
import { parseSelector } from "../query/mango/selector.js";
import type { FunctionSource } from "../sandbox/sandbox.js";
import { findDesignDocument, findFunction } from "./design-function.js";
import type { Query } from "./query.js";
import { parseJsonParameter } from "./query.js";

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

/** Body of a POST; undefined for a GET. */
type Body = Readonly<Record<string, unknown>> | undefined;

/** @throws CouchError bad_request, not_found */
export function parseFilter(query: Query, body: Body, database: Database): ChangesFilter | undefined {
  const name = query.get("filter");
  switch (name) {
    case undefined:
    case "":
      return undefined;
    case "_doc_ids":
      return { kind: "ids", ids: parseDocIds(query, body) };
    case "_design":
      return { kind: "design" };
    case "_selector":
      return parseSelectorFilter(body);
    case "_view": {
      const view = query.get("view");
      if (view === undefined) throw new CouchError("bad_request", "`view` filter parameter is not provided.");
      return functionFilter(database, "views", view, "`view` must be of the form `designname/viewname`");
    }
    default:
      if (name.startsWith("_")) throw new CouchError("bad_request", "unknown builtin filter name");
      return functionFilter(database, "filters", name, "`filter` must be of the form `designname/filtername`");
  }
}

export function goesByIds(filter: ChangesFilter | undefined): filter is IdFilter {
  return filter?.kind === "ids" || filter?.kind === "design";
}

export function wantsId(filter: IdFilter, id: string): boolean {
  return filter.kind === "design" ? isDesignDocId(id) : filter.ids.has(id);
}

function parseDocIds(query: Query, body: Body): ReadonlySet<string> {
  const text = query.get("doc_ids");
  const ids = body ? body["doc_ids"] : text === undefined ? undefined : parseJsonParameter(text);
  if (!Array.isArray(ids) || ids.some((id) => typeof id !== "string")) {
    throw new CouchError("bad_request", "`doc_ids` filter parameter is not a list of doc ids.");
  }
  return new Set(ids as string[]);
}

function parseSelectorFilter(body: Body): SelectorFilter {
  if (!body) throw new CouchError("bad_request", "Selector must be specified in POST payload");
  const { selector, fields } = body;
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
function functionFilter(database: Database, member: "filters" | "views", path: string, form: string): FunctionFilter {
  const [design, name, more] = path.split("/");
  if (!design || !name || more !== undefined) throw new CouchError("bad_request", form);
  const filter = findFunction(findDesignDocument(database, design), member, name);
  return { kind: "function", filter, byView: member === "views" };
}
