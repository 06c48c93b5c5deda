/** Samples of views: which rows documents have in them, in the view's order, and what these reduce to. */
import type { Reducer } from "../../query/views/reducer.js";
import type { ViewRow } from "../../query/views/view-row.js";
import { isSame, type Outcome, shown, wrong } from "./outcome.js";
import type { ViewSample } from "./samples.js";
import type { Subject } from "./subject.js";
import { reducedValues, type SampleView, valueOf, viewOf } from "./view-rows.js";

type Json = Readonly<Record<string, unknown>>;

export async function tryView(
  subject: Subject,
  name: string,
  documents: readonly Json[],
  sample: ViewSample,
): Promise<readonly Outcome[]> {
  const view = await viewOf(subject, name, documents);
  const { told, reducer } = view;
  const outcomes: Outcome[] = view.failed.map((id) => ({
    title: `map of ${id}`,
    status: "wrong",
    details: ["the function failed, and a database would have no rows of this document"],
  }));
  if (sample.rows) {
    const expected = sample.rows.map((row, index) => ({ id: told[index]?.id, ...row }));
    outcomes.push(compared("rows", expected, told));
  }
  const isReduced = sample.reduced !== undefined || sample.groups !== undefined;
  if (reducer) outcomes.push(...(await tryReduce(view, reducer, sample)));
  else if (isReduced) outcomes.push(wrong("reduce", "a reduction", "no reduce function"));
  if (!sample.rows && !isReduced) outcomes.push({ title: "rows", status: "shown", details: told.map(shown) });
  return outcomes;
}

async function tryReduce(
  { rows, isOwnReduce, groups }: SampleView,
  reducer: Reducer,
  sample: ViewSample,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const [whole] = await reducedValues(reducer, rows.length === 0 ? [] : [rows]);
  if (sample.reduced !== undefined) outcomes.push(compared("reduced", sample.reduced, whole));
  if (sample.groups) {
    const each = groups();
    const values = await reducedValues(reducer, each);
    const told = each.map(([first], index) => ({ key: JSON.parse((first as ViewRow).key), value: values[index] }));
    outcomes.push(compared("groups", sample.groups, told));
  }
  if (!isOwnReduce || rows.length < 2) return outcomes;
  const inParts = await reducedInParts(reducer, rows);
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
  return valueOf(reducer, again);
}

function compared(title: string, expected: unknown, actual: unknown): Outcome {
  return isSame(expected, actual) ? { title, status: "right", details: [] } : wrong(title, expected, actual);
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
