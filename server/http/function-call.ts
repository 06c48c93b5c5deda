/** What `_show`, `_update` and `_list` have in common: the function that the path names, and what it is told of the request. */

import {
  type DesignDocument,
  type FunctionKind,
  findDesignDocument,
  findFunction,
  requireJavaScript,
} from "../query/design-function.js";
import type { FunctionSource } from "../sandbox/sandbox.js";
import { readBody } from "./body.js";
import type { DatabaseCall } from "./call.js";
import { requestObject } from "./request-object.js";

/** Bytes of a body that goes into the sandbox as a whole. */
const bodyLimit = 16 * 1024 * 1024;

export interface NamedFunction {
  readonly designDocument: DesignDocument;
  readonly source: FunctionSource;
}

/** @throws CouchError not_found, unknown_query_language */
export function namedFunction({ database, params }: DatabaseCall, kind: FunctionKind): NamedFunction {
  const designDocument = findDesignDocument(database, params["ddoc"] as string);
  const source = findFunction(designDocument, kind, params["func"] as string);
  requireJavaScript(designDocument);
  return { designDocument, source };
}

/** The body, decompressed; undefined when none was sent. @throws CouchError too_large */
export async function bodyBytes(call: DatabaseCall): Promise<Buffer | undefined> {
  const { "content-length": length, "transfer-encoding": encoding } = call.headers;
  if (length === undefined && encoding === undefined) return undefined;
  return await readBody(call, bodyLimit);
}

/** JSON text of `req`. @throws CouchError bad_request, too_large */
export async function requestText(call: DatabaseCall, id?: string): Promise<string> {
  const body = (await bodyBytes(call))?.toString();
  return JSON.stringify(await requestObject(call, { id, body }));
}
