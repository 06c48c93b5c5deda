/** `GET /_db_updates`: what happened to databases since a sequence, and what happens from then on. */
import { createHash } from "node:crypto";
import type { Call, Reply } from "../call.js";
import { chunkedReply } from "../chunked-reply.js";
import { finishedUpdates, liveUpdates } from "../db-updates-feed.js";
import { parseDbUpdatesQuery } from "../db-updates-query.js";
import { etagOf, hasEtag } from "../etag.js";
import { feedFormats } from "../feed-format.js";

export async function dbUpdates(call: Call): Promise<Reply> {
  const { updates } = call.services.databases;
  const upTo = await updates.observe();
  const query = parseDbUpdatesQuery(call, upTo);
  const { headers } = feedFormats[query.feed];
  if (query.feed === "normal") {
    // The same question to the same state has the same answer.
    const state = [updates.seqText(upTo), call.url];
    const etag = etagOf(createHash("md5").update(JSON.stringify(state)).digest("base64url"));
    if (hasEtag(call.headers, etag)) return { status: 304, headers: { ETag: etag } };
    return chunkedReply(call, finishedUpdates(updates, query, upTo), { ...headers, ETag: etag });
  }
  // Newest first begins at the end: there is nothing to wait for.
  const body = query.descending ? finishedUpdates(updates, query, upTo) : liveUpdates(updates, query, call);
  return { status: 200, headers, body };
}
