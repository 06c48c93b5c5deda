/** `/_all_dbs`: the names of all databases. */
import type { Call, Reply } from "../call.js";
import { taggedReply } from "../chunked-reply.js";
import { jsonArray, namesIn } from "../database-list.js";
import { parseListQuery } from "../list-query.js";

export async function allDbs(call: Call): Promise<Reply> {
  return taggedReply(call, jsonArray(namesIn(call.services.databases, parseListQuery(call.query))));
}
