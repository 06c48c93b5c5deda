/** The views of one design document in JavaScript, and the index that they share. */
import { CouchError } from "../../../protocol/errors.js";
import type { Database } from "../../documents/database.js";
import type { Collation } from "../collation.js";
import { type IndexDefinition, signatureOf } from "../indexes/index-definition.js";
import { builtinReduce, isBuiltinReduce } from "./builtin-reduces.js";
import { type FunctionContext, mapper, sandboxReduce } from "./design-functions.js";
import { type Reducer, reducerOf } from "./reducer.js";

/** Where the rows of a view are in the index of its design document. */
export interface View {
  /** Index of its tree. */
  readonly tree: number;
  /** Its reduce function and that function's place among those of the tree; undefined: a map-only view. */
  readonly reduce: { readonly which: number; readonly reducer: Reducer } | undefined;
}

export interface ViewGroup {
  readonly language: string;
  /** Queries are about one partition each. */
  readonly partitioned: boolean;
  /** False: the index is brought up to date by queries alone. */
  readonly autoupdate: boolean;
  readonly views: ReadonlyMap<string, View>;
  readonly definition: IndexDefinition;
}

/** Members of a design document that views are made of; types were checked when it was saved. */
export interface DesignBody {
  readonly language?: string;
  readonly options?: DesignOptions;
  readonly views?: Readonly<Record<string, ViewBody | undefined>>;
  readonly autoupdate?: unknown;
}

interface DesignOptions {
  readonly include_design?: boolean;
  readonly local_seq?: boolean;
  readonly partitioned?: boolean;
}

interface ViewBody {
  readonly map?: unknown;
  readonly reduce?: unknown;
  readonly options?: { readonly collation?: unknown };
}

/** One tree: views with the same map function and order share it. */
interface TreePlan {
  readonly map: string;
  readonly collation: Collation;
  readonly reduces: string[];
}

/** @throws CouchError invalid_design_doc for a reduce function that does not exist */
export function viewGroup(
  database: Database,
  designDoc: string,
  body: DesignBody,
  functions: Omit<FunctionContext, "database" | "designDoc" | "library">,
): ViewGroup {
  const { include_design: includesDesign = false, local_seq: localSeq = false } = body.options ?? {};
  const partitioned = isPartitioned(database, body);
  const library = body.views?.["lib"];
  const { plans, places } = planTrees(body);
  const context = { ...functions, database, designDoc, library };
  const trees = plans.map(({ collation, reduces }) => ({
    collation,
    byPartition: partitioned,
    reducers: reduces.map((source) => reducerFor(source, context)),
  }));
  const views = new Map<string, View>();
  for (const [name, { tree, which }] of places) {
    const reducer = which === undefined ? undefined : trees[tree]?.reducers[which];
    views.set(name, { tree, reduce: reducer && { which: which as number, reducer } });
  }
  const signature = signatureOf(["javascript", includesDesign, localSeq, partitioned, library ?? null, plans]);
  const map = mapper({ ...context, localSeq, sources: plans.map((plan) => plan.map) });
  return {
    language: body.language ?? "javascript",
    partitioned,
    autoupdate: body.autoupdate !== false,
    views,
    definition: { signature, designDoc, includesDesign, trees, map },
  };
}

/** In a partitioned database every design document is, unless it says that it is not. */
export function isPartitioned({ partitioned }: Database, { options }: DesignBody): boolean {
  return partitioned && options?.partitioned !== false;
}

/** Trees are ordered by what they are made of, so that names and the order of views are no part of the signature. */
function planTrees({ views }: DesignBody): {
  readonly plans: readonly TreePlan[];
  readonly places: ReadonlyMap<string, { readonly tree: number; readonly which: number | undefined }>;
} {
  const named = Object.entries(views ?? {}).flatMap(([name, view]) =>
    name === "lib" || typeof view?.map !== "string" ? [] : [{ name, ...view, map: view.map }],
  );
  const byKey = new Map<string, TreePlan>();
  for (const { map, options, reduce } of named) {
    const collation = options?.collation === "raw" ? "raw" : "icu";
    const key = collation + map;
    const plan = byKey.get(key) ?? { map, collation, reduces: [] };
    byKey.set(key, plan);
    if (typeof reduce === "string" && !plan.reduces.includes(reduce)) plan.reduces.push(reduce);
  }
  const keys = [...byKey.keys()].sort();
  const plans = keys.map((key) => byKey.get(key) as TreePlan);
  for (const { reduces } of plans) reduces.sort();
  const places = new Map(
    named.map(({ name, map, options, reduce }) => {
      const tree = keys.indexOf((options?.collation === "raw" ? "raw" : "icu") + map);
      const which = typeof reduce === "string" ? plans[tree]?.reduces.indexOf(reduce) : undefined;
      return [name, { tree, which }];
    }),
  );
  return { plans, places };
}

function reducerFor(source: string, context: FunctionContext): Reducer {
  if (!isBuiltinReduce(source)) return reducerOf(sandboxReduce(source, context));
  const builtin = builtinReduce(source);
  if ("problem" in builtin) throw new CouchError("invalid_design_doc", builtin.problem);
  return builtin.reducer;
}
