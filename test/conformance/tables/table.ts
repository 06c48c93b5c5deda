/**
 * What a table of conformance is: rows, each one request with the answer that it must get, and scenarios, each a small function that
 * looks closer. The tables are plain data, the same for a Settee of the tests and for any CouchDB.
 */
import type { World } from "./world.js";

/** A difference from CouchDB needs its reason. */
export type Only =
  | { readonly only?: never; readonly because?: never }
  | { readonly only: "settee"; readonly because: string };

interface RowMembers {
  readonly name: string;
  /** Sent with the request, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** "admin" (default), "anonymous" or "NAME:PASSWORD". */
  readonly as?: string;
  /** "none": the connection ends without an answer. */
  readonly status: number | "none";
  /** The word of the answer's `error`; absent where an answer has no body, or is no refusal. */
  readonly error?: string;
  /** Headers of the answer; null: it has none of that name. */
  readonly answer?: Readonly<Record<string, string | null>>;
  /** Words that stand in the answer's body. */
  readonly has?: readonly string[];
  readonly lacks?: readonly string[];
  /** The request writes. Without it nothing may have changed: documents, sequence, databases. */
  readonly writes?: true;
  /** The client's half of the connection ends behind the request. */
  readonly hangsUp?: true;
}

/**
 * `METHOD /path`, in which names in double braces stand for values as in the recordings: `{{db}}` is the table's database,
 * `{{x*9000}}` 9,000 times an x. Bodies go out as `application/json` unless `headers` says otherwise.
 */
interface Asking extends RowMembers {
  readonly ask: string;
  /** The body as JSON, */
  readonly json?: unknown;
  /** or as it is, */
  readonly text?: string;
  /** or as bytes that are made when they are needed. */
  readonly bytes?: () => Buffer;
}

/** A whole request byte by byte, with `\r\n` at the end of its lines; `{{host}}` and `{{authorization}}` are the server's. */
interface Raw extends RowMembers {
  readonly raw: string;
}

export type Row = (Asking | Raw) & Only;

export type Scenario = {
  readonly name: string;
  /** Rejects when the server does something else. */
  readonly run: (world: World) => Promise<void>;
  /** Only where the server's process is ours to measure, to stop and to start. */
  readonly needs?: "process";
} & Only;

export interface Table {
  /** What the table is about, e.g. `documents`. */
  readonly family: string;
  readonly rows?: readonly Row[];
  readonly scenarios?: readonly Scenario[];
}

/** The rows of a table that hold for this server. */
export function rowsFor(world: World, { rows = [] }: Table): readonly Row[] {
  return rows.filter((row) => isFor(world, row));
}

export function scenariosFor(world: World, { scenarios = [] }: Table): readonly Scenario[] {
  return scenarios.filter((each) => isFor(world, each) && (each.needs === undefined || world.ownsProcess));
}

function isFor(world: World, { only }: Only): boolean {
  return only === undefined || world.isSettee;
}
