/** Reading request bodies. Nothing here holds more than the limit that the caller names. */
import { type Readable, Transform } from "node:stream";
import { createGunzip } from "node:zlib";
import { CouchError } from "../../protocol/errors.js";
import { canonicalJson } from "../documents/json/json-text.js";
import type { Call } from "./call.js";
import { JsonBody } from "./json-body.js";

/** Bytes of JSON that become JavaScript values: a million ids of documents. What has no bound are documents, which stay text. */
const valueLimit = 64 * 1024 * 1024;
const openBrace = 0x7b;
/** Levels of such a value: whoever works through one may do so by recursion. */
const valueDepth = 1000;
/** How many times as long as it came a compressed body may become, once it is longer than most documents. */
const mostExpansion = 100;
const freeExpansion = 16 * 1024 * 1024;

/** The body as it came (decompressed when the client compressed it). @throws CouchError too_large, bad_request, bad_content_type */
export async function readBody(call: Call, limit: number): Promise<Buffer> {
  const encoding = call.headers["content-encoding"] ?? "identity";
  if (encoding !== "identity" && encoding !== "gzip") {
    throw new CouchError("bad_content_type", `${encoding} is not a supported content encoding.`);
  }
  const declared = Number(call.headers["content-length"] ?? 0);
  if (declared > limit) throw tooLarge(limit);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of bodyStream(call)) {
      length += chunk.length;
      if (length > limit) throw tooLarge(limit);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof CouchError) throw error;
    throw new CouchError("bad_request", "The request body broke off or could not be read.", { cause: error });
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

/** The body as a stream. It fails with too_large when it unpacks to something absurd. */
export function bodyStream({ headers, request }: Call): Readable {
  if (headers["content-encoding"] !== "gzip") return request;
  const gunzip = createGunzip();
  let length = 0;
  // A gigabyte of blanks is a megabyte on its way here.
  const guard = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length;
      if (length <= Math.max(freeExpansion, gunzip.bytesWritten * mostExpansion)) return done(null, chunk);
      done(new CouchError("too_large", "The request body unpacks to too many times its length."));
    },
  });
  request.on("error", (error) => gunzip.destroy(error));
  gunzip.on("error", (error) => guard.destroy(error));
  // The request stays open: its answer goes through the same socket.
  guard.on("close", () => {
    request.unpipe(gunzip);
    gunzip.destroy();
  });
  return request.pipe(gunzip).pipe(guard);
}

function tooLarge(limit: number): CouchError {
  return new CouchError("too_large", `The request body may have at most ${limit} bytes.`);
}

/** As CouchDB: exactly this type, whatever its parameters. @throws CouchError bad_content_type */
export function requireJson(call: Call): void {
  const type = call.headers["content-type"]?.split(";", 1)[0]?.trim();
  if (type !== "application/json") throw new CouchError("bad_content_type", "Content-Type must be application/json");
}

/** A JSON value of modest size: settings, queries, lists of ids. @throws CouchError bad_request, too_large */
export async function readJson(call: Call, limit = valueLimitOf(call)): Promise<unknown> {
  return parseJson(await readBody(call, limit));
}

function valueLimitOf({ services }: Call): number {
  return Math.min(services.config.limits.maxHttpRequestSize, valueLimit);
}

function parseJson(bytes: Buffer): unknown {
  return JSON.parse(canonicalJson(bytes, valueDepth).toString());
}

/** @throws CouchError bad_request `Request body must be a JSON object` */
export async function readJsonObject(call: Call, limit?: number): Promise<Record<string, unknown>> {
  return asObject(await readJson(call, limit));
}

/** The same, for those who must not lose a digit of a large integer. @throws CouchError bad_request, too_large */
export async function readJsonBody(call: Call): Promise<JsonBody> {
  return parseJsonBody(await readBody(call, valueLimitOf(call)));
}

/** @throws CouchError bad_request */
export function parseJsonBody(bytes: Buffer): JsonBody {
  const text = canonicalJson(bytes, valueDepth);
  if (text[0] !== openBrace) throw notAnObject();
  return new JsonBody(text);
}

/** No body at all is an empty object. @throws CouchError bad_request */
export async function readOptionalJsonObject(call: Call): Promise<Record<string, unknown>> {
  const bytes = await readBody(call, valueLimitOf(call));
  return bytes.length === 0 ? {} : asObject(parseJson(bytes));
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw notAnObject();
  return value as Record<string, unknown>;
}

function notAnObject(): CouchError {
  return new CouchError("bad_request", "Request body must be a JSON object");
}
