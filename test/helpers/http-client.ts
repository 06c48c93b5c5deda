/**
 * Plain HTTP for tests: the path goes out exactly as written (`fetch` would tidy it up), nothing is retried, and a
 * reply of any status is a value.
 */
import { Agent, type IncomingHttpHeaders, request } from "node:http";

export interface HttpRequest {
  /** Sent as JSON, unless it is a string or bytes. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Replaces the client's own `Authorization`; null sends none. */
  readonly authorization?: string | null;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON. @throws Error quoting a body that is something else */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into replies of every shape
  json(): any;
}

/** Milliseconds of silence after which a request has failed. */
const patience = 20_000;

export function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
}

export class HttpClient {
  readonly url: string;
  private readonly authorization: string | undefined;
  private readonly agent = new Agent({ keepAlive: true });

  constructor(url: string, authorization?: string) {
    this.url = url;
    this.authorization = authorization;
  }

  /** Rejects only when the connection fails or breaks. */
  send(method: string, path: string, options: HttpRequest = {}): Promise<HttpReply> {
    const { hostname, port } = new URL(this.url);
    const body = encoded(options.body);
    const headers = { ...this.headersFor(options, body !== undefined), ...options.headers };
    return new Promise((resolve, reject) => {
      const sent = request({ agent: this.agent, hostname, port, method, path, headers }, (reply) => {
        const chunks: Buffer[] = [];
        reply.on("data", (chunk: Buffer) => chunks.push(chunk));
        reply.on("error", reject);
        reply.on("end", () => resolve(replyOf(reply.statusCode ?? 0, reply.headers, Buffer.concat(chunks))));
      });
      sent.on("error", reject);
      sent.setTimeout(patience, () => sent.destroy(new Error(`${method} ${path}: no answer within ${patience} ms`)));
      sent.end(body);
    });
  }

  get(path: string, options?: HttpRequest): Promise<HttpReply> {
    return this.send("GET", path, options);
  }

  put(path: string, body?: unknown, options: HttpRequest = {}): Promise<HttpReply> {
    return this.send("PUT", path, { ...options, body });
  }

  post(path: string, body: unknown, options: HttpRequest = {}): Promise<HttpReply> {
    return this.send("POST", path, { ...options, body });
  }

  /** Sends and insists on the status. @throws Error with the reply's own words */
  async expect(status: number, method: string, path: string, options?: HttpRequest): Promise<HttpReply> {
    const reply = await this.send(method, path, options);
    if (reply.status === status) return reply;
    throw new Error(`${method} ${path}: expected ${status}, got ${reply.status}: ${reply.text.slice(0, 500)}`);
  }

  close(): void {
    this.agent.destroy();
  }

  private headersFor(options: HttpRequest, hasBody: boolean): Record<string, string> {
    const headers: Record<string, string> = { accept: "application/json" };
    if (hasBody) headers["content-type"] = "application/json";
    const authorization = options.authorization === undefined ? this.authorization : options.authorization;
    if (authorization) headers.authorization = authorization;
    return headers;
  }
}

function encoded(body: unknown): Buffer | undefined {
  if (body === undefined) return undefined;
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

function replyOf(status: number, headers: IncomingHttpHeaders, bytes: Buffer): HttpReply {
  return {
    status,
    headers,
    bytes,
    get text() {
      return bytes.toString("utf8");
    },
    json() {
      try {
        return JSON.parse(this.text);
      } catch (error) {
        throw new Error(`status ${status}, not JSON: ${this.text.slice(0, 200)}`, { cause: error });
      }
    },
  };
}
