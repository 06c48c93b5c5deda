/** `/_dbs_info`: what `GET /{db}` tells, of many databases. */
import { CouchError } from "../../../protocol/errors.js";
import { parseDatabaseName } from "../../../protocol/ids.js";
import { readJsonObject, requireJson } from "../body.js";
import type { Call, Reply } from "../call.js";
import { chunkedReply, taggedReply } from "../chunked-reply.js";
import { databaseInfo } from "../database-info.js";
import { jsonArray, namesIn } from "../database-list.js";
import { parseListQuery } from "../list-query.js";
import type { Services } from "../services.js";

/** CouchDB's `max_db_number_for_dbs_info_req`. */
const maxKeys = 100;

export async function listDbsInfo(call: Call): Promise<Reply> {
  const names = namesIn(call.services.databases, parseListQuery(call.query));
  return taggedReply(call, jsonArray(infos(call.services, names)));
}

export async function postDbsInfo(call: Call): Promise<Reply> {
  requireJson(call);
  const { keys } = await readJsonObject(call);
  if (keys === undefined) throw new CouchError("bad_request", "`keys` member must exist.");
  if (!Array.isArray(keys)) throw new CouchError("bad_request", "`keys` member must be an array.");
  if (keys.length > maxKeys) throw new CouchError("bad_request", "too_many_keys");
  return chunkedReply(call, jsonArray(infos(call.services, keys)));
}

async function* infos(services: Services, keys: AsyncIterable<unknown> | Iterable<unknown>): AsyncIterable<unknown> {
  for await (const key of keys) {
    const info = typeof key === "string" ? await infoOf(services, key) : undefined;
    yield info ? { key, info } : { key, error: "not_found" };
  }
}

async function infoOf({ databases }: Services, name: string): Promise<Record<string, unknown> | undefined> {
  try {
    return await databaseInfo(await databases.open(parseDatabaseName(name)));
  } catch (error) {
    // No database has that name, or none may have it.
    if (error instanceof CouchError) return undefined;
    throw error;
  }
}
