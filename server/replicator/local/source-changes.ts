/** One page of the changes of a local database, as its filter lets them through. */
import { CouchError } from "../../../protocol/errors.js";
import type { Identity } from "../../../protocol/security.js";
import { leavesInOrder } from "../../documents/changes/changed-revisions.js";
import { changesOfDesignDocuments, changesOfIds } from "../../documents/changes/document-changes.js";
import { pendingAfter } from "../../documents/changes/pending-changes.js";
import type { Database, StoredDocument } from "../../documents/database.js";
import { type RevisionNode, revOf } from "../../documents/revisions/tree.js";
import { idOfRow, revOfRow, type SequenceEntry } from "../../documents/sequence-entry.js";
import { type ChangesFilter, functionFilter, selectorFilter, type Wanted } from "../../query/changes/changes-filter.js";
import { type FilterRunner, functionJudge, type Judge, judgedAtOnce } from "../../query/changes/judged-changes.js";
import { findWanted } from "../../query/changes/wanted-changes.js";
import type { ChangedDocument, ChangesPage, ChangesQuery, PeerSeq } from "../peer.js";
import type { SourceFilter } from "../replication.js";

export interface ChangesReader {
  readonly database: Database;
  readonly filter: ChangesFilter | undefined;
  readonly judge: Judge | undefined;
  /** All leaves of a document, not only the winner. */
  readonly allLeaves: boolean;
}

/** Milliseconds of looking into documents before others get their turn. */
const turn = 5;

/** @throws CouchError bad_request, not_found when there is no such function */
export function changesReader(
  database: Database,
  filter: SourceFilter | undefined,
  options: { readonly allLeaves: boolean; readonly identity: Identity; readonly sandbox: FilterRunner },
): ChangesReader {
  const { allLeaves, identity, sandbox } = options;
  const compiled = compileFilter(database, filter);
  if (compiled?.kind !== "function") return { database, filter: compiled, judge: undefined, allLeaves };
  const params = filter?.kind === "function" ? filter : { name: "", params: {} };
  const req = JSON.stringify(filterRequest(database, identity, params.name, params.params));
  return {
    database,
    filter: compiled,
    judge: functionJudge(database, compiled, { sandbox, allLeaves, req }),
    allLeaves,
  };
}

function compileFilter(database: Database, filter: SourceFilter | undefined): ChangesFilter | undefined {
  if (!filter) return undefined;
  if (filter.kind === "doc_ids") return { kind: "ids", ids: new Set(filter.ids) };
  if (filter.kind === "selector") return selectorFilter(filter.selector);
  const { name, params } = filter;
  if (name === "_design") return { kind: "design" };
  if (name === "_view") {
    const view = params["view"];
    if (typeof view !== "string") throw new CouchError("bad_request", "`view` filter parameter is not provided.");
    return functionFilter(database, "views", view, "`view` must be of the form `designname/viewname`");
  }
  if (name.startsWith("_")) throw new CouchError("bad_request", "unknown builtin filter name");
  return functionFilter(database, "filters", name, "`filter` must be of the form `designname/filtername`");
}

/** What the function is told of the request that it would have been, had the source been elsewhere. */
function filterRequest(
  database: Database,
  { name, roles }: Identity,
  filter: string,
  params: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const query = Object.fromEntries(
    Object.entries(params).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
  );
  const path = [database.name, "_changes"];
  return {
    info: { db_name: database.name, update_seq: database.seqText(database.updateSeq) },
    id: null,
    method: "GET",
    requested_path: path,
    path,
    raw_path: `/${path.join("/")}`,
    query: { style: "all_docs", feed: "normal", filter, ...query },
    headers: {},
    body: "undefined",
    peer: "",
    form: {},
    cookie: {},
    userCtx: { db: database.name, name, roles },
    secObj: database.security(),
  };
}

