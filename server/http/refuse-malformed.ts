/** Bytes that never become a request: Node hands them over with the bare socket. They are refused in the shape of every refusal. */
import { type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { CouchError } from "../../protocol/errors.js";
import { commonHeaders } from "./send.js";

/** The answer that each connection is at. */
const current = new WeakMap<Socket, ServerResponse>();

/** To be called once, before the server listens. */
export function watchAnswers(server: Server): void {
  server.on("request", (request, response) => current.set(request.socket, response));
  // Only `100-continue` means anything, and Node sees to that. As in CouchDB any other expectation is passed over.
  server.on("checkExpectation", (request, response) => server.emit("request", request, response));
}

/** Node's `clientError`. */
export function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  const answer = current.get(socket);
  // A refusal in the middle of another answer would be taken for a part of it.
  const isAnswering = answer?.headersSent === true && !answer.writableFinished;
  if (!socket.writable || isAnswering || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const { status, error: word, reason } = refusalOf(error);
  const body = `${JSON.stringify({ error: word, reason })}\n`;
  const headers: Readonly<Record<string, string | number>> = {
    ...commonHeaders,
    Connection: "close",
    "Cache-Control": "must-revalidate",
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`, () => socket.destroy());
}

function refusalOf({ code }: NodeJS.ErrnoException): CouchError {
  if (code === "HPE_HEADER_OVERFLOW")
    return new CouchError("bad_request", "The headers are too long.", { status: 431 });
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return new CouchError("bad_request", "The headers did not come in time.", { status: 408 });
  }
  return new CouchError("bad_request", "The request is not well-formed HTTP.");
}
