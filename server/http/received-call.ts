import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import type { Identity } from "../../protocol/security.js";
import type { Database } from "../documents/database.js";
import type { Standing } from "../gateway/sessions/standings.js";
import type { Call, DatabaseCall, Reply, RewrittenRequest } from "./call.js";
import { dispatchRewritten } from "./dispatch.js";
import type { FindRoutes } from "./path-router.js";
import type { Query } from "./query.js";
import type { Services } from "./services.js";

export interface Received extends Omit<Call, "signal" | "whenClosed" | "rewritten"> {
  readonly findRoutes: FindRoutes;
  /** The client's own, whatever rewrites make of it. */
  readonly sentMethod: string;
  /** How often it was rewritten. */
  readonly rewrites: number;
}

/**
 * A class for the sake of `signal`: most requests never ask for one, and an object with a getter of its own takes ten times the
 * memory of one that shares it. Feeds keep theirs for as long as they wait.
 */
export class ReceivedCall implements Received, Call {
  readonly services: Services;
  readonly findRoutes: FindRoutes;
  readonly identity: Identity;
  readonly standing: Standing | undefined;
  readonly method: string;
  readonly url: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly request: Readable;
  readonly origin: string;
  readonly address: string;
  readonly overTls: boolean;
  readonly sentMethod: string;
  readonly rewrites: number;
  /** Set by `withDatabase`. */
  database: Database | undefined;
  readonly #response: ServerResponse;
  #signal: AbortSignal | undefined;

  constructor(response: ServerResponse, call: Received) {
    this.services = call.services;
    this.findRoutes = call.findRoutes;
    this.identity = call.identity;
    this.standing = call.standing;
    this.method = call.method;
    this.url = call.url;
    this.params = call.params;
    this.query = call.query;
    this.headers = call.headers;
    this.rawHeaders = call.rawHeaders;
    this.request = call.request;
    this.origin = call.origin;
    this.address = call.address;
    this.overTls = call.overTls;
    this.sentMethod = call.sentMethod;
    this.rewrites = call.rewrites;
    this.#response = response;
  }

  get signal(): AbortSignal {
    this.#signal ??= closedSignal(this.#response);
    return this.#signal;
  }

  whenClosed(gone: () => void): () => void {
    const response = this.#response;
    response.on("close", gone);
    if (response.destroyed) gone();
    return () => void response.off("close", gone);
  }

  rewritten(request: RewrittenRequest): Promise<Reply> {
    return dispatchRewritten(this, request);
  }

  /** The same exchange about another request. */
  again(changes: Partial<Received>): ReceivedCall {
    return new ReceivedCall(this.#response, { ...(this as Received), ...changes });
  }

  withDatabase(database: Database): DatabaseCall {
    this.database = database;
    return this as DatabaseCall;
  }
}

function closedSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once("close", () => controller.abort());
  if (response.destroyed) controller.abort();
  return controller.signal;
}
