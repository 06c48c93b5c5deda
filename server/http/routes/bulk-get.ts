/** `POST /{db}/_bulk_get`: many revisions of many documents, in JSON or multipart. */
import { CouchError } from "../../../protocol/errors.js";
import { type DocId, parseDocId, parseRevId, type RevId } from "../../../protocol/ids.js";
import { ByteWriter } from "../../documents/bytes.js";
import { quote } from "../../documents/document-text.js";
import { checkPartitionedId } from "../../documents/partitions.js";
import { leavesOf } from "../../documents/revisions/tree.js";
import {
  leavesFrom,
  pickRevision,
  type ShownRevision,
  type ShowOptions,
  showRevision,
} from "../../documents/show-document.js";
import { readJsonObject, requireJson } from "../body.js";
import type { DatabaseCall, Reply } from "../call.js";
import { bulkGetMultipart } from "../multipart-document.js";
import { bulkGetType } from "../wants-multipart.js";

/** What is asked for one row. */
interface Wanted {
  readonly id: DocId;
  readonly rev: RevId | undefined;
  readonly attsSince: readonly RevId[] | undefined;
}

/** Why there is no revision, as the row tells it. */
export interface BulkGetFailure {
  readonly rev: unknown;
  readonly reason: string;
  readonly id: unknown;
  readonly error: string;
}

export interface BulkGetResult {
  readonly id: unknown;
  readonly items: readonly (ShownRevision | BulkGetFailure)[];
  readonly show: ShowOptions;
}

/** Bytes gathered before they are handed to the socket. */
const chunkSize = 64 * 1024;

export async function bulkGet(call: DatabaseCall): Promise<Reply> {
  requireJson(call);
  const { docs } = await readJsonObject(call);
  if (docs === undefined) throw new CouchError("bad_request", "Missing JSON list of 'docs'.");
  if (!Array.isArray(docs)) throw new CouchError("bad_request", "`docs` parameter must be an array.");
  const show: ShowOptions = {
    revs: call.query.flag("revs"),
    attachments: call.query.flag("attachments"),
    attEncodingInfo: call.query.flag("att_encoding_info"),
  };
  const latest = call.query.flag("latest");
  for (const item of docs) checkId(item);
  const results = resultsOf(call, docs, show, latest);
  const type = bulkGetType(call.headers.accept);
  if (type !== "json") return bulkGetMultipart(call, results, type);
  return { status: 200, headers: { "Content-Type": "application/json" }, body: jsonChunks(call, results) };
}

/** What CouchDB breaks off for is refused whole. */
function checkId(item: unknown): void {
  const id = isObject(item) ? item["id"] : undefined;
  if (id !== undefined && typeof id !== "string") throw new CouchError("bad_request", "Document id must be a string");
}

function* resultsOf(
  call: DatabaseCall,
  docs: readonly unknown[],
  show: ShowOptions,
  latest: boolean,
): Generator<BulkGetResult> {
  for (const item of docs) {
    let id: unknown = null;
    let rev: unknown = null;
    try {
      if (!isObject(item) || Object.keys(item).length === 0) {
        throw new CouchError("bad_request", "document must be a JSON object");
      }
      if (item["id"] === undefined) throw new CouchError("bad_request", "document id missed");
      id = item["id"];
      const docId = parseDocId(id);
      if (call.database.partitioned) checkPartitionedId(docId);
      rev = item["rev"] === undefined ? "undefined" : item["rev"];
      const parsedRev = item["rev"] === undefined ? undefined : parseRevId(item["rev"]);
      if (item["atts_since"] !== undefined) rev = item["atts_since"];
      const attsSince = parseAttsSince(item["atts_since"]);
      rev = parsedRev ?? "undefined";
      const wanted: Wanted = { id: docId, rev: parsedRev, attsSince };
      yield { id, items: pick(call, wanted, latest), show: attsSince ? { ...show, attsSince } : show };
    } catch (error) {
      if (!(error instanceof CouchError)) throw error;
      yield { id, items: [{ rev, reason: error.reason, id, error: error.error }], show };
    }
  }
}

function parseAttsSince(value: unknown): readonly RevId[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw new CouchError("bad_request", "att_since value must be array of revs.");
  return value.map(parseRevId);
}

/** All leaves when no revision is named. @throws CouchError not_found */
function pick({ database }: DatabaseCall, { id, rev }: Wanted, latest: boolean): readonly ShownRevision[] {
  const document = database.find(id);
  if (!document) throw new CouchError("not_found", "missing");
  if (rev !== undefined && !latest) return [pickRevision(database, document, rev)];
  const { tree } = document.record;
  const indices = rev === undefined ? leavesOf(tree) : leavesFrom(tree, rev);
  if (indices.length === 0) throw new CouchError("not_found", "missing");
  return indices.flatMap((index) => {
    const value = database.value(document, index);
    return value ? [{ document, index, value }] : [];
  });
}

async function* jsonChunks({ database }: DatabaseCall, results: Iterable<BulkGetResult>): AsyncIterable<Buffer> {
  const out = new ByteWriter(chunkSize + 8192).latin1('{"results":[');
  let first = true;
  for (const { id, items, show } of results) {
    out.utf8(`${first ? "" : ","}{"id":${typeof id === "string" ? quote(id) : JSON.stringify(id)},"docs":[`);
    first = false;
    let comma = "";
    for (const item of items) {
      if ("document" in item) {
        out.latin1(`${comma}{"ok":`);
        const showing = showRevision(out, database, item, show);
        if (showing) await showing;
        out.latin1("}");
      } else {
        out.utf8(`${comma}{"error":${JSON.stringify(item)}}`);
      }
      comma = ",";
      if (out.length >= chunkSize) yield out.take();
    }
    out.latin1("]}");
  }
  yield out.latin1("]}\n").take();
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
