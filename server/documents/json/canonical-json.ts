import { JsonScanner } from "./scanner.js";

/**
 * The canonical spelling of any JSON value; the very same buffer when it is canonical already.
 * @param deepest levels that it may be nested; default: as deep as any text
 * @throws CouchError bad_request `invalid UTF-8 JSON`
 */
export function canonicalJson(text: Buffer, deepest?: number): Buffer {
  const scanner = new JsonScanner(text, deepest);
  const valueEnd = scanner.value(0);
  const end = scanner.spaces(valueEnd);
  if (end !== text.length) scanner.fail();
  return scanner.writer.finish(end);
}
