/** The parameters of `_changes`, in CouchDB's readings of them. */
import { CouchError } from "../../protocol/errors.js";
import type { Database } from "../documents/database.js";
import type { ShowOptions } from "../documents/show-document.js";
import type { Call } from "./call.js";
import { parseJsonParameter, type Query } from "./query.js";

export type FeedType = "normal" | "longpoll" | "continuous" | "eventsource";

export interface ChangesQuery {
  readonly feed: FeedType;
  /** Changes after this sequence of the database. */
  readonly since: number;
  /** Infinity when there is none. */
  readonly limit: number;
  /** Newest first, whatever `since` says. */
  readonly descending: boolean;
  /** All leaves of a document, not only the winner. */
  readonly allLeaves: boolean;
  /** How documents are shown; undefined: rows without them. */
  readonly show: ShowOptions | undefined;
  /** Milliseconds after which a quiet feed gives a sign of life; undefined: never. */
  readonly heartbeat: number | undefined;
  /** Milliseconds after which a quiet feed ends; Infinity with a heartbeat. */
  readonly timeout: number;
  /** Of so many rows one has its sequence, the others null. */
  readonly seqInterval: number;
}

const feeds: ReadonlyMap<string, FeedType> = new Map([
  ["normal", "normal"],
  ["longpoll", "longpoll"],
  ["continuous", "continuous"],
  ["live", "continuous"],
  ["eventsource", "eventsource"],
]);
/** Milliseconds of `heartbeat=true`, and at most. */
const longestHeartbeat = 60_000;
const wholeNumber = /^-?\d{1,15}$/;

/** @throws CouchError bad_request, query_parse_error */
export function parseChangesQuery({ query, headers, services }: Call, database: Database): ChangesQuery {
  const feed = feeds.get(query.get("feed") ?? "normal");
  if (!feed) {
    throw new CouchError("bad_request", "Supported `feed` types: normal, continuous, live, longpoll, eventsource");
  }
  const lastEventId = feed === "eventsource" ? headers["last-event-id"] : undefined;
  const since = typeof lastEventId === "string" ? lastEventId : (query.get("since") ?? query.get("last-event-id"));
  const limit = integer(query, "limit");
  const heartbeat = parseHeartbeat(query.get("heartbeat"));
  const longest = services.config.changesTimeout;
  return {
    feed,
    since: parseSince(since, database),
    limit: limit === undefined || limit < 0 ? Number.POSITIVE_INFINITY : limit,
    descending: query.flag("descending"),
    allLeaves: parseStyle(query.get("style")),
    show: query.flag("include_docs")
      ? {
          conflicts: query.flag("conflicts"),
          attachments: query.flag("attachments"),
          attEncodingInfo: query.flag("att_encoding_info"),
        }
      : undefined,
    heartbeat,
    timeout:
      heartbeat === undefined
        ? Math.min(longest, Math.max(0, integer(query, "timeout") ?? longest))
        : Number.POSITIVE_INFINITY,
    seqInterval: parseSeqInterval(query.get("seq_interval")),
  };
}

/** What has sequences: a database, or all of them together. */
export interface SequencedLog {
  readonly updateSeq: number;
  /** @throws CouchError bad_request */
  resolveSeq(text: string): number;
}

/** A sequence may come as the JSON text that an answer showed. Plain numbers belong to no epoch, so they name no place. */
export function parseSince(text: string | undefined, log: SequencedLog): number {
  if (text === undefined || text === "0") return 0;
  if (text === "now") return log.updateSeq;
  const seq = text.startsWith('"') ? parseJsonParameter(text) : text;
  if (seq === "0") return 0;
  if (typeof seq !== "string" || !seq.includes("-")) {
    throw new CouchError("bad_request", "Malformed sequence supplied in 'since' parameter.");
  }
  return log.resolveSeq(seq);
}

function parseStyle(text: string | undefined): boolean {
  if (text === undefined || text === "main_only") return false;
  if (text === "all_docs") return true;
  throw new CouchError("bad_request", "Supported `style` values: main_only, all_docs");
}

function parseHeartbeat(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (text === "true") return longestHeartbeat;
  if (!wholeNumber.test(text)) {
    throw new CouchError(
      "bad_request",
      "Invalid heartbeat value. Expecting a positive integer value (in milliseconds).",
    );
  }
  if (Number(text) <= 0) {
    throw new CouchError("bad_request", "The heartbeat value should be a positive integer (in milliseconds).");
  }
  return Math.min(Number(text), longestHeartbeat);
}

function parseSeqInterval(text: string | undefined): number {
  if (text === undefined) return 1;
  if (!wholeNumber.test(text) || Number(text) < 1) throw new CouchError("bad_request", "invalid_seq_interval");
  return Number(text);
}

function integer(query: Query, name: string): number | undefined {
  const text = query.get(name);
  if (text === undefined) return undefined;
  if (!wholeNumber.test(text)) {
    throw new CouchError("query_parse_error", `Invalid value for integer: ${JSON.stringify(text)}`);
  }
  return Number(text);
}
