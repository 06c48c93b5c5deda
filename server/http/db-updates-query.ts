/** The parameters of `_db_updates`, in CouchDB's readings of them, which are not quite those of `_changes`. */
import { CouchError } from "../../protocol/errors.js";
import type { Call } from "./call.js";
import { type FeedType, parseSince } from "./changes-query.js";

export interface FeedQuery {
  readonly feed: FeedType;
  /** Milliseconds after which a quiet feed gives a sign of life; undefined: never. */
  readonly heartbeat: number | undefined;
  /** Milliseconds after which a quiet feed ends. */
  readonly timeout: number;
}

export interface DbUpdatesQuery extends FeedQuery {
  /** Updates after this sequence. */
  readonly since: number;
  /** Infinity when there is none. */
  readonly limit: number;
  /** Newest first. */
  readonly descending: boolean;
}

const feeds: readonly FeedType[] = ["normal", "continuous", "longpoll", "eventsource"];
/** Milliseconds of `heartbeat=true`, and at most. */
const longestHeartbeat = 60_000;

/** @param now the sequence that `since=now` names. @throws CouchError bad_request */
export function parseDbUpdatesQuery(call: Call, now: number): DbUpdatesQuery {
  const { query, headers, services } = call;
  const feedQuery = parseFeedQuery(call);
  const { feed } = feedQuery;
  const lastEventId = feed === "eventsource" ? headers["last-event-id"] : undefined;
  const since = typeof lastEventId === "string" ? lastEventId : query.get("since");
  return {
    ...feedQuery,
    since: parseSince(since, { updateSeq: now, resolveSeq: (text) => services.databases.updates.resolveSeq(text) }),
    limit: parseInteger(query.get("limit")) ?? Number.POSITIVE_INFINITY,
    descending: query.flag("descending"),
  };
}

/** What feeds of several databases have in common. @throws CouchError bad_request */
export function parseFeedQuery({ query, services }: Pick<Call, "query" | "services">): FeedQuery {
  const feed = feeds.find((name) => name === (query.get("feed") ?? "normal"));
  if (!feed) throw new CouchError("bad_request", `Supported \`feed\` types: ${feeds.join(", ")}`);
  const longest = services.config.changesTimeout;
  return {
    feed,
    heartbeat: parseHeartbeat(query.get("heartbeat")),
    timeout: Math.min(longest, parseInteger(query.get("timeout")) ?? longest),
  };
}

function parseHeartbeat(text: string | undefined): number | undefined {
  if (text === undefined || text === "false") return undefined;
  if (text === "true") return longestHeartbeat;
  // Zero would be a feed that never rests.
  return Math.min(Math.max(parseInteger(text) ?? 0, 1), longestHeartbeat);
}

function parseInteger(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new CouchError("bad_request", "invalid_integer");
  return Number(text);
}
