/** Sizes that a request about documents may have. */
import { CouchError } from "../../protocol/errors.js";
import type { ParsedDocument } from "../documents/parse-document.js";
import { readBody } from "./body.js";
import type { Call } from "./call.js";

/**
 * JSON bodies are held in memory whole. Attachments inside them count against this only, not as documents; larger ones go by
 * multipart or by themselves, which stream.
 */
const jsonInMemory = 512 * 1024 * 1024;

/** Bytes of JSON that a request may have. */
export function jsonLimit({ services }: Call): number {
  return Math.min(services.config.limits.maxHttpRequestSize, jsonInMemory);
}

export function readDocumentBody(call: Call): Promise<Buffer> {
  return readBody(call, jsonLimit(call));
}

/** @throws CouchError document_too_large */
export function checkDocumentSize(call: Call, parsed: ParsedDocument, id: string): void {
  if (parsed.body.length > call.services.config.limits.maxDocumentSize) throw new CouchError("document_too_large", id);
}
