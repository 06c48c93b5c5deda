/** Which changes the reader of a feed wants: `filter` of `_changes`. */
import { CouchError } from "../../protocol/errors.js";
import { isDesignDocId } from "../../protocol/ids.js";
import type { Database } from "../documents/database.js";
import { pickMember } from "../documents/json/json-text.js";
import { pickWinner } from "../documents/show-document.js";
import { type Fields, parseFields } from "../query/mango/fields.js";
import { compileSelector, type Matcher } from "../query/mango/match.js";
import { parseSelector } from "../query/mango/selector.js";
import type { Query } from "./query.js";
import { parseJsonParameter } from "./query.js";

export type ChangesFilter = IdFilter | SelectorFilter;

/** Goes by ids alone: what it wants is found without reading what it does not want. */
export type IdFilter = { readonly kind: "ids"; readonly ids: ReadonlySet<string> } | { readonly kind: "design" };

/** Looks into documents. */
export interface SelectorFilter {
  readonly kind: "selector";
  readonly matches: Matcher;
  /** What of the documents is shown, where they are; undefined: all. */
  readonly fields: Fields | undefined;
}

/** Body of a POST; undefined for a GET. */
type Body = Readonly<Record<string, unknown>> | undefined;

/** @throws CouchError bad_request, not_found, not_implemented */
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
      checkDesignMember(database, "views", view, "`view` must be of the form `designname/viewname`");
      throw notServed("views");
    }
    default:
      if (name.startsWith("_")) throw new CouchError("bad_request", "unknown builtin filter name");
      checkDesignMember(database, "filters", name, "`filter` must be of the form `designname/filtername`");
      throw notServed("filter functions");
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
function checkDesignMember(database: Database, member: "filters" | "views", path: string, form: string): void {
  const [design, name, more] = path.split("/");
  if (!design || !name || more !== undefined) throw new CouchError("bad_request", form);
  const { value } = pickWinner(database, database.find(`_design/${design}`));
  const functions = pickMember(value.body, member);
  if (typeof functions !== "object" || functions === null) {
    throw new CouchError("not_found", `missing json key: ${member}`);
  }
  if (!Object.hasOwn(functions, name)) throw new CouchError("not_found", `missing json key: ${name}`);
}

function notServed(what: string): CouchError {
  return new CouchError("not_implemented", `Changes cannot be filtered by ${what} here yet.`);
}
