/** What an index is made of, whoever maps the documents: functions in the sandbox (views), or fields of documents (Mango). */
import { createHash } from "node:crypto";
import type { ShownRevision } from "../../documents/show-document.js";
import type { EmittedRow } from "../views/changes.js";
import type { IndexedView } from "../views/view-index.js";

/** Rows of one document: for each tree of the index. */
export type RowsOfDocument = readonly (readonly EmittedRow[])[];

export interface IndexDefinition {
  /** 32 hex digits. Definitions of one database with the same signature are one index. */
  readonly signature: string;
  /** Whose it is, for people: `_design/app`. */
  readonly designDoc: string;
  /** Design documents have rows too. */
  readonly includesDesign: boolean;
  readonly trees: readonly IndexedView[];
  /**
   * The rows of each document, in order; where these are many, of the first documents alone, and the others are asked for again.
   * @throws CouchError when a function does not compile
   */
  map(documents: readonly ShownRevision[]): Promise<readonly RowsOfDocument[]> | readonly RowsOfDocument[];
}

/** Of everything that decides which rows an index has, in which order, and what they are reduced to. */
export function signatureOf(parts: unknown): string {
  return createHash("md5").update(JSON.stringify(parts)).digest("hex");
}
