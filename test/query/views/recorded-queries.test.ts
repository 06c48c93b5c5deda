/** View queries that CouchDB 3.5.0 answered, asked of index trees: the same rows, totals, offsets and reductions. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { ViewQuery } from "../../../protocol/view-query.js";
import { builtinReduce, isBuiltinReduce } from "../../../server/query/views/builtin-reduces.js";
import type { EmittedRow } from "../../../server/query/views/changes.js";
import type { IndexTree } from "../../../server/query/views/index-tree.js";
import { queryRows } from "../../../server/query/views/range-query.js";
import { queryReduced, type ReducedRow } from "../../../server/query/views/reduce-query.js";
import { type Reducer, reducerOf } from "../../../server/query/views/reducer.js";
import type { ViewIndex } from "../../../server/query/views/view-index.js";
import { HeldStore } from "../../helpers/held-store.js";
import { gathered, ModelView, openIndex } from "../../helpers/index-world.js";
import { repositoryRoot } from "../../helpers/repository-root.js";

interface Step {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly body?: Document & { readonly docs?: readonly Document[] };
  readonly want: { readonly status: number; readonly json?: Record<string, unknown> };
}

interface Document {
  readonly _id?: string;
  readonly views?: Readonly<Record<string, View>>;
}

interface View {
  readonly map: string;
  readonly reduce?: string;
  readonly options?: { readonly collation?: "raw" };
}

/** How many queries of each recording are asked at least: a path that is no longer understood must not pass for success. */
const recordings: Readonly<Record<string, number>> = {
  "40-views-get": 30,
  "41-collation": 15,
  "42-reduce-builtin": 25,
  "42-reduce-more": 30,
};

/** Views whose answers are crashes of CouchDB, or the business of the sandbox. */
const others = new Set(["sumobjmix", "statsarrlen", "over", "thrown", "forbidden", "undef"]);

for (const [file, fewest] of Object.entries(recordings)) {
  describe(file, () => {
    const path = join(repositoryRoot, "test/conformance/couchdb-3.5.0", `${file}.json`);
    const { steps } = JSON.parse(readFileSync(path, "utf8")) as { steps: readonly Step[] };
    const queries = steps.filter(isQuery);
    it("has queries", () => assert.ok(queries.length >= fewest, `only ${queries.length} queries`));
    for (const step of queries) {
      it(step.name, async () => {
        const [design, name, parameters] = partsOf(step);
        const view = viewOf(steps, design, name);
        const reducer = view.reduce === undefined ? undefined : reducerFor(view.reduce);
        const index = await indexOf(steps.slice(0, steps.indexOf(step)), view, reducer);
        await index.read(async ({ trees: [tree] }) => {
          assert.ok(tree);
          const isReduced = reducer && parameters.get("reduce") !== "false";
          const answer = isReduced ? await reduced(tree, reducer, parameters) : await rows(tree, parameters);
          const { update_seq, ...wanted } = step.want.json ?? {};
          assert.deepEqual(answer, wanted);
        });
      });
    }
  });
}

function isQuery(step: Step): boolean {
  if (step.method !== "GET" || !step.path.includes("/_view/") || others.has(partsOf(step)[1])) return false;
  return step.want.status === 200 || step.want.json?.["error"] === "invalid_value";
}

function partsOf({ path }: Step): readonly [design: string, view: string, parameters: URLSearchParams] {
  const [, design, view, query] = /_design\/(\w+)\/_view\/(\w+)\??(.*)$/.exec(path) as unknown as string[];
  return [design as string, view as string, new URLSearchParams(query)];
}

function viewOf(steps: readonly Step[], design: string, name: string): View {
  for (const { path, body } of steps) {
    const document = path.endsWith(`/_design/${design}`)
      ? body
      : body?.docs?.find(({ _id }) => _id === `_design/${design}`);
    const view = document?.views?.[name];
    if (view) return view;
  }
  throw new Error(`no view ${design}/${name}`);
}

