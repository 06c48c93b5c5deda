/** The body of `_index`: an index that is wanted, and what stands for it in a design document. */
import { createHash } from "node:crypto";
import { CouchError } from "../../../protocol/errors.js";
import {
  isObject,
  type Json,
  memberReader,
  optional,
  readBoolean,
  readPositive,
  readText,
  required,
} from "./body-members.js";
import { erlangTerm } from "./erlang-term.js";
import { parseSelector, type Selector, selectorJson } from "./selector.js";
import { parseSort, type SortField } from "./sort.js";

export interface IndexRequest {
  /** With `_design/`. */
  readonly designDoc: string;
  readonly name: string;
  /** JSON text of the view that stands for it. */
  readonly view: string;
  /** Undefined: as the database is. */
  readonly partitioned: boolean | undefined;
}

const readMembers = memberReader({
  index: required((json) => json),
  type: optional("json", readText),
  name: optional<string | undefined>(undefined, readName),
  ddoc: optional<string | undefined>(undefined, readName),
  w: optional(2, readPositive),
  partitioned: optional<boolean | undefined>(undefined, readBoolean),
});

const readDefinition = memberReader({
  fields: required(parseSort),
  partial_filter_selector: optional<Selector>({ kind: "everything" }, parseSelector),
});

/** @throws CouchError in CouchDB's words */
export function parseIndexRequest(body: Json): IndexRequest {
  const { index, type, name, ddoc, partitioned } = readMembers(body);
  checkType(type);
  const view = viewOf(index);
  const generated = createHash("sha1")
    .update(JSON.stringify([index, type, name, ddoc, partitioned]))
    .digest("hex");
  return { designDoc: withPrefix(ddoc ?? generated), name: name ?? generated, view, partitioned };
}

export function withPrefix(designDoc: string): string {
  return designDoc.startsWith("_design/") ? designDoc : `_design/${designDoc}`;
}

function readName(json: unknown): string {
  const name = readText(json);
  if (name === "") throw new CouchError("invalid_empty_string", "Index name or ddoc cannot be empty string");
  return name;
}

/** Text search is an index of another kind, which is not there: CouchDB without its search service says the same. */
function checkType(type: string): void {
  if (type === "json") return;
  if (type === "text" || type === "nouveau") throw new CouchError("required index service unavailable", type);
  throw new CouchError("invalid_index", `Invalid type for index: ${type}`);
}

/** The texts are put together by hand: the order of fields counts, and objects would move names that look like numbers. */
function viewOf(index: unknown): string {
  if (!isObject(index)) {
    throw new CouchError("invalid_index", `JSON indexes must be an object, not: ${erlangTerm(index)}`);
  }
  const { fields, partial_filter_selector: filter } = readDefinition(index);
  const map = `{"fields":${fieldsText(fields)},"partial_filter_selector":${JSON.stringify(selectorJson(filter))}}`;
  return `{"map":${map},"reduce":"_count","options":{"def":${JSON.stringify(index)}}}`;
}

function fieldsText(fields: readonly SortField[]): string {
  return `{${fields.map(({ name, direction }) => `${JSON.stringify(name)}:"${direction}"`).join(",")}}`;
}
