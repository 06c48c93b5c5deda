/** What is asked of a listing by id: `_all_docs` and its kin, `_all_dbs`, `_dbs_info`. */
import { CouchError } from "../../protocol/errors.js";
import type { ShowOptions } from "../documents/show-document.js";
import type { JsonBody } from "./json-body.js";
import { ListParameters } from "./list-parameters.js";
import type { Query } from "./query.js";

export interface ListQuery {
  /** Just these, in this order; they may be any JSON values. */
  readonly keys: readonly unknown[] | undefined;
  /** Ids in the order of their bytes: `from` inclusive, `to` exclusive; without bounds when undefined. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly descending: boolean;
  /** Infinity when there is none. */
  readonly limit: number;
  readonly skip: number;
  readonly updateSeq: boolean;
  /** How documents are shown; undefined: rows without them. */
  readonly show: ShowOptions | undefined;
  readonly partition: string | undefined;
}

/** CouchDB's, as far as a double can tell. */
export const highestLimit = 2 ** 59;

/** @throws CouchError query_parse_error, bad_request */
export function parseListQuery(query: Query, body?: JsonBody): ListQuery {
  const given = new ListParameters(query, body);
  checkViewParameters(given);
  const keys = given.list("keys");
  if (keys && given.has("key", "startkey", "start_key", "endkey", "end_key")) {
    throw new CouchError("query_parse_error", "`keys` is incompatible with `key`, `start_key` and `end_key`");
  }
  const descending = given.flag("descending") ?? false;
  const limit = given.count("limit");
  if (limit !== undefined && limit > highestLimit) {
    throw new CouchError("query_parse_error", "Limit is too large, must not exceed 576460752303423487");
  }
  const [conflicts, attachments, attEncodingInfo] = ["conflicts", "attachments", "att_encoding_info"].map(
    (name) => given.flag(name) ?? false,
  ) as [boolean, boolean, boolean];
  return {
    keys,
    ...bounds(given, descending),
    descending,
    limit: limit ?? Number.POSITIVE_INFINITY,
    skip: given.count("skip") ?? 0,
    updateSeq: given.flag("update_seq") ?? false,
    show: given.flag("include_docs") ? { conflicts, attachments, attEncodingInfo } : undefined,
    partition: given.text("partition"),
  };
}

/** What only views have: checked all the same, so that a mistake is told. */
function checkViewParameters(given: ListParameters): void {
  given.flag("sorted");
  given.word("stale", ["ok", "update_after"]);
  given.word("update", ["true", "false", "lazy"]);
  given.word("stable", ["true", "false"]);
  if (given.flag("reduce")) throw new CouchError("query_parse_error", "Reduce is invalid for map-only views.");
  if (given.flag("group") || given.count("group_level")) {
    throw new CouchError("query_parse_error", "Invalid use of grouping on a map view.");
  }
}

interface Bounds {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

function bounds(given: ListParameters, descending: boolean): Bounds {
  const byKey = given.has("key");
  const start = byKey ? key(given, "key") : boundary(given, "start");
  const end = byKey ? start : boundary(given, "end");
  const withEnd = byKey || (given.flag("inclusive_end") ?? true);
  if (descending) return { from: withEnd ? end : behind(end), to: behind(start) };
  return { from: start, to: withEnd ? behind(end) : end };
}

/** Without a key, the id that goes with it bounds the listing. */
function boundary(given: ListParameters, side: "start" | "end"): string | undefined {
  const names = [`${side}key`, `${side}_key`];
  return given.has(...names) ? key(given, ...names) : given.text(`${side}key_docid`, `${side}_key_doc_id`);
}

/** Every id is text, and in CouchDB's order of terms text comes after anything else that JSON has: such keys are before all ids. */
function key(given: ListParameters, ...names: readonly string[]): string {
  const value = given.json(...names);
  return typeof value === "string" ? value : "";
}

/** The first id after a key; "" stands before all. */
function behind(id: string | undefined): string | undefined {
  return id ? `${id}\0` : id;
}