/** An index of what the steps wrote. Its nodes are so small that even these few rows make a tree. */
async function indexOf(steps: readonly Step[], view: View, reducer: Reducer | undefined): Promise<ViewIndex> {
  const documents = new Map<string, readonly EmittedRow[]>();
  for (const { method, path, body } of steps) {
    if (method === "DELETE") documents.set(path.split(/[/?]/)[2] as string, []);
    for (const document of body?.docs ?? []) {
      if (document._id && !document._id.startsWith("_")) documents.set(document._id, map(view.map, document));
    }
  }
  const store = new HeldStore();
  store.holding = false;
  const { collation } = new ModelView(view.options?.collation ?? "icu");
  const index = await openIndex(store, { views: [{ collation, reducers: reducer ? [reducer] : [] }], nodeBytes: 100 });
  await index.update(async (writer) => {
    await writer.apply([...documents].map(([id, emitted]) => ({ id, views: [emitted] })));
    await writer.commit({ updateSeq: 1, purgeSeq: 0 });
  });
  return index;
}

/** The recorded functions are our own and harmless. */
function map(source: string, document: Document): readonly EmittedRow[] {
  const rows: EmittedRow[] = [];
  const emit = (key: unknown, value: unknown): void => {
    rows.push({ key: JSON.stringify(key ?? null), value: JSON.stringify(value ?? null) });
  };
  new Function("emit", `return ${source}`)(emit)(document);
  return rows;
}

function reducerFor(source: string): Reducer {
  if (isBuiltinReduce(source)) {
    const builtin = builtinReduce(source);
    assert.ok("reducer" in builtin);
    return builtin.reducer;
  }
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const reduce = new Function("sum", `return ${source}`)(sum) as (
    keys: unknown,
    values: unknown,
    again: boolean,
  ) => unknown;
  const parse = (text: string): unknown => JSON.parse(text);
  const value = (result: unknown) => ({ value: JSON.stringify(result) });
  return reducerOf({
    reduce: async (groups) =>
      groups.map((rows) => {
        const keys = rows.map(({ key, id }) => [parse(key), id]);
        return value(
          reduce(
            keys,
            rows.map((row) => parse(row.value)),
            false,
          ),
        );
      }),
    rereduce: async (groups) => groups.map((values) => value(reduce(null, values.map(parse), true))),
  });
}

async function rows(tree: IndexTree, parameters: URLSearchParams): Promise<Record<string, unknown>> {
  const { totalRows, offset, rows: batches } = await queryRows(tree, viewQuery(parameters));
  const texts = (await gathered(batches)).map(({ json }) => `{${json}}`);
  return { total_rows: totalRows, offset, rows: JSON.parse(`[${texts.join(",")}]`) };
}

async function reduced(
  tree: IndexTree,
  reducer: Reducer,
  parameters: URLSearchParams,
): Promise<Record<string, unknown>> {
  const all: ReducedRow[] = [];
  for await (const batch of queryReduced(tree, 0, reducer, viewQuery(parameters))) all.push(...batch);
  for (const row of all) if ("error" in row) return { error: row.error, reason: row.reason };
  const texts = all.map((row) => `{"key":${row.key},"value":${(row as { value: string }).value}}`);
  return { rows: JSON.parse(`[${texts.join(",")}]`) };
}

function viewQuery(parameters: URLSearchParams): ViewQuery {
  const get = (...names: readonly string[]): string | undefined =>
    names.map((name) => parameters.get(name)).find((text) => text !== null) ?? undefined;
  const flag = (name: string): boolean | undefined =>
    parameters.has(name) ? parameters.get(name) === "true" : undefined;
  const count = (name: string): number | undefined => (parameters.has(name) ? Number(parameters.get(name)) : undefined);
  const keys = get("keys");
  return {
    startKey: get("startkey", "start_key"),
    startKeyDocId: get("startkey_docid", "start_key_doc_id"),
    endKey: get("endkey", "end_key"),
    endKeyDocId: get("endkey_docid", "end_key_doc_id"),
    inclusiveEnd: flag("inclusive_end"),
    key: get("key"),
    keys: keys === undefined ? undefined : (JSON.parse(keys) as unknown[]).map((key) => JSON.stringify(key)),
    descending: flag("descending"),
    skip: count("skip"),
    limit: count("limit"),
    group: flag("group"),
    groupLevel: count("group_level"),
  };
}
