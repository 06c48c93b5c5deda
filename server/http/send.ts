/** Sends an answer: the head, then the body as it comes. The only writer to sockets. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Logger } from "pino";
import type { Reply } from "./call.js";

/** On every answer there is. */
export const commonHeaders = {
  Server: "CouchDB/3.5.0 (Settee)",
  "X-Content-Type-Options": "nosniff",
  "X-CouchDB-Body-Time": "0",
} as const;

export async function send(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  more: Readonly<Record<string, string | readonly string[]>>,
  log: Logger,
): Promise<void> {
  if (response.destroyed) return discard(reply);
  const { status, body } = reply;
  const headers: Record<string, string | number | readonly string[]> = { ...commonHeaders, ...more, ...reply.headers };
  if (more["Vary"] && reply.headers?.["Vary"]) headers["Vary"] = `${reply.headers["Vary"]}, ${more["Vary"]}`;
  if (!reply.ownCaching && isCacheable(status, headers["Content-Type"])) headers["Cache-Control"] ??= "must-revalidate";
  // What is left of an unread body would be taken for the next request.
  if (!request.complete) headers["Connection"] = "close";
  const whole = body === undefined || typeof body === "string" || Buffer.isBuffer(body);
  if (whole && status !== 204) {
    headers["Content-Length"] ??= body === undefined ? 0 : Buffer.byteLength(body);
  }
  response.writeHead(status, headers as Record<string, string | number | string[]>);
  if (request.method === "HEAD" || body === undefined || whole) {
    const text = request.method === "HEAD" || !whole ? undefined : body;
    if (!whole) discard(reply);
    if (request.complete) response.end(text);
    else endOnceHeard(request, response, text);
  } else {
    response.flushHeaders();
    await stream(body as Readable | AsyncIterable<Uint8Array>, response, log);
  }
}

/** CouchDB says how to cache what it may be asked for again as a whole. */
function isCacheable(status: number, type: unknown): boolean {
  return (status < 300 || status >= 400) && !(typeof type === "string" && type.startsWith("multipart/"));
}

/** A failure after the head was sent can only be told by breaking off: the client sees an incomplete answer. */
async function stream(
  body: Readable | AsyncIterable<Uint8Array>,
  response: ServerResponse,
  log: Logger,
): Promise<void> {
  try {
    if (body instanceof Readable) return await pipeline(body, response);
    // By hand and right here: a stream and a pipeline around each would triple what a feed costs that waits, and each function that
    // waits for another adds half a kilobyte.
    for await (const chunk of body) {
      if (response.destroyed) return;
      if (!response.write(chunk)) await writable(response);
    }
    response.end();
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    if (code !== "ERR_STREAM_PREMATURE_CLOSE" && name !== "AbortError") log.warn({ err: error }, "an answer broke off");
    response.destroy();
  }
}

/** Resolves when the client took what was written, or is gone. */
function writable(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}

/** A source that was begun holds a snapshot, or a file, until it is told that nobody reads on. */
function discard({ body }: Reply): void {
  if (body instanceof Readable) body.destroy();
  else if (body && typeof body === "object" && Symbol.asyncIterator in body)
    void body[Symbol.asyncIterator]().return?.();
}

/** Bytes and milliseconds that a client may go on sending after it was answered, before its connection is cut. */
const unheardLimit = 32 * 1024 * 1024;
const unheardTime = 2_000;

/**
 * Answers a client that is still sending. A connection closed under a client that writes is an error to it, and the answer is lost: the
 * answer goes out whole, and the end of it, which closes the connection, when the client has stopped sending, having read it.
 */
function endOnceHeard(request: IncomingMessage, response: ServerResponse, text: string | Buffer | undefined): void {
  let left = unheardLimit;
  const end = (): void => {
    clearTimeout(timer);
    request.off("data", count).off("end", end).off("close", end);
    response.end();
  };
  const count = ({ length }: Buffer): void => {
    left -= length;
    if (left < 0) end();
  };
  const timer = setTimeout(end, unheardTime);
  request
    .on("data", count)
    .on("end", end)
    .on("close", end)
    .on("error", () => undefined)
    .resume();
  if (text === undefined || text.length === 0) response.flushHeaders();
  else response.write(text);
}
