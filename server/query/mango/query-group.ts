/** Design documents in the language `query`: their views are Mango's indexes, and answer as views too. */
import type { Database } from "../../documents/database.js";
import { type MemberText, membersOf } from "../../documents/json/members.js";
import { type IndexDefinition, signatureOf } from "../indexes/index-definition.js";
import { builtinReduce } from "../views/builtin-reduces.js";
import type { Reducer } from "../views/reducer.js";
import { type DesignBody, isPartitioned, type View, type ViewGroup } from "../views/view-group.js";
import { isObject, type Json } from "./body-members.js";
import { fieldMapper, type MappedFields } from "./field-mapper.js";
import { parseFieldPath } from "./field-path.js";
import type { JsonIndex } from "./mango-index.js";
import { parseSelector, selectorJson } from "./selector.js";
import type { SortField } from "./sort.js";

export interface QueryGroup extends ViewGroup {
  readonly mangoIndexes: readonly JsonIndex[];
}

/** A view as the design document has it. */
interface IndexView {
  readonly name: string;
  readonly fields: readonly SortField[];
  readonly partialFilter: Json | undefined;
  readonly mapped: MappedFields;
  /** The name of a built-in function; undefined: none. */
  readonly reduce: string | undefined;
  /** Equal texts have equal trees. */
  readonly treeText: string;
}

/** Views that are no indexes are left out, as CouchDB leaves them out. `body` is canonical JSON. */
export function queryGroup(database: Database, designDoc: string, body: Buffer): QueryGroup {
  const views = viewsIn(body).flatMap((member) => parseView(member) ?? []);
  const parsed = JSON.parse(body.toString()) as DesignBody;
  const partitioned = isPartitioned(database, parsed);
  const treeTexts = [...new Set(views.map(({ treeText }) => treeText))].sort();
  const ofTree = treeTexts.map((text) => views.filter(({ treeText }) => treeText === text));
  const reduces = ofTree.map((same) => [...new Set(same.flatMap(({ reduce }) => reduce ?? []))].sort());
  const trees = reduces.map((names) => ({
    collation: "icu" as const,
    byPartition: partitioned,
    reducers: names.map(reducerOf),
  }));
  const definition: IndexDefinition = {
    signature: signatureOf(["query", partitioned, treeTexts, reduces]),
    designDoc,
    includesDesign: false,
    trees,
    map: fieldMapper(
      database,
      ofTree.map(([first]) => (first as IndexView).mapped),
    ),
  };
  const treeOf = ({ treeText }: IndexView): number => treeTexts.indexOf(treeText);
  const asView = (view: IndexView): View => {
    const tree = treeOf(view);
    const which = view.reduce === undefined ? -1 : (reduces[tree] as string[]).indexOf(view.reduce);
    const reducer = trees[tree]?.reducers[which];
    return { tree, reduce: reducer && { which, reducer } };
  };
  return {
    language: "query",
    partitioned,
    autoupdate: parsed.autoupdate !== false,
    views: new Map(views.map((view) => [view.name, asView(view)])),
    definition,
    mangoIndexes: views.map((view) => {
      const { name, fields, partialFilter } = view;
      return { type: "json", designDoc, name, fields, partialFilter, partitioned, definition, tree: treeOf(view) };
    }),
  };
}

function viewsIn(body: Buffer): readonly MemberText[] {
  const views = textOf(membersOf(body), "views");
  return views ? membersOf(views) : [];
}

/** Undefined where it is no index. */
function parseView({ name, value }: MemberText): IndexView | undefined {
  const view = objectIn(value);
  const map = view && objectIn(textOf(view, "map"));
  const fieldTexts = map && objectIn(textOf(map, "fields"));
  if (!view || !fieldTexts || !objectIn(textOf(view, "options"))) return undefined;
  try {
    // What the filter of an index was called once.
    const filterText = textOf(map, "partial_filter_selector") ?? textOf(map, "selector");
    const filterJson: unknown = filterText ? JSON.parse(filterText.toString()) : {};
    const filter = parseSelector(filterJson);
    const partialFilter = isObject(filterJson) && Object.keys(filterJson).length > 0 ? filterJson : undefined;
    const fields = fieldTexts.map((field) => ({ name: field.name, direction: directionIn(field.value) }));
    const paths = fields.map((field) => parseFieldPath(field.name));
    return {
      name,
      fields,
      partialFilter,
      mapped: { paths, filter: partialFilter && filter },
      reduce: reduceIn(textOf(view, "reduce")),
      treeText: JSON.stringify([paths, partialFilter ? selectorJson(filter) : null]),
    };
  } catch {
    return undefined;
  }
}

function textOf(members: readonly MemberText[], name: string): Buffer | undefined {
  return members.find((member) => member.name === name)?.value;
}

function objectIn(text: Buffer | undefined): readonly MemberText[] | undefined {
  return text?.[0] === "{".charCodeAt(0) ? membersOf(text) : undefined;
}

function directionIn(text: Buffer): "asc" | "desc" {
  return text.toString() === '"desc"' ? "desc" : "asc";
}

/** Functions in another language do not run here. */
function reduceIn(text: Buffer | undefined): string | undefined {
  const source: unknown = text && JSON.parse(text.toString());
  return typeof source === "string" && "reducer" in builtinReduce(source) ? source : undefined;
}

function reducerOf(name: string): Reducer {
  return (builtinReduce(name) as { readonly reducer: Reducer }).reducer;
}
