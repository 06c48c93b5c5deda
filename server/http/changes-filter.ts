/** Which changes the reader of a feed wants: `filter` of `_changes`. */
import { CouchError } from "../../protocol/errors.js";
import { isDesignDocId } from "../../protocol/ids.js";
import { pickMember } from "../documents/json/json-text.js";
import type { Database } from "../documents/database.js";
import { pickWinner } from "../documents/show-document.js";
import type { Query } from "./query.js";
import { parseJsonParameter } from "./query.js";

/** Filters that go by ids alone. What they want is found without reading what they do not want. */
export type ChangesFilter = { readonly kind: "ids"; readonly ids: ReadonlySet<string> } | { readonly kind: "design" };

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
      checkSelector(body);
      throw notServed("selectors");
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

export function wants(filter: ChangesFilter, id: string): boolean {
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

function checkSelector(body: Body): void {
  if (!body) throw new CouchError("bad_request", "Selector must be specified in POST payload");
  const { selector } = body;
  if (typeof selector !== "object" || selector === null || Array.isArray(selector)) {
    throw new CouchError("bad_request", "Selector error: expected a JSON object");
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
