/** `filter` of `_changes`. */
import { CouchError } from "../../protocol/errors.js";
import type { Database } from "../documents/database.js";
import {
  type ChangesFilter,
  functionFilter,
  type SelectorFilter,
  selectorFilter,
} from "../query/changes/changes-filter.js";
import type { Query } from "./query.js";
import { parseJsonParameter } from "./query.js";

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
  return selectorFilter(selector, fields);
}
