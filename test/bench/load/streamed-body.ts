/** Large bodies that are never in memory as a whole, neither going nor coming. */
import { createHash, randomBytes } from "node:crypto";
import { type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Target } from "./load-client.js";

const block = randomBytes(2 ** 16);

/** So many bytes, the same each time within a process, and no two blocks alike. */
export function* noise(length: number): Generator<Buffer> {
  for (let from = 0; from < length; from += block.length) {
    const bytes = Buffer.from(block.subarray(0, Math.min(block.length, length - from)));
    if (bytes.length >= 8) bytes.writeDoubleBE(from);
    yield bytes;
  }
}

export function md5Of(pieces: Iterable<Buffer>): string {
  const hash = createHash("md5");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("base64");
}

export interface Sent {
  readonly status: number;
  readonly text: string;
  readonly seconds: number;
}

/** Without `content-length` among the headers it goes in chunks. */
export async function sendBody(
  target: Target,
  path: string,
  headers: Readonly<Record<string, string | number>>,
  body: Iterable<Buffer>,
): Promise<Sent> {
  const began = performance.now();
  const sent = request(`${target.url}${path}`, { method: "PUT", headers: { ...authorization(target), ...headers } });
  const answered = new Promise<IncomingMessage>((resolve, reject) => sent.on("response", resolve).on("error", reject));
  // A server that refuses stops reading: what then cannot be sent is not what went wrong.
  const gone = pipeline(Readable.from(body), sent).catch(() => undefined);
  const reply = await answered;
  let text = "";
  for await (const piece of reply.setEncoding("utf8")) text += piece;
  if (reply.statusCode === 201) await gone;
  sent.destroy();
  return { status: reply.statusCode ?? 0, text, seconds: (performance.now() - began) / 1000 };
}

export interface Received {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly bytes: number;
  readonly md5: string;
  readonly firstByte: number;
  readonly seconds: number;
}

export async function receiveBody(
  target: Target,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Received> {
  const began = performance.now();
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(`${target.url}${path}`, { headers: { ...authorization(target), ...headers } }, resolve);
    sent.on("error", reject).end();
  });
  const hash = createHash("md5");
  let bytes = 0;
  let firstByte = Number.NaN;
  for await (const piece of reply as AsyncIterable<Buffer>) {
    if (bytes === 0) firstByte = performance.now() - began;
    bytes += piece.length;
    hash.update(piece);
  }
  const seconds = (performance.now() - began) / 1000;
  const { statusCode: status = 0 } = reply;
  return { status, headers: reply.headers, bytes, md5: hash.digest("base64"), firstByte, seconds };
}

function authorization({ authorization }: Target): Readonly<Record<string, string>> {
  return authorization === undefined ? {} : { authorization };
}
