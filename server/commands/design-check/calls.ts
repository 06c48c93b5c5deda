/** Samples of functions that are asked with a request: filters, shows, updates, lists, rewrites. */
import { text } from "node:stream/consumers";
import { CouchError } from "../../../protocol/errors.js";
import type { FunctionSource } from "../../sandbox/sandbox.js";
import { holds, isSame, type Outcome, shown, wrong } from "./outcome.js";
import type { FilterSample, ListSample, RewriteSample, ShowSample, UpdateSample } from "./samples.js";
import { databaseOf, functionOf, requestFor, type Subject, stored } from "./subject.js";
import { reducedValues, viewOf } from "./view-rows.js";

type Json = Readonly<Record<string, unknown>>;

export async function tryFilter(
  subject: Subject,
  name: string,
  documents: readonly Json[],
  samples: readonly FilterSample[],
): Promise<readonly Outcome[]> {
  const all = documents.map(stored);
  const filter = functionOf(subject, "filters", name) as FunctionSource;
  return await each(samples, async (sample) => {
    const passes = await subject.sandbox.filter({
      database: databaseOf(sample.user),
      filter,
      req: requestFor(sample, ["_changes"]),
      documents: all.map((document) => JSON.stringify(document)),
    });
    return all.filter((_, index) => passes[index]).map(({ _id }) => _id);
  });
}

export async function tryShow(
  subject: Subject,
  name: string,
  samples: readonly ShowSample[],
): Promise<readonly Outcome[]> {
  return await each(samples, (sample) => subject.sandbox.show(question(subject, "shows", name, sample)));
}

export async function tryUpdate(
  subject: Subject,
  name: string,
  samples: readonly UpdateSample[],
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const sample of samples) {
    const title = titleOf(sample);
    let stores: unknown;
    const [answered] = await each([sample], async () => {
      const { doc, response } = await subject.sandbox.update(question(subject, "updates", name, sample));
      stores = doc === null ? null : JSON.parse(doc);
      return response;
    });
    if (answered) outcomes.push(answered);
    if (sample.stores === undefined) outcomes.push({ title, status: "shown", details: [`stores ${shown(stores)}`] });
    else if (isSame(sample.stores, stores)) outcomes.push({ title: `${title}: stores`, status: "right", details: [] });
    else outcomes.push(wrong(`${title}: stores`, sample.stores, stores));
  }
  return outcomes;
}

export async function tryList(
  subject: Subject,
  name: string,
  documents: readonly Json[],
  samples: readonly ListSample[],
): Promise<readonly Outcome[]> {
  return await each(samples, async (sample) => {
    const { head, rows } = await listed(subject, documents, sample);
    const { start, body } = await subject.sandbox.list({
      database: databaseOf(sample.user),
      function: functionOf(subject, "lists", name) as FunctionSource,
      head: JSON.stringify(head),
      req: requestFor(sample, [...subject.document._id.split("/"), "_list", name, sample.view]),
      rows: linesOf(rows),
    });
    return { ...start, body: await text(body) };
  });
}

/** All rows of the view; reduced where it has a reduce function, as for a client who asks for nothing else. */
async function listed(subject: Subject, documents: readonly Json[], { view: name, query }: ListSample) {
  const view = await viewOf(subject, name, documents);
  if (view.reducer && query["reduce"] !== "false") {
    const isGrouped = query["group"] === "true";
    const groups = isGrouped ? view.groups() : view.rows.length === 0 ? [] : [view.rows];
    const values = await reducedValues(view.reducer, groups);
    const keyOf = (index: number) => (isGrouped ? JSON.parse(groups[index]?.[0]?.key ?? "null") : null);
    return { head: {}, rows: values.map((value, index) => ({ key: keyOf(index), value })) };
  }
  const byId = new Map(documents.map(stored).map((document) => [document._id, document]));
  const withDocs = query["include_docs"] === "true";
  const rows = view.told.map((row) => (withDocs ? { ...row, doc: byId.get(row.id) ?? null } : row));
  return { head: { total_rows: rows.length, offset: 0 }, rows };
}

async function* linesOf(rows: readonly unknown[]): AsyncIterable<string> {
  for (const row of rows) yield `${JSON.stringify(row)}\n`;
}

export async function tryRewrites(subject: Subject, samples: readonly RewriteSample[]): Promise<readonly Outcome[]> {
  const rewrites = functionOf(subject, "rewrites") as FunctionSource;
  const base = subject.document._id.split("/");
  return await each(samples, (sample) =>
    subject.sandbox.rewrite({
      database: databaseOf(sample.user),
      function: rewrites,
      req: requestFor(sample, [...base, "_rewrite", ...(sample.path ?? [])]),
    }),
  );
}

function question(subject: Subject, kind: "shows" | "updates", name: string, sample: ShowSample) {
  const { doc, user, method = kind === "updates" ? "POST" : "GET" } = sample;
  const whole = doc && stored(doc);
  const path = [...subject.document._id.split("/"), kind === "shows" ? "_show" : "_update", name];
  return {
    database: databaseOf(user),
    function: functionOf(subject, kind, name) as FunctionSource,
    doc: whole && JSON.stringify(whole),
    req: requestFor({ ...sample, method }, path, whole?._id),
  };
}

interface Expecting {
  readonly title?: string | undefined;
  readonly query: Readonly<Record<string, string>>;
  readonly expect?: unknown;
}

/** What the function throws is an answer like any other: `error: reason`. */
async function each<S extends Expecting>(
  samples: readonly S[],
  ask: (sample: S) => Promise<unknown>,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const sample of samples) {
    const title = titleOf(sample);
    let actual: unknown;
    try {
      actual = await ask(sample);
    } catch (error) {
      if (!(error instanceof CouchError)) throw error;
      actual = `${error.error}: ${error.reason}`;
    }
    if (sample.expect === undefined) outcomes.push({ title, status: "shown", details: [shown(actual)] });
    else if (isAnswered(sample.expect, actual)) outcomes.push({ title, status: "right", details: [] });
    else outcomes.push(wrong(title, sample.expect, actual));
  }
  return outcomes;
}

function titleOf({ title, query }: Expecting): string {
  const asked = new URLSearchParams(query).toString();
  return title ?? (asked === "" ? "asked for" : `?${asked}`);
}

/** A text is the body of an answer; of an object, the members that are expected count. */
function isAnswered(expected: unknown, actual: unknown): boolean {
  if (typeof expected === "string") {
    return expected === actual || (typeof actual === "object" && actual !== null && holds({ body: expected }, actual));
  }
  if (Array.isArray(expected) || expected === null) return isSame(expected, actual);
  return holds(expected as Json, actual);
}