export async function readChangesPage(
  reader: ChangesReader,
  { since, limit }: ChangesQuery,
  signal: AbortSignal,
): Promise<ChangesPage> {
  const { database, filter } = reader;
  const from = parsePeerSeq(database, since);
  const { updateSeq } = database;
  if (filter?.kind === "ids" || filter?.kind === "design") {
    const range = { since: from, upTo: updateSeq };
    const entries = await (filter.kind === "ids"
      ? changesOfIds(database, filter.ids, range)
      : changesOfDesignDocuments(database, range));
    return page(await wantedRows(reader, entries, signal), { lastSeq: seqAfter(database, since, updateSeq) });
  }
  const entries = await firstStep(database, from, limit);
  const rows = await wantedRows(reader, entries, signal);
  const last = entries.at(-1);
  if (!last) return page(rows, { lastSeq: seqAfter(database, since, Math.max(from, updateSeq)) });
  const more = entries.length >= limit;
  const pending = more
    ? await pendingAfter(database, last.seq, { since: from, updateSeq, changes: entries.length })
    : 0;
  return { rows, lastSeq: database.seqText(last.seq), pending, more };
}

function page(rows: readonly ChangedDocument[], { lastSeq }: { readonly lastSeq: PeerSeq }): ChangesPage {
  return { rows, lastSeq, pending: 0, more: false };
}

/** The same text for the same place: whoever compares it with a checkpoint must not take it for progress. */
function seqAfter(database: Database, since: PeerSeq, seq: number): PeerSeq {
  return parsePeerSeq(database, since) === seq ? since : database.seqText(seq);
}

async function firstStep(database: Database, since: number, limit: number): Promise<readonly SequenceEntry[]> {
  if (since >= database.updateSeq) return [];
  for await (const entries of database.changes({ since, step: limit })) return entries;
  return [];
}

/** @throws CouchError bad_request */
export function parsePeerSeq(database: Database, seq: PeerSeq): number {
  if (seq === 0 || seq === "0" || seq === null) return 0;
  if (seq === "now") return database.updateSeq;
  if (typeof seq === "string" && seq.includes("-")) return database.resolveSeq(seq);
  throw new CouchError("bad_request", "Malformed sequence supplied in 'since' parameter.");
}

async function wantedRows(
  reader: ChangesReader,
  entries: readonly SequenceEntry[],
  signal: AbortSignal,
): Promise<readonly ChangedDocument[]> {
  const { database, filter, judge, allLeaves } = reader;
  const rows: ChangedDocument[] = [];
  if (judge) {
    for (let from = 0; from < entries.length; from += judgedAtOnce) {
      signal.throwIfAborted();
      const some = entries.slice(from, from + judgedAtOnce);
      const judged = await judge(some);
      some.forEach((entry, index) => {
        const wanted = judged[index];
        if (wanted) rows.push(rowOf(reader, entry, wanted));
      });
    }
    return rows;
  }
  let turnEnds = performance.now() + turn;
  for (const entry of entries) {
    if (performance.now() > turnEnds) {
      await new Promise(setImmediate);
      signal.throwIfAborted();
      turnEnds = performance.now() + turn;
    }
    const wanted = filter?.kind === "selector" ? findWanted(database, filter, entry, allLeaves) : undefined;
    if (filter?.kind !== "selector" || wanted) rows.push(rowOf(reader, entry, wanted));
  }
  return rows;
}

function rowOf(
  { database, allLeaves }: ChangesReader,
  entry: SequenceEntry,
  wanted: Wanted | undefined,
): ChangedDocument {
  const id = idOfRow(entry.row) as ChangedDocument["id"];
  if (!allLeaves || !entry.severalLeaves) return { id, revs: [revOfRow(entry.row)] };
  const document = wanted?.document ?? database.find(id);
  if (!document) return { id, revs: [] };
  return { id, revs: revsOf(document, wanted?.leaves ?? leavesInOrder(document)) };
}

function revsOf({ record: { tree } }: StoredDocument, leaves: readonly number[]): ChangedDocument["revs"] {
  return leaves.map((leaf) => revOf(tree[leaf] as RevisionNode));
}
