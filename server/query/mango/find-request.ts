/** The body of `_find` and `_explain`. */
import { CouchError } from "../../../protocol/errors.js";
import { checkPartition } from "../../documents/partitions.js";
import { type Json, memberReader, optional, readBoolean, readCount, readPositive, required } from "./body-members.js";
import { erlangTerm } from "./erlang-term.js";
import { type Fields, parseFields } from "./fields.js";
import { parseSelector, type Selector } from "./selector.js";
import { parseSort, type SortField } from "./sort.js";

export interface FindRequest {
  readonly selector: Selector;
  /** Nothing, a design document, or a design document and the name of one of its indexes. */
  readonly useIndex: readonly string[];
  /** Where an earlier answer ended. */
  readonly bookmark: string | undefined;
  readonly limit: number;
  readonly skip: number;
  readonly sort: readonly SortField[];
  /** Undefined: whole documents. */
  readonly fields: Fields | undefined;
  readonly partition: string | undefined;
  /** Copies of a document that are to be read: of more than one CouchDB keeps count elsewhere. */
  readonly copies: number;
  readonly conflicts: boolean;
  readonly stale: "ok" | false;
  /** False: the index answers as it is. */
  readonly update: boolean;
  readonly stable: boolean;
  readonly executionStats: boolean;
  /** False: refused where the index that is asked for does not fit. */
  readonly allowFallback: boolean;
}

const defaultLimit = 25;

const readMembers = memberReader({
  selector: required(parseSelector),
  use_index: optional<readonly string[]>([], parseUseIndex),
  bookmark: optional<string | undefined>(undefined, parseBookmarkMember),
  limit: optional(defaultLimit, readCount),
  skip: optional(0, readCount),
  sort: optional<readonly SortField[]>([], parseSort),
  fields: optional<Fields | undefined>(undefined, parseFields),
  partition: optional<string | undefined>(undefined, parsePartition),
  r: optional(1, readPositive),
  conflicts: optional(false, readBoolean),
  stale: optional<"ok" | false>(false, parseStale),
  update: optional(true, readBoolean),
  stable: optional(false, readBoolean),
  execution_stats: optional(false, readBoolean),
  allow_fallback: optional(true, readBoolean),
});

/** @throws CouchError in CouchDB's words, see `memberReader` and the parsers below */
export function parseFindRequest(body: Json): FindRequest {
  const given = readMembers(body);
  return {
    selector: given.selector,
    useIndex: given.use_index,
    bookmark: given.bookmark,
    limit: given.limit,
    skip: given.skip,
    sort: given.sort,
    fields: given.fields,
    partition: given.partition,
    copies: given.r,
    conflicts: given.conflicts,
    stale: given.stale,
    update: given.update,
    stable: given.stable,
    executionStats: given.execution_stats,
    allowFallback: given.allow_fallback,
  };
}

/** `"ddoc"`, `"_design/ddoc"`, `"ddoc/name"`, `["ddoc"]`, `["ddoc", "name"]`. @throws CouchError invalid_index_name */
export function parseUseIndex(json: unknown): readonly string[] {
  if (json === null) return [];
  const parts = typeof json === "string" ? partsOf(json) : json;
  if (Array.isArray(parts) && parts.length <= 2 && parts.every((part) => typeof part === "string")) return parts;
  throw new CouchError("invalid_index_name", `Invalid index name: ${erlangTerm(json)}`);
}

function partsOf(name: string): readonly string[] {
  const parts = name.split("/");
  return parts[0] === "_design" && parts.length > 1 ? parts.slice(1) : parts;
}

function parseBookmarkMember(json: unknown): string | undefined {
  if (json === null || json === "") return undefined;
  if (typeof json === "string") return json;
  throw new CouchError("invalid_bookmark", `Invalid bookmark value: ${JSON.stringify(json)}`);
}

function parsePartition(json: unknown): string | undefined {
  if (json === "") return undefined;
  if (typeof json !== "string") throw new CouchError("illegal_partition", "Partition must be a string");
  checkPartition(json);
  return json;
}

function parseStale(json: unknown): "ok" | false {
  if (json === "ok") return json;
  if (json === false || json === "false") return false;
  throw new CouchError("bad_request", '`stale` must be "ok" or false.');
}
