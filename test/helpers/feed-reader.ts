/** A feed that stays open: `const feed = await openFeed(world, "/notes/_changes?feed=continuous")`. */
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import type { HttpWorld } from "./http-world.js";
import { waitFor } from "./wait-for.js";

export class FeedReader {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The whole answer came, with its end. */
  complete = false;
  readonly #request: ClientRequest;
  readonly #reply: IncomingMessage;
  #text = "";

  constructor(request: ClientRequest, reply: IncomingMessage) {
    this.status = reply.statusCode ?? 0;
    this.headers = reply.headers;
    this.#request = request;
    this.#reply = reply;
    reply.setEncoding("utf8");
    reply.on("data", (text: string) => {
      this.#text += text;
    });
    reply.on("end", () => {
      this.complete = true;
    });
    // Broken off: by the test, or then `complete` stays false.
    reply.on("error", () => undefined);
  }

  /** All that came so far. */
  get text(): string {
    return this.#text;
  }

  /** Lines of JSON so far; heartbeats are none. */
  get lines(): readonly Record<string, unknown>[] {
    const complete = this.#text.slice(0, this.#text.lastIndexOf("\n") + 1);
    return complete.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Record<string, unknown>]));
  }

  /** Resolves with the lines when there are so many. */
  async until(count: number): Promise<readonly Record<string, unknown>[]> {
    await waitFor(`${count} lines`, () => this.lines.length >= count);
    return this.lines;
  }

  /** Resolves with all text when the answer has ended. */
  async end(): Promise<string> {
    await waitFor("the end of the feed", () => this.complete);
    return this.#text;
  }

  /** Reads nothing more, so that the server's writes back up. */
  pause(): void {
    this.#reply.pause();
  }

  resume(): void {
    this.#reply.resume();
  }

  /** The client goes away. */
  leave(): void {
    this.#request.destroy();
  }
}

/** Resolves when the answer has begun. */
export function openFeed(
  { url, adminHeaders }: Pick<HttpWorld, "url" | "adminHeaders">,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: unknown,
): Promise<FeedReader> {
  const { hostname, port } = new URL(url);
  const type = body === undefined ? {} : { "content-type": "application/json" };
  const method = body === undefined ? "GET" : "POST";
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers: { ...adminHeaders, ...type, ...headers } }, (reply) =>
      resolve(new FeedReader(sent, reply)),
    );
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
