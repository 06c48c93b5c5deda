/** `/{db}/_changes`: what changed since a sequence, and what changes from then on. */
import { createHash } from "node:crypto";
import { functionJudge } from "../../query/changes/judged-changes.js";
import { readOptionalJsonObject, requireJson } from "../body.js";
import type { DatabaseCall, Reply } from "../call.js";
import { type Feed, finishedFeed, liveFeed } from "../changes-feed.js";
import { parseFilter } from "../changes-filter.js";
import { parseChangesQuery } from "../changes-query.js";
import { chunkedReply } from "../chunked-reply.js";
import { etagOf, hasEtag } from "../etag.js";
import { feedFormats } from "../feed-format.js";
import { requestObject } from "../request-object.js";

export async function changes(call: DatabaseCall): Promise<Reply> {
  const { database } = call;
  const isPost = call.method === "POST";
  if (isPost) requireJson(call);
  const body = isPost ? await readOptionalJsonObject(call) : undefined;
  const query = parseChangesQuery(call, database);
  const filter = parseFilter(call.query, body, database);
  const feed: Feed = { database, query, filter };
  if (filter?.kind === "function") {
    const req = JSON.stringify(await requestObject(call, body === undefined ? {} : { body: JSON.stringify(body) }));
    const { sandbox } = call.services;
    feed.judge = functionJudge(database, filter, { sandbox, allLeaves: query.allLeaves, req });
  }
  const { headers } = feedFormats[query.feed];
  if (query.feed === "normal") {
    const etag = feedEtag(call, body);
    if (hasEtag(call.headers, etag)) return { status: 304, headers: { ETag: etag } };
    return chunkedReply(call, finishedFeed(feed, call), { ...headers, ETag: etag });
  }
  // Newest first begins at the end: there is nothing to wait for.
  return { status: 200, headers, body: query.descending ? finishedFeed(feed, call) : liveFeed(feed, call) };
}

/** The same question of the same caller to the same state of the same database has the same answer. */
function feedEtag({ database, identity, url }: DatabaseCall, body: unknown): string {
  const caller = [identity.name, identity.roles];
  const state = [database.number, database.seqText(database.updateSeq), url, body, caller];
  return etagOf(createHash("md5").update(JSON.stringify(state)).digest("base64url"));
}
