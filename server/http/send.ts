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
  // What is left of an unread body would be taken for the next request: read it away when it is short, close otherwise.
  if (!request.complete) headers["Connection"] = "close";
  const whole = body === undefined || typeof body === "string" || Buffer.isBuffer(body);
  if (whole && status !== 204) {
    headers["Content-Length"] ??= body === undefined ? 0 : Buffer.byteLength(body);
  }
  response.writeHead(status, headers as Record<string, string | number | string[]>);
  if (request.method === "HEAD" || body === undefined) {
    response.end();
    if (!whole) discard(reply);
  } else if (whole) {
    response.end(body);
  } else {
    response.flushHeaders();
    await stream(body as Readable | AsyncIterable<Uint8Array>, response, log);
  }
  if (!request.complete) drain(request);
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

/** Bytes that a client may still send after it was refused, before its connection is cut: enough for it to read the answer. */
const drainLimit = 8 * 1024 * 1024;

function drain(request: IncomingMessage): void {
  let left = drainLimit;
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
  request.on("error", () => undefined);
}
