/** What a query can go by: the indexes that a database's design documents define, and the one that is always there. */
import { compareUtf8 } from "../collation.js";
import type { IndexDefinition } from "../indexes/index-definition.js";
import type { Json } from "./body-members.js";
import type { SortField } from "./sort.js";

/** Documents that have all of some fields, ordered by these. */
export interface JsonIndex {
  readonly type: "json";
  /** With `_design/`. */
  readonly designDoc: string;
  readonly name: string;
  /** Their directions say nothing: an index is read either way. */
  readonly fields: readonly SortField[];
  /** The selector that documents must satisfy to be in the index, as the design document has it; undefined: all are. */
  readonly partialFilter: Json | undefined;
  /** It answers queries of one partition, and no others. */
  readonly partitioned: boolean;
  /** The index of all views of its design document. */
  readonly definition: IndexDefinition;
  /** Which of the trees of `definition` is this one's. */
  readonly tree: number;
}

/** All documents by id. */
export interface SpecialIndex {
  readonly type: "special";
}

export type MangoIndex = JsonIndex | SpecialIndex;

export const allDocuments: SpecialIndex = { type: "special" };

export function columnsOf(index: MangoIndex): readonly string[] {
  return index.type === "special" ? ["_id"] : index.fields.map(({ name }) => name);
}

/** By design document and name; that of all documents first. */
export function compareIndexes(a: MangoIndex, b: MangoIndex): number {
  if (a.type === "special" || b.type === "special") return Number(b.type === "special") - Number(a.type === "special");
  return compareUtf8(a.designDoc, b.designDoc) || compareUtf8(a.name, b.name);
}

/** As `_index` lists it and `_explain` names it. */
export function indexJson(index: MangoIndex): Json {
  if (index.type === "special") {
    return { ddoc: null, name: "_all_docs", type: "special", def: { fields: [{ _id: "asc" }] } };
  }
  const { designDoc, name, fields, partialFilter, partitioned } = index;
  return {
    ddoc: designDoc,
    name,
    type: "json",
    partitioned,
    def: {
      fields: fields.map((field) => Object.fromEntries([[field.name, field.direction]])),
      ...(partialFilter ? { partial_filter_selector: partialFilter } : {}),
    },
  };
}
