/** A database elsewhere that is replicated from: its changes, and many revisions at a time. */
import { CouchError } from "../../../protocol/errors.js";
import { parseRevId, type RevId } from "../../../protocol/ids.js";
import type { ScannedDocument } from "../../documents/json/json-text.js";
import { type ScannedRevision, scanBulkGet } from "../../documents/json/scan-answers.js";
import { type ParsedDocument, parseDocument } from "../../documents/parse-document.js";
import { isObject } from "../endpoint.js";
import type {
  ChangedDocument,
  ChangesPage,
  ChangesQuery,
  FetchedDocuments,
  PeerSeq,
  Refusal,
  Source,
  StreamedRevision,
  WantedRevisions,
} from "../peer.js";
import type { ReplicationOptions, SourceFilter } from "../replication.js";
import type { Connection } from "./connection.js";
import { fetchOpenRevs, streamOpenRevs } from "./open-revs.js";
import { RemotePeer } from "./remote-peer.js";

/** Milliseconds between signs of life of a source that has nothing to tell. */
const heartbeat = 10_000;
/** Answers that say: there is no such endpoint here. */
const unknownEndpoint = new Set([400, 404, 405, 415, 501]);

export class RemoteSource extends RemotePeer implements Source {
  readonly #options: Pick<ReplicationOptions, "filter" | "winningRevsOnly" | "useBulkGet">;
  #bulkGet: boolean;

  constructor(connection: Connection, options: Pick<ReplicationOptions, "filter" | "winningRevsOnly" | "useBulkGet">) {
    super(connection);
    this.#options = options;
    this.#bulkGet = options.useBulkGet;
  }

  async changes({ since, limit, wait }: ChangesQuery, signal: AbortSignal): Promise<ChangesPage> {
    const { filter, winningRevsOnly } = this.#options;
    const query = new URLSearchParams({
      feed: wait ? "longpoll" : "normal",
      style: winningRevsOnly ? "main_only" : "all_docs",
      since: typeof since === "string" ? since : JSON.stringify(since ?? 0),
      limit: String(limit),
      heartbeat: String(heartbeat),
      ...filterParameters(filter),
    });
    const body = filterBody(filter);
    const answer = await this.connection.askJson({
      method: body ? "POST" : "GET",
      path: `_changes?${query}`,
      ...(body ? { contentType: "application/json", body: Buffer.from(JSON.stringify(body)) } : {}),
      ...(wait ? { timeout: 3 * heartbeat } : {}),
      signal,
    });
    if (!isObject(answer) || !Array.isArray(answer["results"])) throw this.#senseless("_changes");
    const rows = answer["results"].map((row) => this.#row(row));
    const pending = typeof answer["pending"] === "number" ? answer["pending"] : null;
    const lastSeq = (answer["last_seq"] ?? since) as PeerSeq;
    const more = rows.length >= limit;
    // A cluster writes the same place in many ways; nothing passed by means nothing has moved.
    if (rows.length === 0 && !filter && since !== 0) return { rows, lastSeq: since, pending, more };
    return { rows, lastSeq, pending, more };
  }

  async fetch(wanted: readonly WantedRevisions[], signal: AbortSignal): Promise<FetchedDocuments> {
    if (!this.#bulkGet) return await fetchOpenRevs(this.connection, wanted, signal);
    const docs = wanted.flatMap(({ id, revs, ancestors }) =>
      revs.map((rev) => ({ id, rev, ...(ancestors.length > 0 ? { atts_since: ancestors } : {}) })),
    );
    const reply = await this.connection.ask({
      method: "POST",
      path: "_bulk_get?revs=true&latest=true",
      contentType: "application/json",
      body: Buffer.from(JSON.stringify({ docs })),
      signal,
    });
    if (unknownEndpoint.has(reply.status)) {
      // Not there, or the database is not: the next request will tell.
      await this.info(signal);
      this.#bulkGet = false;
      return await fetchOpenRevs(this.connection, wanted, signal);
    }
    if (reply.status >= 300) throw this.connection.refusal(reply);
    const fetched = sortOut(wanted, this.#results(reply.bytes));
    return { ...fetched, bulkGet: { attempts: docs.length, documents: fetched.documents.length } };
  }

  fetchStreamed(wanted: WantedRevisions, whole: boolean, signal: AbortSignal): AsyncIterable<StreamedRevision> {
    return streamOpenRevs(this.connection, wanted, whole, signal);
  }

  #results(bytes: Buffer): ReadonlyMap<string, readonly ScannedRevision[]> {
    const found = new Map<string, ScannedRevision[]>();
    try {
      for (const { id, revisions } of scanBulkGet(bytes)) {
        const list = found.get(String(id));
        if (list) list.push(...revisions);
        else found.set(String(id), [...revisions]);
      }
    } catch (error) {
      throw error instanceof CouchError ? this.#senseless("_bulk_get", error) : error;
    }
    return found;
  }

  #row(row: unknown): ChangedDocument {
    if (!isObject(row) || typeof row["id"] !== "string" || !Array.isArray(row["changes"])) {
      throw this.#senseless("_changes");
    }
    const revs = row["changes"].map((change): RevId => parseRevId((change as { rev?: unknown } | null)?.rev));
    return { id: row["id"] as ChangedDocument["id"], revs };
  }

  #senseless(what: string, cause?: unknown): CouchError {
    return new CouchError("replication_error", `${this.url} answered ${what} with something else`, { cause });
  }
}

