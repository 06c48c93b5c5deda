/** Map and reduce functions of design documents, which the sandbox runs, as indexes use them. */

import { ByteWriter } from "../../documents/bytes.js";
import type { Database } from "../../documents/database.js";
import { canonicalJson } from "../../documents/json/json-text.js";
import { type ShownRevision, type ShowOptions, showRevision } from "../../documents/show-document.js";
import type { MapSource, Sandbox } from "../../sandbox/sandbox.js";
import type { RowsOfDocument } from "../indexes/index-definition.js";
import { Turn } from "../turn.js";
import type { EmittedRow } from "./changes.js";
import type { Reduced, ReduceFunction } from "./reducer.js";
import type { ViewRow } from "./view-row.js";

export interface FunctionContext {
  readonly database: Pick<Database, "name">;
  readonly designDoc: string;
  readonly sandbox: Pick<Sandbox, "map" | "reduce">;
  /** Names the realm that a function may share with other databases: the operator's own code. */
  readonly shareKeyOf?: ((source: string) => string | undefined) | undefined;
  /** `views.lib`. */
  readonly library: unknown;
}

export interface MapContext extends FunctionContext {
  readonly database: Database;
  readonly localSeq: boolean;
  /** One for each tree. */
  readonly sources: readonly string[];
}

const looksAround = /\b(require|this)\b/;
const noRows: readonly EmittedRow[] = [];

/** What the functions emit for each document, for each function; no rows where one fails, as in CouchDB. */
export function mapper(
  context: MapContext,
): (documents: readonly ShownRevision[]) => Promise<readonly RowsOfDocument[]> {
  const { database, sandbox, localSeq } = context;
  const map = mapSource(context);
  const options = { conflicts: true, deletedConflicts: true, localSeq };
  return async (documents) => {
    const texts = documents.map((revision) => textOf(database, revision, options));
    const emitted = await sandbox.map({ database: database.name, map, documents: texts });
    const turn = new Turn();
    const canonical: RowsOfDocument[] = [];
    for (const ofDocument of emitted) {
      canonical.push(ofDocument.map((rows) => rows?.map(canonicalRow) ?? noRows));
      if (turn.isOver) await turn.next();
    }
    return canonical;
  };
}

/** Of all mappers: one for each would be most of what a database costs whose views are used. */
const out = new ByteWriter(64 * 1024);

function textOf(database: Database, revision: ShownRevision, options: ShowOptions): string {
  // Without attachment bytes it is written at once.
  void showRevision(out.reset(), database, revision, options);
  return out.view().toString();
}

/** A reduce function of the design document. */
export function sandboxReduce(source: string, context: FunctionContext): ReduceFunction {
  const { database, designDoc, sandbox } = context;
  const shareKey = context.shareKeyOf?.(source);
  const reduce = { designDoc, source, ...(shareKey === undefined ? {} : { shareKey }) };
  const run = async (groups: Parameters<Sandbox["reduce"]>[0]["groups"]): Promise<readonly Reduced[]> => {
    if (groups.length === 0) return [];
    const reductions = await sandbox.reduce({ database: database.name, reduce, groups });
    return reductions.map((reduction) =>
      reduction.value === undefined ? reduction : { value: canonicalText(reduction.value) },
    );
  };
  return {
    reduce: (groups) => run(groups.map((rows) => ({ keys: listOf(rows, keyOfRow), values: listOf(rows, valueOfRow) }))),
    rereduce: (groups) => run(groups.map((reductions) => ({ keys: null, values: `[${reductions.join(",")}]` }))),
  };
}

function mapSource({ designDoc, sources, shareKeyOf, library }: MapContext): MapSource {
  const keys = new Set(sources.map((source) => shareKeyOf?.(source)));
  // Only when all of it is one template's: functions that stand beside a stranger's have a realm of their own.
  const [shareKey] = keys.size === 1 ? keys : [];
  return {
    designDoc,
    sources,
    ...(shareKey === undefined ? {} : { shareKey }),
    // Modules travel to the sandbox only for functions that can look at them.
    ...(sources.some((source) => looksAround.test(source))
      ? { modules: JSON.stringify({ views: { lib: library } }) }
      : {}),
  };
}

function listOf(rows: readonly ViewRow[], textOf: (row: ViewRow) => string): string {
  return `[${rows.map(textOf).join(",")}]`;
}

function keyOfRow({ key, id }: ViewRow): string {
  return `[${key},${JSON.stringify(id)}]`;
}

function valueOfRow({ value }: ViewRow): string {
  return value;
}

function canonicalRow([key, value]: readonly [string, string]): EmittedRow {
  return { key: canonicalText(key), value: canonicalText(value) };
}

/** JavaScript prints canonical JSON but for exponents (`1e+21`) and `\u001f`; a false alarm costs time only. */
const differs = /\de[+-]?\d|\\u/;
/** JSON that JavaScript prints has no other escapes of surrogates than lone ones, which no UTF-8 can hold. */
const escapes = /\\(u[dD][89a-fA-F][0-9a-fA-F]{2}|.)/g;

function canonicalText(text: string): string {
  if (!differs.test(text)) return text;
  const wellFormed = text.replace(escapes, (all, escape: string) => (escape.length > 1 ? "\ufffd" : all));
  return canonicalJson(Buffer.from(wellFormed)).toString();
}
