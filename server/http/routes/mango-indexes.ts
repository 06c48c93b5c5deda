/** `/{db}/_index`: the indexes that queries can go by. Each is a view of a design document in the language `query`. */
import { CouchError } from "../../../protocol/errors.js";
import { retryConflicts } from "../../gateway/retry-conflicts.js";
import { type Json, memberReader, optional, readPositive, required } from "../../query/mango/body-members.js";
import { erlangTerm } from "../../query/mango/erlang-term.js";
import { parseUseIndex } from "../../query/mango/find-request.js";
import { parseIndexRequest, withPrefix } from "../../query/mango/index-request.js";
import { allDocuments, compareIndexes, indexJson } from "../../query/mango/mango-index.js";
import { readJsonObject, requireJson } from "../body.js";
import { type DatabaseCall, json, type Reply } from "../call.js";
import { addIndex, removeIndexes } from "../index-documents.js";

export async function listIndexes({ database, query, services }: DatabaseCall): Promise<Reply> {
  const indexes = [allDocuments, ...(await services.designViews.mangoIndexesOf(database))].sort(compareIndexes);
  const [skip, limit] = [countIn(query.get("skip"), 0, 0), countIn(query.get("limit"), 1, indexes.length)];
  return json({ total_rows: indexes.length, indexes: indexes.slice(skip, skip + limit).map(indexJson) });
}

export async function createIndex(call: DatabaseCall): Promise<Reply> {
  requireJson(call);
  const request = parseIndexRequest(await readJsonObject(call));
  const result = await retryConflicts(() => addIndex(call, request));
  return json({ result, id: request.designDoc, name: request.name });
}

/** @throws CouchError not_found */
export async function deleteIndex(call: DatabaseCall): Promise<Reply> {
  const { ddoc, type, name } = call.params;
  const id = withPrefix(ddoc as string);
  const isThere = type === "json" && (await retryConflicts(() => removeIndexes(call, id, name)));
  if (!isThere) throw new CouchError("not_found", "missing");
  return json({ ok: true });
}

const readDeletion = memberReader({ docids: required(parseDesignDocs), w: optional(2, readPositive) });

/** Design documents lose all their indexes. */
export async function deleteIndexes(call: DatabaseCall): Promise<Reply> {
  requireJson(call);
  const { docids } = readDeletion(await readJsonObject(call));
  const success: Json[] = [];
  const fail: Json[] = [];
  for (const docid of docids) {
    const id = withPrefix(docid);
    if (await retryConflicts(() => removeIndexes(call, id, undefined))) success.push({ id, ok: true });
    else fail.push({ id, error: "not_found" });
  }
  return json({ success, fail });
}

/** Below `_index` is nothing else. @throws CouchError always */
export function unknownOfIndex(_call: DatabaseCall): never {
  throw new CouchError("not_found", "missing");
}

function parseDesignDocs(value: unknown): readonly string[] {
  if (!Array.isArray(value)) {
    const reason = `Bulk Delete requires an array of non-null docids. Docids: ${erlangTerm(value)}`;
    throw new CouchError("invalid_bulk_docs", reason);
  }
  for (const docid of value) {
    parseUseIndex(docid);
    if (typeof docid !== "string") throw new CouchError("invalid_bulk_docs");
  }
  return value as readonly string[];
}

/** @throws CouchError invalid_list_index_params */
function countIn(text: string | undefined, least: number, absent: number): number {
  if (text === undefined) return absent;
  const count = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (count >= least) return count;
  throw new CouchError("invalid_list_index_params");
}
