/**
 * Types for samples: `design-docs/TEMPLATE/NAME.samples.ts` (or `.json`, with the same members) says what the functions of
 * `NAME.ts` are to do, and `settee design check` sees whether they do:
 *
 *     import type { Documents, FilterSamples, ViewSamples, Writes } from "../samples.js";
 *
 *     export const documents: Documents = [{ _id: "a", type: "note" }];
 *     export const writes: Writes = [
 *       { doc: { _id: "a", type: "note" }, expect: "accepted" },
 *       { doc: { _id: "a" }, expect: "forbidden: A document must have a `type` that is a string." },
 *     ];
 *     export const views: ViewSamples = { "by-type": { rows: [{ id: "a", key: "note", value: null }] } };
 *     export const filters: FilterSamples = { mine: [{ user: "ada", expect: [] }] };
 *
 * Where nothing is expected, the check shows what happens. In a package of your own the types are `settee/design-doc-samples`.
 */
import type { Doc, Request, SecurityObject } from "./design-doc.js";

/** A document may lack what the database gives it. */
export type SampleDocument<D extends Doc = Doc> = D | (Readonly<Record<string, unknown>> & { readonly _id?: string });

/** What views and filters are shown. */
export type Documents<D extends Doc = Doc> = readonly SampleDocument<D>[];

export interface AskedBy {
  /** What it is about, in the output. */
  readonly title?: string;
  /** Null: a guest. Default: `ada`. */
  readonly user?: string | null;
  /** Default: none. */
  readonly roles?: readonly string[];
  /** Default: as of a user's own database. */
  readonly security?: SecurityObject;
}

export interface Write<D extends Doc = Doc> extends AskedBy {
  readonly doc: SampleDocument<D>;
  readonly oldDoc?: SampleDocument<D> | null;
  /** `accepted`, or the error (`forbidden`), or the error and its reason (`forbidden: Not yours.`). */
  readonly expect?: string;
}

export type Writes<D extends Doc = Doc> = readonly Write<D>[];

export interface SampleRow {
  readonly id?: string;
  readonly key: unknown;
  readonly value: unknown;
}

export interface ViewSample {
  /** All rows of `documents`, in the view's order. Without `id`, it is not looked at. */
  readonly rows?: readonly SampleRow[];
  /** What all of them reduce to. */
  readonly reduced?: unknown;
  /** What those with equal keys reduce to (`group=true`). */
  readonly groups?: readonly { readonly key: unknown; readonly value: unknown }[];
}

export type ViewSamples = Readonly<Record<string, ViewSample>>;

/** What of a request a function looks at. */
export interface AskedFor extends AskedBy {
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly body?: string;
  /** Anything else of it. */
  readonly req?: Partial<Request>;
}

export interface FilterSample extends AskedFor {
  /** Ids of the `documents` that pass. */
  readonly expect?: readonly string[];
}

export type FilterSamples = Readonly<Record<string, readonly FilterSample[]>>;

/** A text: the body. Otherwise those members of the answer that matter. */
export type ExpectedAnswer = string | Readonly<Record<string, unknown>>;

export interface ShowSample<D extends Doc = Doc> extends AskedFor {
  readonly doc?: SampleDocument<D> | null;
  readonly expect?: ExpectedAnswer;
}

export type ShowSamples<D extends Doc = Doc> = Readonly<Record<string, readonly ShowSample<D>[]>>;

export interface UpdateSample<D extends Doc = Doc> extends ShowSample<D> {
  /** The document that is to be stored, or null. */
  readonly stores?: object | null;
}

export type UpdateSamples<D extends Doc = Doc> = Readonly<Record<string, readonly UpdateSample<D>[]>>;

export interface ListSample extends AskedFor {
  /** Whose rows are listed. */
  readonly view: string;
  readonly expect?: ExpectedAnswer;
}

export type ListSamples = Readonly<Record<string, readonly ListSample[]>>;

/** Of a function; rules are for the server. */
export type RewriteSamples = readonly (AskedFor & {
  readonly path?: readonly string[];
  readonly expect?: ExpectedAnswer | null;
})[];
