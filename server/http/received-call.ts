import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Identity } from "../../protocol/security.js";
import type { Database } from "../documents/database.js";
import type { Call, DatabaseCall } from "./call.js";
import type { Query } from "./query.js";
import type { Services } from "./services.js";

/**
 * A class for the sake of `signal`: most requests never ask for one, and an object with a getter of its own takes ten times the
 * memory of one that shares it. Feeds keep theirs for as long as they wait.
 */
export class ReceivedCall implements Call {
  readonly services: Services;
  readonly identity: Identity;
  readonly method: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  readonly request: IncomingMessage;
  readonly origin: string;
  readonly address: string;
  readonly overTls: boolean;
  /** Set by `withDatabase`. */
  database: Database | undefined;
  readonly #response: ServerResponse;
  #signal: AbortSignal | undefined;

  constructor(response: ServerResponse, call: Omit<Call, "signal" | "whenClosed">) {
    this.services = call.services;
    this.identity = call.identity;
    this.method = call.method;
    this.params = call.params;
    this.query = call.query;
    this.headers = call.headers;
    this.request = call.request;
    this.origin = call.origin;
    this.address = call.address;
    this.overTls = call.overTls;
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