/** Those that are complete, and those to be asked for once more, one by one. */
function sortOut(
  wanted: readonly WantedRevisions[],
  found: ReadonlyMap<string, readonly ScannedRevision[]>,
): FetchedDocuments {
  const documents: ParsedDocument[] = [];
  const attached: WantedRevisions[] = [];
  const refused: Refusal[] = [];
  for (const one of wanted) {
    const revisions = found.get(one.id);
    // No word of it, or an error that is not just its absence: asked for alone it is answered or fails visibly.
    if (!revisions || revisions.some(isStrange)) {
      attached.push(one);
      continue;
    }
    const parsed = new Map<string, ParsedDocument>();
    for (const revision of revisions) {
      if (!("document" in revision)) continue;
      const document = readable(one, revision.document, refused);
      if (!document) continue;
      // With `latest`, two revisions may have grown into the same leaf.
      parsed.set(String(document.rev), document);
    }
    const complete = [...parsed.values()];
    if (complete.some(({ attachments }) => attachments.length > 0)) attached.push(one);
    else documents.push(...complete);
  }
  return { documents, attached, refused };
}

/** Other servers have had ids and members that none may have any more. */
function readable({ id }: WantedRevisions, document: ScannedDocument, refused: Refusal[]): ParsedDocument | undefined {
  try {
    return parseDocument(document);
  } catch (error) {
    if (!(error instanceof CouchError)) throw error;
    refused.push({ id, error });
    return undefined;
  }
}

function isStrange(revision: ScannedRevision): boolean {
  if (!("error" in revision)) return false;
  const error = isObject(revision.error) ? revision.error["error"] : undefined;
  return error !== "not_found";
}

function filterParameters(filter: SourceFilter | undefined): Readonly<Record<string, string>> {
  if (!filter) return {};
  if (filter.kind === "doc_ids") return { filter: "_doc_ids" };
  if (filter.kind === "selector") return { filter: "_selector" };
  const params = Object.entries(filter.params).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return { ...Object.fromEntries(params), filter: filter.name };
}

function filterBody(filter: SourceFilter | undefined): Readonly<Record<string, unknown>> | undefined {
  if (filter?.kind === "doc_ids") return { doc_ids: filter.ids };
  if (filter?.kind === "selector") return { selector: filter.selector };
  return undefined;
}

/** The source text of a filter function, from its design document. @throws CouchError not_found */
export async function remoteFilterCode(connection: Connection, path: string, signal: AbortSignal): Promise<string> {
  const [design = "", name = ""] = path.split("/");
  const reply = await connection.ask({ method: "GET", path: `_design/${encodeURIComponent(design)}`, signal });
  const cannot = (error: string): CouchError =>
    new CouchError(
      "not_found",
      `Couldn't parse filter code from document ${design} on \`${connection.url}\`  Error: ${error}`,
    );
  if (reply.status === 404) throw cannot("missing");
  if (reply.status >= 300) throw connection.refusal(reply);
  const document = connection.json(reply);
  const filters = isObject(document) ? document["filters"] : undefined;
  const code = isObject(filters) ? filters[name] : undefined;
  if (typeof code !== "string") throw cannot(`missing json key: ${name}`);
  return code;
}
