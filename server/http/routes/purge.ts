/** `/{db}/_purge`: revisions go as if they had never come. `_purged_infos`: which did. */
import { CouchError } from "../../../protocol/errors.js";
import { type DocId, parseRevId } from "../../../protocol/ids.js";
import { checkPartitionedId } from "../../documents/partitions.js";
import type { PurgedRevisions } from "../../documents/purge.js";
import { readJson, readJsonObject, requireJson } from "../body.js";
import { type DatabaseCall, json, type Reply } from "../call.js";

/** CouchDB's bounds: a purge is one turn that all other writers wait for. */
const maxDocuments = 100;
const maxRevisions = 1000;

export async function purgeRevisions(call: DatabaseCall): Promise<Reply> {
  requireJson(call);
  const requests = Object.entries(await readJsonObject(call)).map(parseRequest);
  if (requests.length > maxDocuments) throw new CouchError("bad_request", "Exceeded maximum number of documents.");
  if (requests.reduce((sum, { revs }) => sum + revs.length, 0) > maxRevisions) {
    throw new CouchError("bad_request", "Exceeded maximum number of revisions.");
  }
  if (call.database.partitioned) for (const { id } of requests) checkPartitionedId(id);
  const outcomes = await call.database.purge(requests);
  // `purge_seq` has been null since CouchDB 2: `GET /{db}` tells it.
  return json({ purge_seq: null, purged: Object.fromEntries(outcomes.map(({ id, revs }) => [id, revs])) }, 201);
}

export async function readPurgedInfos({ database }: DatabaseCall): Promise<Reply> {
  const infos = new Map<string, PurgedRevisions>();
  for await (const entries of database.purges()) {
    for (const { id, revs } of entries) infos.set(JSON.stringify({ id, revs }), { id, revs });
  }
  const inOrder = [...infos].sort(([a], [b]) => (a < b ? -1 : 1));
  return json({ purged_infos: inOrder.map(([, info]) => info) });
}

export function readPurgedInfosLimit({ database }: DatabaseCall): Reply {
  return json(database.purgedInfosLimit());
}

export async function writePurgedInfosLimit(call: DatabaseCall): Promise<Reply> {
  const limit = await readJson(call);
  if (!Number.isSafeInteger(limit) || (limit as number) < 1) {
    throw new CouchError("bad_request", "`purged_infos_limit` must be positive integer");
  }
  await call.database.setPurgedInfosLimit(limit as number);
  return json({ ok: true });
}

function parseRequest([id, revs]: [string, unknown]): PurgedRevisions {
  if (!Array.isArray(revs)) throw new CouchError("bad_request", "Invalid list of revisions");
  // Any text may be asked for: what no document can be called is not there.
  return { id: id as DocId, revs: revs.map(parseRevId) };
}
