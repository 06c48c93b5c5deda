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
 * Also `updates`, `shows`, `lists`, `rewrites`, `lib`, `options` and `autoupdate`. In a package of your own the types are
 * `settee/design-doc`. docs/design-documents.md is the guide.
 *
 * Type-check with `npx tsc -p design-docs --noEmit`; try with `npx settee design check`.
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
  readonly requested_path: readonly string[];
  readonly raw_path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** Names as in `Content-Type`. Without what proves who is asking. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  readonly form: Readonly<Record<string, string | undefined>>;
  /** Of the document that the path names. */
  readonly id: string | null;
  readonly uuid: string;
  readonly peer: string;
  readonly info: { readonly db_name: string; readonly [other: string]: unknown };
  readonly userCtx: UserContext;
  readonly secObj: SecurityObject;
  readonly [other: string]: unknown;
}

/** Computed by the database itself, which is far faster than a function. `N` of `_top_N` and `_bottom_N`: 1 to 100. */
export type BuiltInReduce =
  | "_count"
  | "_sum"
  | "_stats"
  | "_approx_count_distinct"
  | "_first"
  | "_last"
  | `_top_${number}`
  | `_bottom_${number}`;

/** `keys` are `[key, document id]` pairs, and null when `rereduce`: `values` are then earlier results. */
export type Reduce = (
  keys: readonly (readonly [unknown, string])[] | null,
  // biome-ignore lint/suspicious/noExplicitAny: what they are, only the map function beside it knows
  values: readonly any[],
  rereduce: boolean,
) => unknown;

export interface View<D extends Doc = Doc> {
  map(doc: D): void;
  readonly reduce?: BuiltInReduce | Reduce;
  /** `raw`: keys in the order of their code units, which is faster than CouchDB's own. */
  readonly options?: { readonly collation?: "default" | "raw" };
}

export type Views<D extends Doc = Doc> = Readonly<Record<string, View<D>>>;

/** Refuses with `throw { forbidden: "..." }` or `throw { unauthorized: "..." }`. Is asked about deletions too. */
export type ValidateDocUpdate<D extends Doc = Doc> = (
  newDoc: D,
  oldDoc: D | null,
  userCtx: UserContext,
  secObj: SecurityObject,
) => void;

/** Whether a change goes to the reader of the feed. Deletions come with `_deleted` and little else. */
export type Filters<D extends Doc = Doc> = Readonly<Record<string, (doc: D, req: Request) => boolean>>;

/** A text is a body. */
export type Response =
  | string
  | {
      readonly code?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      readonly base64?: string;
      readonly json?: unknown;
    };

/** The document to store (null: none) and the answer. */
export type Updates<D extends Doc = Doc> = Readonly<
  Record<string, (doc: D | null, req: Request) => readonly [object | null, Response]>
>;

/** Nothing is given back where `provides` answers. */
// biome-ignore lint/suspicious/noConfusingVoidType: functions without a `return` are right here
export type Shows<D extends Doc = Doc> = Readonly<Record<string, (doc: D | null, req: Request) => Response | void>>;

export interface ListHead {
  /** Not of a reduced view. */
  readonly total_rows?: number;
  readonly offset?: number;
}

/** Reads rows with `getRow` and writes with `send`; what it returns is sent last. */
// biome-ignore lint/suspicious/noConfusingVoidType: functions without a `return` are right here
export type Lists = Readonly<Record<string, (head: ListHead, req: Request) => string | void>>;

export interface Row<D extends Doc = Doc> {
  /** Not of a reduced view. */
  readonly id?: string;
  // biome-ignore lint/suspicious/noExplicitAny: what they are, only the view's map function knows
  readonly key: any;
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly value: any;
  /** With `include_docs=true`. */
  readonly doc?: D | null;
}

export interface RewriteRule {
  /** `/notes/:id` or `/files/*`. */
  readonly from: string;
  /** From the design document: `../../:id`, `_view/by-type`, `_show/page/*`. */
  readonly to: string;
  readonly method?: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly formats?: Readonly<Record<string, "int" | "bool" | "string">>;
}

/** What to ask for instead: a path, or more of a request. */
export type Rewritten =
  | string
  | {
      readonly path?: string;
      readonly method?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly query?: Readonly<Record<string, unknown>>;
      readonly body?: string;
      /** Answered at once, without asking for anything. */
      readonly code?: number;
    };

export type Rewrites = readonly RewriteRule[] | ((req: Request) => Rewritten | null | undefined);

/** Texts of CommonJS modules, for functions that come from elsewhere and `require` them: `require("views/lib/NAME")`. */
export interface Library {
  readonly [name: string]: string | Library;
}

export interface Options {
  /** Documents have `_local_seq`, their sequence. */
  readonly local_seq?: boolean;
  /** Views have rows of design documents too. */
  readonly include_design?: boolean;
  /** In a partitioned database: whether queries are about one partition each. */
  readonly partitioned?: boolean;
}

declare global {
  /** A row of the view. */
  function emit(key: unknown, value: unknown): void;
  /** A line in the server's log. */
  function log(message: unknown): void;
  function sum(values: readonly number[]): number;
  function isArray(value: unknown): value is unknown[];
  function toJSON(value: unknown): string;

  /** In lists: the next row, null after the last. */
  function getRow(): Row | null;
  /** In lists, before the first row is read: code and headers of the answer. */
  function start(response: { readonly code?: number; readonly headers?: Readonly<Record<string, string>> }): void;
  /** In lists and shows: a piece of the answer. */
  function send(chunk: string): void;
  /** In lists and shows: the answer for clients that want this type (`json`, `html`, `csv`, ...). */
  // biome-ignore lint/suspicious/noConfusingVoidType: functions without a `return` are right here
  function provides(type: string, answer: () => Response | void): void;
  /** Another name for `provides`, and the media types that it stands for. */
  function registerType(name: string, ...mediaTypes: readonly string[]): void;
  /** A module of `lib`. An `import` is better: it is typed, and finds files and packages. */
  // biome-ignore lint/suspicious/noExplicitAny: a text has no type
  function require(path: string): any;
}
