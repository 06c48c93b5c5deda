/** Samples of views: which rows documents have in them, in the view's order, and what these reduce to. */
import { type Collation, compareJson, compareUtf8 } from "../../query/collation.js";
import { builtinReduce, isBuiltinReduce } from "../../query/views/builtin-reduces.js";
import { sandboxReduce } from "../../query/views/design-functions.js";
import { finished, type Reducer, type Reduction, reducerOf } from "../../query/views/reducer.js";
import { Rows, type RowText } from "../../query/views/rows.js";
import type { ViewRow } from "../../query/views/view-row.js";
import { isSame, type Outcome, shown, wrong } from "./outcome.js";
import type { ViewSample } from "./samples.js";
import { databaseOf, functionOf, type Subject, stored } from "./subject.js";

type Json = Readonly<Record<string, unknown>>;

interface ViewBody {
  readonly reduce?: string;
  readonly options?: { readonly collation?: string };
}

export async function tryView(
  subject: Subject,
  name: string,
  documents: readonly Json[],
  sample: ViewSample,
): Promise<readonly Outcome[]> {
  const { reduce, options } = (subject.document["views"] as Record<string, ViewBody>)[name] ?? {};
  const collation = options?.collation === "raw" ? "raw" : "icu";
  const { rows, failed } = await mapped(subject, name, documents, collation);
  const outcomes: Outcome[] = failed.map((id) => ({
    title: `map of ${id}`,
    status: "wrong",
    details: ["the function failed, and a database would have no rows of this document"],
  }));
  const told = rows.map(({ id, key, value }) => ({ id, key: JSON.parse(key), value: JSON.parse(value) }));
  if (sample.rows) {
    const expected = sample.rows.map((row, index) => ({ id: told[index]?.id, ...row }));
    outcomes.push(...compared("rows", expected, told));
  }
  const isExpected = sample.reduced !== undefined || sample.groups !== undefined;
  if (reduce === undefined && isExpected) {
    outcomes.push(wrong("reduce", "a reduction", "no reduce function"));
  } else if (reduce !== undefined) {
    const view = Rows.encode(rows).slice(0, rows.length);
    outcomes.push(...(await tryReduce(reducerFor(subject, name, reduce), view, sample, collation)));
  }
  if (!sample.rows && !isExpected) outcomes.push({ title: "rows", status: "shown", details: told.map(shown) });
  return outcomes;
}

async function mapped(subject: Subject, name: string, documents: readonly Json[], collation: Collation) {
  const { document, shareKey, sandbox } = subject;
  const { include_design: includesDesign, local_seq: localSeq } = (document["options"] ?? {}) as Json;
  const shownToMap = documents
    .map((each, index) => stored(localSeq === true ? { ...each, _local_seq: index + 1 } : each, index))
    .filter(({ _id, ...rest }) => (rest as Json)["_deleted"] !== true)
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
  const rows: RowText[] = [];
  const failed: string[] = [];
  shownToMap.forEach(({ _id: id }, index) => {
    const ofDocument = emitted[index]?.[0];
    if (!ofDocument) failed.push(id);
    for (const [key, value] of ofDocument ?? []) rows.push({ id, key, value, parsedKey: JSON.parse(key) });
  });
  rows.sort((a, b) => compareJson(a.parsedKey, b.parsedKey, collation) || compareUtf8(a.id, b.id));
  return { rows, failed };
}

function reducerFor(subject: Subject, name: string, source: string): Reducer & { readonly isBuiltin: boolean } {
  if (isBuiltinReduce(source)) {
    const builtin = builtinReduce(source);
    if ("reducer" in builtin) return { ...builtin.reducer, isBuiltin: true };
  }
  const { document, sandbox, shareKey } = subject;
  const context = {
    database: { name: databaseOf("ada") },
    designDoc: document._id,
    sandbox,
    shareKeyOf: () => shareKey,
    library: undefined,
  };
  return {
    ...reducerOf(sandboxReduce(functionOf(subject, "views", name, "reduce")?.source ?? "", context)),
    isBuiltin: false,
  };
}

async function tryReduce(
  reducer: Reducer & { readonly isBuiltin: boolean },
  rows: readonly ViewRow[],
  sample: ViewSample,
  collation: Collation,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const all = rows.length === 0 ? [] : await reducer.reduce([rows]);
  const whole = all.length === 0 ? undefined : toldOf(reducer, all[0] as Reduction);
  if (sample.reduced !== undefined) outcomes.push(...compared("reduced", sample.reduced, whole));
  if (sample.groups) {
    const groups = groupsOf(rows, collation);
    const reduced = groups.length === 0 ? [] : await reducer.reduce(groups);
    const told = groups.map((group, index) => ({
      key: JSON.parse((group[0] as ViewRow).key) as unknown,
      value: toldOf(reducer, reduced[index] as Reduction),
    }));
    outcomes.push(...compared("groups", sample.groups, told));
  }
  const inParts = reducer.isBuiltin || rows.length < 2 ? whole : await reducedInParts(reducer, rows);
  if (!isNearly(whole, inParts)) {
    outcomes.push({
      title: "rereduce",
      status: "wrong",
      details: [
        `all rows at once ${shown(whole)}`,
        `in two parts     ${shown(inParts)}`,
        "A database keeps reductions of parts: the function must give the same for both.",
      ],
    });
  }
  return outcomes;
}

async function reducedInParts(reducer: Reducer, rows: readonly ViewRow[]): Promise<unknown> {
  const middle = rows.length >> 1;
  const parts = await reducer.reduce([rows.slice(0, middle), rows.slice(middle)]);
  const [again] = await reducer.rereduce([parts]);
  return toldOf(reducer, again as Reduction);
}

/** The value that a client would get, or what it would be told instead. */
function toldOf(reducer: Reducer, reduction: Reduction): unknown {
  const outcome = finished(reducer, reduction);
  return "value" in outcome ? (JSON.parse(outcome.value) as unknown) : outcome;
}

/** Rows with equal keys, as `group=true` has them. */
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

function compared(title: string, expected: unknown, actual: unknown): readonly Outcome[] {
  if (isSame(expected, actual)) return [{ title, status: "right", details: [] }];
  return [wrong(title, expected, actual)];
}

/** Sums of other orders differ in their last digits. */
function isNearly(a: unknown, b: unknown): boolean {
  if (typeof a === "number" && typeof b === "number") {
    return Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b));
  }
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => isNearly((a as Json)[name], (b as Json)[name]));
}
