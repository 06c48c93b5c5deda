/**
 * Types for the files in this folder. `design-docs/TEMPLATE/NAME.ts` becomes `_design/NAME` in every database made from
 * the template; what it exports has CouchDB's own names:
 *
 *     import type { Filters, ValidateDocUpdate, Views } from "../design-doc.js";
 *
 *     export const views: Views = {
 *       "by-type": { map(doc) { emit(doc.type, null); }, reduce: "_count" },
 *     };
 *     export const filters: Filters = { mine: (doc, req) => doc.owner === req.userCtx.name };
 *     export const validate_doc_update: ValidateDocUpdate = (newDoc, oldDoc, userCtx) => {
 *       if (userCtx.name === null) throw { unauthorized: "Please sign in." };
 *     };
 *
 * Also `updates`, `options` and `autoupdate`. Files may import from one another and from packages: each function is
 * deployed as text, with what it uses bundled into it. They run in CouchDB's world: plain ECMAScript and the functions
 * declared below. Folders inside a template, and folders whose name starts with `_`, hold modules to import.
 *
 * Type-check with `npx tsc -p design-docs --noEmit`.
 */

/** A document as functions see it. `Views<Note>` and the like narrow it where a file knows its documents. */
export interface Doc {
  readonly _id: string;
  readonly _rev?: string;
  readonly _deleted?: boolean;
  readonly _revisions?: { readonly start: number; readonly ids: readonly string[] };
  readonly _attachments?: Readonly<Record<string, AttachmentStub>>;
  readonly [member: string]: unknown;
}

export interface AttachmentStub {
  readonly content_type: string;
  readonly digest?: string;
  readonly length?: number;
  readonly revpos?: number;
  readonly stub?: boolean;
}

/** Who is asking: `name` is null for a guest, role `_admin` is a server administrator. */
export interface UserContext {
  readonly db: string;
  readonly name: string | null;
  readonly roles: readonly string[];
}

export interface SecurityList {
  readonly names?: readonly string[];
  readonly roles?: readonly string[];
}

export interface SecurityObject {
  readonly admins?: SecurityList;
  readonly members?: SecurityList;
  readonly [other: string]: unknown;
}

export interface Request {
  readonly method: string;
  readonly path: readonly string[];
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  readonly id: string | null;
  readonly userCtx: UserContext;
  readonly secObj: SecurityObject;
  readonly [other: string]: unknown;
}

/** Computed by the database itself, which is far faster than a function. */
export type BuiltInReduce = "_count" | "_sum" | "_stats" | "_approx_count_distinct";

/** `keys` are `[key, document id]` pairs, and null when `rereduce`: `values` are then earlier results. */
export type Reduce = (
  keys: readonly (readonly [unknown, string])[] | null,
  values: readonly unknown[],
  rereduce: boolean,
) => unknown;

export interface View<D extends Doc = Doc> {
  map(doc: D): void;
  readonly reduce?: BuiltInReduce | Reduce;
}

export type Views<D extends Doc = Doc> = Readonly<Record<string, View<D>>>;
/** Whether a change goes to the reader of the feed. Deletions come with `_deleted` and little else. */
export type Filters<D extends Doc = Doc> = Readonly<Record<string, (doc: D, req: Request) => boolean>>;
export type UpdateReply =
  | string
  | { readonly code?: number; readonly headers?: object; readonly body?: string; readonly json?: unknown };
/** The document to store (null: none) and the answer. */
export type Updates = Readonly<
  Record<string, (doc: Doc | null, req: Request) => readonly [object | null, UpdateReply]>
>;
/** Refuses with `throw { forbidden: "..." }` or `throw { unauthorized: "..." }`. Is asked about deletions too. */
export type ValidateDocUpdate<D extends Doc = Doc> = (
  newDoc: D,
  oldDoc: D | null,
  userCtx: UserContext,
  secObj: SecurityObject,
) => void;

declare global {
  /** A row of the view. */
  function emit(key: unknown, value: unknown): void;
  /** A line in the server's log. */
  function log(message: unknown): void;
  function sum(values: readonly number[]): number;
  function isArray(value: unknown): value is unknown[];
  function toJSON(value: unknown): string;
}
