/** What is asked of a view, in the query string, in a JSON body, or in both. */
import { CouchError } from "../../protocol/errors.js";
import type { ViewQuery } from "../../protocol/view-query.js";
import type { ShowOptions } from "../documents/show-document.js";
import type { View, ViewGroup } from "../query/views/view-group.js";
import type { JsonBody } from "./json-body.js";
import { ListParameters } from "./list-parameters.js";
import { highestLimit } from "./list-query.js";
import type { Query } from "./query.js";

export interface ViewRequest {
  readonly query: ViewQuery;
  /** Reduced rows are asked for. */
  readonly isReduced: boolean;
  /** How documents are shown; undefined: rows without them. */
  readonly show: ShowOptions | undefined;
  /** The sequence that the index has come to is told. */
  readonly updateSeq: boolean;
  /** "true": the answer waits until the index is up to date; "lazy": the index is brought up to date afterwards. */
  readonly update: "true" | "false" | "lazy";
}

/** Of the view that is asked. */
export interface ViewFacts {
  readonly group: Pick<ViewGroup, "partitioned">;
  readonly view: Pick<View, "reduce">;
  /** The one that the path names. */
  readonly partition?: string | undefined;
}

/** @throws CouchError query_parse_error, bad_request */
export function parseViewRequest(facts: ViewFacts, query: Query, body?: JsonBody): ViewRequest {
  const given = new ListParameters(query, body);
  const partition = partitionFor(facts, given);
  const { isReduced, grouping } = parseGrouping(given, facts.view);
  const limit = given.count("limit");
  if (limit !== undefined && limit > highestLimit) {
    throw new CouchError("query_parse_error", "Limit is too large, must not exceed 576460752303423487");
  }
  const show = parseShow(given);
  if (show && isReduced) throw new CouchError("query_parse_error", "`include_docs` is invalid for reduce");
  given.flag("sorted");
  return {
    query: { ...parseKeys(given), ...grouping, limit, skip: given.count("skip"), partition },
    isReduced,
    show,
    updateSeq: given.flag("update_seq") ?? false,
    update: parseUpdate(given),
  };
}

/** @throws CouchError query_parse_error */
function partitionFor({ group, partition: named }: ViewFacts, given: ListParameters): string | undefined {
  const partition = named ?? given.text("partition");
  if (group.partitioned && partition === undefined) {
    throw new CouchError("query_parse_error", "`partition` parameter is mandatory for queries to this view.");
  }
  if (!group.partitioned && partition !== undefined) {
    throw new CouchError("query_parse_error", "`partition` parameter is not supported in this design doc");
  }
  return partition;
}

function parseKeys(given: ListParameters): ViewQuery {
  const inclusiveEnd = given.flag("inclusive_end");
  return {
    keys: parseKeyList(given),
    key: given.canonical("key"),
    startKey: given.canonical("startkey", "start_key"),
    endKey: given.canonical("endkey", "end_key"),
    startKeyDocId: given.text("startkey_docid", "start_key_doc_id"),
    endKeyDocId: given.text("endkey_docid", "end_key_doc_id"),
    inclusiveEnd,
    descending: given.flag("descending"),
  };
}

function parseKeyList(given: ListParameters): readonly string[] | undefined {
  if (!given.has("keys")) return undefined;
  const keys = given.canonicalElements("keys");
  if (keys) return keys;
  throw given.isInQuery("keys")
    ? new CouchError("query_parse_error", "`keys` must be an array of strings.")
    : new CouchError("bad_request", "`keys` member must be an array.");
}

function parseGrouping(
  given: ListParameters,
  view: Pick<View, "reduce">,
): { readonly isReduced: boolean; readonly grouping: Pick<ViewQuery, "group" | "groupLevel"> } {
  const [reduce, group, groupLevel] = [given.flag("reduce"), given.flag("group"), given.count("group_level")];
  if (reduce && !view.reduce) throw new CouchError("query_parse_error", "Reduce is invalid for map-only views.");
  const isReduced = view.reduce !== undefined && reduce !== false;
  if (!isReduced && (group || groupLevel)) {
    throw new CouchError("query_parse_error", "Invalid use of grouping on a map view.");
  }
  if (group === false && groupLevel) {
    throw new CouchError("query_parse_error", "Can't specify group=false and group_level>0 at the same time");
  }
  return { isReduced, grouping: { group, groupLevel } };
}

function parseShow(given: ListParameters): ShowOptions | undefined {
  const [conflicts, attachments, attEncodingInfo] = ["conflicts", "attachments", "att_encoding_info"].map(
    (name) => given.flag(name) ?? false,
  ) as [boolean, boolean, boolean];
  return given.flag("include_docs") ? { conflicts, attachments, attEncodingInfo } : undefined;
}

/** `stale` is what CouchDB before 2.0 called it. `stable` is about copies of a shard, of which there is one. */
function parseUpdate(given: ListParameters): ViewRequest["update"] {
  given.word("stable", ["true", "false"]);
  const stale = given.word("stale", ["ok", "update_after"]);
  const update = given.word("update", ["true", "false", "lazy"]);
  if (update !== undefined) return update;
  return stale === undefined ? "true" : stale === "ok" ? "false" : "lazy";
}
