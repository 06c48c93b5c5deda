/** Prepared requests, a pool of connections, and the timed loop of every case. */
import { setImmediate } from "node:timers/promises";
import { Connection, type PreparedRequest, type Reply } from "./connection.js";

export interface Target {
  /** Without a slash at the end. */
  readonly url: string;
  /** Value of the `Authorization` header; none for a peer that asks for none. */
  readonly authorization?: string | undefined;
}

export class LoadClient {
  readonly target: Target;
  private connections: Connection[] = [];

  constructor(target: Target) {
    this.target = target;
  }

  /** The bytes of a request. A body that is not bytes is sent as JSON. */
  prepare(method: string, path: string, body?: unknown, contentType = "application/json"): PreparedRequest {
    const { host } = new URL(this.target.url);
    const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, "Accept: application/json"];
    if (this.target.authorization) lines.push(`Authorization: ${this.target.authorization}`);
    if (body === undefined && method === "GET") return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
    const bytes = body === undefined ? "" : body instanceof Uint8Array ? body : JSON.stringify(body);
    const payload = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
    if (body !== undefined) lines.push(`Content-Type: ${contentType}`);
    lines.push(`Content-Length: ${payload.length}`);
    return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), payload]);
  }

  /** One request outside any timing. @throws Error when the status is 400 or above */
  async ask(method: string, path: string, body?: unknown): Promise<Reply> {
    const [connection] = await this.open(1);
    return accepted(await (connection as Connection).send(this.prepare(method, path, body)), `${method} ${path}`);
  }

  /**
   * Sends `requests` over `clients` connections, each sending its next one when the last was answered, and resolves
   * with how long that took. It stops early at `deadline` milliseconds, so that a slow peer takes no longer than a
   * fast one; `sent` says how many requests were answered. `onSend` hears of each before it leaves.
   */
  async run(
    requests: readonly PreparedRequest[],
    clients: number,
    deadline = Number.POSITIVE_INFINITY,
    onSend?: (index: number) => void,
  ): Promise<LoadResult> {
    const connections = await this.open(Math.min(clients, requests.length));
    let next = 0;
    let last: Reply | undefined;
    const started = performance.now();
    const work = async (connection: Connection): Promise<void> => {
      while (next < requests.length && performance.now() - started < deadline) {
        const request = requests[next] as PreparedRequest;
        onSend?.(next);
        next += 1;
        const reply = await connection.send(request);
        if (reply.status >= 400) accepted(reply, firstLine(request));
        last = reply;
      }
    };
    await Promise.all(connections.map(work));
    if (!last) throw new Error("nothing was sent");
    return { sent: next, seconds: (performance.now() - started) / 1000, last };
  }

  close(): void {
    for (const connection of this.connections) connection.close();
    this.connections = [];
  }

  private async open(count: number): Promise<readonly Connection[]> {
    // Servers close those that were idle while something slow was asked; that news may still wait to be read.
    await setImmediate();
    this.connections = this.connections.filter((connection) => !connection.isClosed);
    while (this.connections.length < count) this.connections.push(await Connection.open(this.target.url));
    return this.connections.slice(0, count);
  }
}

export interface LoadResult {
  /** The first so many of the requests were sent and answered with success. */
  readonly sent: number;
  readonly seconds: number;
  /** One of the replies, for a look at what came. */
  readonly last: Reply;
}

function accepted(reply: Reply, what: string): Reply {
  if (reply.status >= 400) throw new Error(`${what}: ${reply.status} ${reply.body().toString("utf8").slice(0, 200)}`);
  return reply;
}

function firstLine(request: PreparedRequest): string {
  return request.toString("latin1", 0, request.indexOf(" HTTP/1.1\r\n"));
}
