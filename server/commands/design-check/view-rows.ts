/** The rows that documents have in a view, and what these reduce to. */
import { type Collation, compareJson, compareUtf8 } from "../../query/collation.js";
import { builtinReduce, isBuiltinReduce } from "../../query/views/builtin-reduces.js";
import { sandboxReduce } from "../../query/views/design-functions.js";
import { finished, type Reducer, type Reduction, reducerOf } from "../../query/views/reducer.js";
import { Rows, type RowText } from "../../query/views/rows.js";
import type { ViewRow } from "../../query/views/view-row.js";
import { databaseOf, functionOf, type Subject, stored } from "./subject.js";

type Json = Readonly<Record<string, unknown>>;

interface ViewBody {
  readonly reduce?: string;
  readonly options?: { readonly collation?: string };
}

export interface ToldRow {
  readonly id: string;
  readonly key: unknown;
  readonly value: unknown;
}

export interface SampleView {
  /** In the view's order. */
  readonly rows: readonly ViewRow[];
  /** The same, as clients are told of them. */
  readonly told: readonly ToldRow[];
  /** Documents on which the map function failed. */
  readonly failed: readonly string[];
  readonly reducer: Reducer | undefined;
  /** The reduce function is the author's own. */
  readonly isOwnReduce: boolean;
  /** Rows with equal keys, as `group=true` has them. */
  groups(): readonly (readonly ViewRow[])[];
}

/** @throws CouchError when the map function had to be ended on several documents */
export async function viewOf(subject: Subject, name: string, documents: readonly Json[]): Promise<SampleView> {
  const { reduce, options } = (subject.document["views"] as Record<string, ViewBody>)[name] ?? {};
  const collation = options?.collation === "raw" ? "raw" : "icu";
  const { texts, failed } = await mapped(subject, name, documents, collation);
  const rows = Rows.encode(texts).slice(0, texts.length);
  return {
    rows,
    told: rows.map(({ id, key, value }) => ({ id, key: JSON.parse(key), value: JSON.parse(value) })),
    failed,
    reducer: reduce === undefined ? undefined : reducerFor(subject, name, reduce),
    isOwnReduce: reduce !== undefined && !isBuiltinReduce(reduce),
    groups: () => groupsOf(rows, collation),
  };
}

/** The value that a client would get, or what it would be told instead. */
export function valueOf(reducer: Reducer, reduction: Reduction | undefined): unknown {
  if (reduction === undefined) return undefined;
  const outcome = finished(reducer, reduction);
  return "value" in outcome ? (JSON.parse(outcome.value) as unknown) : outcome;
}

/** One value for each group. */
export async function reducedValues(
  reducer: Reducer,
  groups: readonly (readonly ViewRow[])[],
): Promise<readonly unknown[]> {
  const reductions = groups.length === 0 ? [] : await reducer.reduce(groups);
  return reductions.map((reduction) => valueOf(reducer, reduction));
}

async function mapped(subject: Subject, name: string, documents: readonly Json[], collation: Collation) {
  const { document, shareKey, sandbox } = subject;
  const { include_design: includesDesign, local_seq: localSeq } = (document["options"] ?? {}) as Json;
  const shownToMap = documents
    .map((each, index) => stored(localSeq === true ? { ...each, _local_seq: index + 1 } : each, index))
    .filter((each) => each["_deleted"] !== true)
    .filter(({ _id }) => includesDesign === true || !_id.startsWith("_design/"));
  const emitted = await sandbox.map({
    database: databaseOf("ada"),
    map: {
      designDoc: document._id,
      sources: [functionOf(subject, "views", name, "map")?.source ?? ""],
      shareKey,
      modules: JSON.stringify({ views: { lib: (document["views"] as Json)["lib"] } }),
    },
    documents: shownToMap.map((each) => JSON.stringify(each)),
  });
  const texts: RowText[] = [];
  const failed: string[] = [];
  shownToMap.forEach(({ _id: id }, index) => {
    const ofDocument = emitted[index]?.[0];
    if (!ofDocument) failed.push(id);
    for (const [key, value] of ofDocument ?? []) texts.push({ id, key, value, parsedKey: JSON.parse(key) });
  });
  texts.sort((a, b) => compareJson(a.parsedKey, b.parsedKey, collation) || compareUtf8(a.id, b.id));
  return { texts, failed };
}

function reducerFor(subject: Subject, name: string, source: string): Reducer {
  const builtin = isBuiltinReduce(source) ? builtinReduce(source) : undefined;
  if (builtin && "reducer" in builtin) return builtin.reducer;
  const { document, sandbox, shareKey } = subject;
  const database = { name: databaseOf("ada") };
  const context = { database, designDoc: document._id, sandbox, shareKeyOf: () => shareKey, library: undefined };
  return reducerOf(sandboxReduce(functionOf(subject, "views", name, "reduce")?.source ?? "", context));
}

function groupsOf(rows: readonly ViewRow[], collation: Collation): readonly (readonly ViewRow[])[] {
  const groups: ViewRow[][] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    const isSameKey = last && compareJson(JSON.parse((last[0] as ViewRow).key), JSON.parse(row.key), collation) === 0;
    if (isSameKey) last.push(row);
    else groups.push([row]);
  }
  return groups;
}
