/** Functions of design documents, found by name. */
import { CouchError } from "../../protocol/errors.js";
import type { Database } from "../documents/database.js";
import { documentText } from "../documents/document-text.js";
import { pickMember } from "../documents/json/json-text.js";
import { type RevisionNode, revOf } from "../documents/revisions/tree.js";
import { pickWinner } from "../documents/show-document.js";
import type { FunctionSource } from "../sandbox/sandbox.js";

export interface DesignDocument {
  /** `_design/...` */
  readonly id: string;
  readonly rev: string;
  /** JSON text without `_id` and `_rev`. */
  readonly body: Buffer;
}

/** @throws CouchError not_found */
export function findDesignDocument(database: Database, name: string): DesignDocument {
  const id = `_design/${name}`;
  const { document, index, value } = pickWinner(database, database.find(id));
  return { id, rev: revOf(document.record.tree[index] as RevisionNode), body: value.body };
}

/** Functions by name; a view has its `map`. */
export type FunctionKind = "filters" | "views" | "shows" | "lists" | "updates";

/** @throws CouchError not_found when the design document has no such function */
export function findFunction(designDocument: DesignDocument, kind: FunctionKind, name: string): FunctionSource {
  const functions = pickMember(designDocument.body, kind);
  if (typeof functions !== "object" || functions === null) {
    throw new CouchError("not_found", `missing json key: ${kind}`);
  }
  if (!Object.hasOwn(functions, name)) throw new CouchError("not_found", `missing json key: ${name}`);
  const found = (functions as Record<string, unknown>)[name];
  return functionSource(designDocument, kind === "views" ? (found as { readonly map?: unknown } | null)?.map : found);
}

const looksAround = /\b(require|this)\b/;

export function functionSource({ id, rev, body }: DesignDocument, source: unknown): FunctionSource {
  // What is no text does not compile either, and says so when it is used.
  const text = typeof source === "string" ? source : JSON.stringify(source ?? null);
  // Few functions look at their design document, and to those that do not it need not be sent.
  const modules = looksAround.test(text) ? { modules: textOf({ id, rev, body }) } : {};
  return { designDoc: id, source: text, ...modules };
}

function textOf({ id, rev, body }: DesignDocument): string {
  return documentText({ id, rev, deleted: false, value: { body, attachments: [] } }).toString();
}

/** Of functions that answer clients. @throws CouchError unknown_query_language */
export function requireJavaScript({ body }: DesignDocument): void {
  const language = pickMember(body, "language") ?? "javascript";
  if (language !== "javascript") throw new CouchError("unknown_query_language", String(language));
}
