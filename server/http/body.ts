/** Reading request bodies. Nothing here holds more than the limit that the caller names. */
import { createGunzip } from "node:zlib";
import type { Readable } from "node:stream";
import { CouchError } from "../../protocol/errors.js";
import { canonicalJson } from "../documents/json/json-text.js";
import type { Call } from "./call.js";

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

/** The body as a stream. */
export function bodyStream(call: Call): Readable {
  if (call.headers["content-encoding"] !== "gzip") return call.request;
  const gunzip = createGunzip();
  call.request.on("error", (error) => gunzip.destroy(error));
  return call.request.pipe(gunzip);
}

function tooLarge(limit: number): CouchError {
  return new CouchError("too_large", `The request body may have at most ${limit} bytes.`);
}

/** As CouchDB: exactly this type, whatever its parameters. @throws CouchError bad_content_type */
export function requireJson(call: Call): void {
  const type = call.headers["content-type"]?.split(";", 1)[0]?.trim();
  if (type !== "application/json") throw new CouchError("bad_content_type", "Content-Type must be application/json");
}

/** A JSON value of modest size: settings, queries, lists of ids. @throws CouchError bad_request */
export async function readJson(call: Call, limit = call.services.config.limits.maxHttpRequestSize): Promise<unknown> {
  return parseJson(await readBody(call, limit));
}

function parseJson(bytes: Buffer): unknown {
  return JSON.parse(canonicalJson(bytes).toString());
}

/** @throws CouchError bad_request `Request body must be a JSON object` */
export async function readJsonObject(call: Call, limit?: number): Promise<Record<string, unknown>> {
  return asObject(await readJson(call, limit));
}

/** No body at all is an empty object. @throws CouchError bad_request */
export async function readOptionalJsonObject(call: Call): Promise<Record<string, unknown>> {
  const bytes = await readBody(call, call.services.config.limits.maxHttpRequestSize);
  return bytes.length === 0 ? {} : asObject(parseJson(bytes));
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new CouchError("bad_request", "Request body must be a JSON object");
  }
  return value as Record<string, unknown>;
}
