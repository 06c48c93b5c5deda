import { JsonScanner } from "./scanner.js";

/**
 * The canonical spelling of any JSON value; the very same buffer when it is canonical already.
 * @throws CouchError bad_request `invalid UTF-8 JSON`
 */
export function canonicalJson(text: Buffer): Buffer {
  const scanner = new JsonScanner(text);
  const valueEnd = scanner.value(0);
  const end = scanner.spaces(valueEnd);
  if (end !== text.length) scanner.fail();
  return scanner.writer.finish(end);
}
