/** What a handler is given and what it gives back: plain data on both sides, so that handlers are tested without sockets. */
import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import type { Identity } from "../../protocol/security.js";
import type { Database } from "../documents/database.js";
import type { Standing } from "../gateway/sessions/standings.js";
import type { Query } from "./query.js";
import type { Services } from "./services.js";

/** One request, its caller known and its need met. */
export interface Call {
  readonly services: Services;
  readonly identity: Identity;
  /** What the identity stands on, for answers that outlive the request; see `whenFeedEnds`. */
  readonly standing: Standing | undefined;
  readonly method: string;
  /** Path and query as they were sent, or as a rewrite made them. */
  readonly url: string;
  /** Parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as the client spelled them. */
  readonly rawHeaders: readonly string[];
  /** The body, unread. */
  readonly request: Readable;
  /** `http://host:port` as the client sees this server, for `Location`. */
  readonly origin: string;
  readonly address: string;
  readonly overTls: boolean;
  /** Aborted when the client goes away before the answer is complete. */
  readonly signal: AbortSignal;
  /** Calls back at that same moment; the result takes that back. For feeds: a signal each is a kilobyte each. */
  whenClosed(gone: () => void): () => void;
  /**
   * Answers another request of the same caller in place of this one, by the same table and the same checks.
   * @throws CouchError bad_request, insecure_rewrite_rule, or whatever the other request is refused with
   */
  rewritten(request: RewrittenRequest): Promise<Reply>;
}

/** What is not named stays as it was sent. */
export interface RewrittenRequest extends Partial<Pick<Call, "headers" | "rawHeaders" | "request">> {
  readonly method: string;
  readonly url: string;
}

/** A request about one database, opened for this caller. */
export interface DatabaseCall extends Call {
  readonly database: Database;
}

/** An answer. Streams are sent as they come, with back-pressure, and ended when the client goes away. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Buffer | string | Readable | AsyncIterable<Uint8Array>;
  /** How long it may be kept is for its own headers to say. */
  readonly ownCaching?: true;
}

export type Handler = (call: Call) => Reply | Promise<Reply>;
export type DatabaseHandler = (call: DatabaseCall) => Reply | Promise<Reply>;

const jsonHeaders = { "Content-Type": "application/json" } as const;
const newline = Buffer.from("\n");

/** A JSON answer, ended by a newline as CouchDB ends it. */
export function json(value: unknown, status = 200, headers?: Readonly<Record<string, string>>): Reply {
  return {
    status,
    headers: headers ? { ...jsonHeaders, ...headers } : jsonHeaders,
    body: `${JSON.stringify(value)}\n`,
  };
}

/** An answer whose JSON text is there already. */
export function jsonText(text: Buffer, status = 200, headers?: Readonly<Record<string, string>>): Reply {
  return {
    status,
    headers: headers ? { ...jsonHeaders, ...headers } : jsonHeaders,
    body: Buffer.concat([text, newline]),
  };
}
