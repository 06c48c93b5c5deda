/** Requests to one database elsewhere: credentials, redirects, tries again, and failures in words that can be told. */
import type { Readable } from "node:stream";
import type { IncomingHttpHeaders } from "undici/types/header.js";
import { CouchError } from "../../../protocol/errors.js";
import { backOff, pause } from "../back-off.js";
import type { UrlEndpoint } from "../endpoint.js";
import { isTransient, PeerUnavailable } from "../failures.js";
import type { Outgoing } from "./outgoing.js";

export interface ConnectionOptions {
  readonly outgoing: Outgoing;
  readonly retries: number;
  /** Milliseconds without a byte after which a request has failed. */
  readonly timeout: number;
}

export interface PeerRequest {
  readonly method: "GET" | "POST" | "PUT";
  /** Behind the database's URL, encoded. */
  readonly path: string;
  readonly accept?: string;
  readonly contentType?: string;
  /** Bytes may be sent again, a stream only once. */
  readonly body?: Buffer | Readable;
  readonly contentLength?: number;
  /** Milliseconds, in place of the connection's own. */
  readonly timeout?: number;
  readonly signal: AbortSignal;
}

export interface PeerReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

/** An answer that was read to its end. */
export interface WholeReply {
  readonly status: number;
  readonly contentType: string;
  readonly bytes: Buffer;
}

const maxRedirects = 5;
const redirects = new Set([301, 302, 303, 307, 308]);
const requestBackOff = { first: 250, most: 60_000 };
/** Of an answer that is held in memory: batches are sized to be far below. */
const maxAnswer = 512 * 1024 * 1024;

export class Connection {
  /** As it is shown. */
  readonly url: string;
  readonly hasCredentials: boolean;
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #options: ConnectionOptions;

  constructor({ url, credentials, headers }: UrlEndpoint, options: ConnectionOptions) {
    this.url = url;
    this.#base = new URL(url);
    this.#options = options;
    const own = credentials && { authorization: basic(credentials.username, credentials.password) };
    this.#headers = { ...headers, ...own };
    this.hasCredentials = "authorization" in this.#headers || "cookie" in this.#headers;
  }

  /** Reads the whole answer; tries again what may pass. @throws CouchError; AbortError */
  async ask(request: PeerRequest): Promise<WholeReply> {
    return await this.#trying(request, async () => {
      const { status, headers, body } = await this.send(request);
      const bytes = await this.whole(body, request.signal);
      return { status, contentType: String(headers["content-type"] ?? ""), bytes };
    });
  }

  /** JSON of an answer of 200 to 299. @throws CouchError for any other */
  async askJson(request: PeerRequest): Promise<unknown> {
    const reply = await this.ask(request);
    if (reply.status >= 300) throw this.refusal(reply);
    return this.json(reply);
  }

  /** One try; the answer's body streams. @throws PeerUnavailable, CouchError forbidden; AbortError */
  async send(request: PeerRequest): Promise<PeerReply> {
    try {
      const reply = await this.#follow(request);
      if (reply.status < 500 && reply.status !== 429 && reply.status !== 408) return reply;
      reply.body.on("error", () => undefined).destroy();
      throw new PeerUnavailable(`${this.url}${shown(request.path)} answered ${reply.status}`);
    } catch (error) {
      request.signal.throwIfAborted();
      if (error instanceof CouchError) throw error;
      throw new PeerUnavailable(`${this.url} cannot be reached: ${messageOf(error)}`, error);
    }
  }

  json({ bytes, status }: WholeReply): unknown {
    try {
      return JSON.parse(bytes.toString());
    } catch (error) {
      throw new CouchError("replication_error", `${this.url} answered ${status} with something that is no JSON`, {
        cause: error,
      });
    }
  }

  /** What an answer of 300 and more means. */
  refusal({ status, bytes }: Pick<WholeReply, "status" | "bytes">): CouchError {
    if (status === 404) return new CouchError("db_not_found", `could not open ${this.url}`);
    if (status === 401) {
      if (this.hasCredentials) {
        return new CouchError("replication_auth_error", `${this.url} refused the name or password`);
      }
      return new CouchError("unauthorized", `unauthorized to access or create database ${this.url}`);
    }
    if (status === 403) return new CouchError("forbidden", `forbidden to access or create database ${this.url}`);
    const { error, reason } = errorOf(bytes);
    return new CouchError("replication_error", `${this.url} answered ${status}: ${error}: ${reason}`);
  }

  async #trying<T>(request: PeerRequest, work: () => Promise<T>): Promise<T> {
    for (let failures = 0; ; ) {
      try {
        return await work();
      } catch (error) {
        if (!isTransient(error) || ++failures > this.#options.retries) throw error;
        await pause(backOff(failures, requestBackOff), request.signal);
      }
    }
  }

  async #follow(request: PeerRequest): Promise<PeerReply> {
    // The path as text: a URL object would take the id `..` for the folder above.
    let url = this.#base;
    let path = this.#base.pathname + request.path;
    for (let hops = 0; ; hops++) {
      const reply = await this.#once(url, path, request);
      const { location } = reply.headers;
      if (!redirects.has(reply.status) || typeof location !== "string") return reply;
      const again = request.method === "GET" || reply.status >= 307;
      const replayable = request.body === undefined || Buffer.isBuffer(request.body);
      if (hops >= maxRedirects || !again || !replayable || !URL.canParse(location, url.origin + path)) return reply;
      reply.body.on("error", () => undefined).destroy();
      const next = new URL(location, url.origin + path);
      if (!/^https?:$/.test(next.protocol) || (url.protocol === "https:" && next.protocol === "http:")) {
        throw new CouchError("replication_error", `${this.url} redirects to somewhere that is not safe`);
      }
      url = next;
      path = next.pathname + next.search;
    }
  }

  async #once(url: URL, path: string, request: PeerRequest): Promise<PeerReply> {
    const { method, body, contentType, contentLength, accept = "application/json", signal } = request;
    const timeout = request.timeout ?? this.#options.timeout;
    // Who was redirected elsewhere is not told the secrets of the place that redirects.
    const own = url.origin === this.#base.origin ? this.#headers : {};
    const headers: Record<string, string> = { ...own, accept, "user-agent": "Settee-Replicator" };
    if (contentType !== undefined) headers["content-type"] = contentType;
    if (contentLength !== undefined) headers["content-length"] = String(contentLength);
    const reply = await this.#options.outgoing.request(url, path, {
      method,
      headers,
      body: body ?? null,
      signal,
      headersTimeout: timeout,
      bodyTimeout: timeout,
    });
    return { status: reply.statusCode, headers: reply.headers, body: reply.body };
  }

  /** A body that streams, read to its end. @throws PeerUnavailable; AbortError */
  async whole(body: Readable, signal: AbortSignal): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let length = 0;
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > maxAnswer) throw new CouchError("replication_error", `${this.url} sent an answer without end`);
        chunks.push(chunk);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CouchError) throw error;
      throw new PeerUnavailable(`${this.url} broke off: ${messageOf(error)}`, error);
    }
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length);
  }
}

export function errorOf(bytes: Buffer): { readonly error: string; readonly reason: string } {
  try {
    const { error, reason } = JSON.parse(bytes.toString()) as Record<string, unknown>;
    return { error: String(error), reason: String(reason) };
  } catch {
    return { error: "error", reason: "an answer that is no JSON" };
  }
}

function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
}

/** Where in the database; what was asked with may be long. */
function shown(path: string): string {
  return path.split("?", 1)[0] as string;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  return error.message || code || error.name;
}
