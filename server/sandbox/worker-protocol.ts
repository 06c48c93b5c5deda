/**
 * What passes between the pool and a worker thread: one request, one reply, nothing else. Everything is plain data;
 * documents, user contexts and security objects travel as JSON text from the caller to the realm that parses them.
 */
import { catalogue, type ErrorName } from "../../protocol/errors.js";

/** What a realm is made for. */
export interface RealmSource {
  /** The design document's id, e.g. `_design/app`. */
  readonly designDoc: string;
  /** Databases whose functions have the same key and source share a realm. Only for the operator's own templates. */
  readonly shareKey?: string;
  /** JSON text of the design document: what `require` finds modules in, and `this` of the function. */
  readonly modules?: string;
}

/** A function of a design document. */
export interface FunctionSource extends RealmSource {
  /** A function expression, as it stands in the design document. */
  readonly source: string;
}

/**
 * The map functions of a design document, which share a realm: each document is parsed once for all of them. Of `modules` map
 * functions see `views.lib` alone: `{"views": {"lib": ...}}`.
 */
export interface MapSource extends RealmSource {
  readonly sources: readonly string[];
}

/** What is asked of a function, with the milliseconds that one call may run. */
export type Limited<T> = T & { readonly timeLimitMs: number };

/** Why a call came to nothing. */
export interface Refusal {
  readonly error: ErrorName;
  /** What the function itself called it, when that is no word of the catalogue. */
  readonly word?: string;
  /** Any JSON: `throw {forbidden: {a: 1}}` is answered as `{"error": "forbidden", "reason": {"a": 1}}`. */
  readonly reason: unknown;
  /** HTTP status. */
  readonly status: number;
  /** The call was ended at its limit of time or memory, or was not begun after others had been. */
  readonly ended?: true;
}

/** Null: every function accepted the document. */
export type ValidationOutcome = Refusal | null;

export interface ValidationCall {
  /** JSON text of the document as it would be stored. */
  readonly newDoc: string;
  /** JSON text of the revision that it replaces, or null. */
  readonly oldDoc: string | null;
}

interface WorkBase {
  /** Empty for work that belongs to no database. Each database has its own place in the queue. */
  readonly database: string;
  readonly functions: readonly (FunctionSource | MapSource)[];
  /** Milliseconds that one call may take. */
  readonly timeLimitMs: number;
}

export interface ValidateWork extends WorkBase {
  readonly command: "validate";
  readonly functions: readonly FunctionSource[];
  /** JSON text. */
  readonly userCtx: string;
  /** JSON text. */
  readonly security: string;
  readonly calls: readonly ValidationCall[];
}

/** Compiles each, in a realm that is thrown away afterwards. */
export interface CompileWork extends WorkBase {
  readonly command: "compile";
  /** Indexes of `functions`. */
  readonly calls: readonly number[];
}

export interface MapWork extends WorkBase {
  readonly command: "map";
  readonly functions: readonly [MapSource];
  /** Documents are frozen first: a function among them may try to change them. */
  readonly frozen: boolean;
  readonly calls: readonly MapCall[];
}

export interface MapCall {
  /** JSON text of an array of documents. */
  readonly documents: string;
  /** Index of the one function to run, or null for all. */
  readonly only: number | null;
}

export interface ReduceWork extends WorkBase {
  readonly command: "reduce";
  readonly functions: readonly [FunctionSource];
  /** Each the JSON text of an array of groups `[keys, values]`; keys are `[[key, docid], ...]`, or null to rereduce. */
  readonly calls: readonly string[];
}

export interface FilterWork extends WorkBase {
  readonly command: "filter";
  readonly functions: readonly [FunctionSource];
  /** The function is a map function: documents pass for which it emits. */
  readonly byView: boolean;
  /** JSON text. */
  readonly req: string;
  /** Each the JSON text of an array of documents. */
  readonly calls: readonly string[];
}

/** A function that makes an answer to a client. */
export interface RenderWork extends WorkBase {
  readonly command: "show" | "update" | "rewrite";
  readonly functions: readonly [FunctionSource];
  /** The texts that the entry of this name takes, see `commands/render.ts`. */
  readonly calls: readonly (readonly string[])[];
}

/** A function that makes an answer of rows. They are given to it a batch at a time while it runs: see `RowsWanted`. */
export interface ListWork extends WorkBase {
  readonly command: "list";
  readonly functions: readonly [FunctionSource];
  /** One, since the rows are there once. */
  readonly calls: readonly [readonly [head: string, req: string]];
}

/** A further command adds its work here, its outcome below, and a file in `commands/`. */
export type Work = ValidateWork | CompileWork | MapWork | ReduceWork | FilterWork | RenderWork | ListWork;

/** Texts are what the entries of the realm answer; the formats stand at the entries, in `commands/`. */
export interface OutcomeOf {
  readonly validate: ValidationOutcome;
  readonly compile: Refusal | null;
  readonly map: string | Refusal;
  readonly reduce: string | Refusal;
  readonly filter: string | Refusal;
  readonly show: unknown;
  readonly update: unknown;
  readonly list: string | Refusal;
  readonly rewrite: unknown;
}

export type Outcome<W extends Work = Work> = OutcomeOf[W["command"]];

/** What a function of a design document wrote with `log()`. */
export interface LogEntry {
  readonly database: string;
  readonly designDoc: string;
  readonly message: string;
}

export interface WorkReply {
  /** Of the first calls of the work, in order; fewer than there are calls when the time slice was used up. */
  readonly outcomes: readonly Outcome[];
  readonly logs: readonly LogEntry[];
  /** The thread asks to be replaced: its memory has grown (WebAssembly memory never shrinks), or is in doubt. */
  readonly worn: boolean;
}

/** What a thread says in the middle of its work; it waits for the answer, and does nothing else. The texts are those of `commands/list.ts`. */
export interface RowsWanted {
  readonly wanted: readonly [head: string, sent: string];
}

/** The answer: JSON texts, a line feed behind each; empty when there are no more; null when the function is to be ended. */
export interface RowsGiven {
  readonly rows: string | null;
}

export interface WorkerSettings {
  readonly memoryLimitBytes: number;
  readonly maxRealms: number;
  readonly idleMs: number;
  /** 32-bit integers, see `progress`. */
  readonly progress: SharedArrayBuffer;
}

/**
 * Cells of the shared progress array. A thread that hangs or dies can say nothing any more; from these the pool still
 * knows which call it was at.
 */
export const progress = {
  /** Counts how often a stranger's code began to run, wrapping around. */
  ticks: 0,
  /** Index within the work of the call that is being answered, or -1; -1 too while the thread waits for rows. */
  running: 1,
  /** 1 when the rows that the thread waits for are there. */
  given: 2,
} as const;

export const progressCells = Object.keys(progress).length;

/**
 * Calls of one piece of work that may be ended. After one more the function is taken for one that never ends: the calls that are
 * left are refused in the same words, without burning the limit for each of them.
 */
export const mostEnded = 3;

export function isEnded(outcome: unknown): outcome is Refusal {
  return typeof outcome === "object" && outcome !== null && "ended" in outcome;
}

export function endedRefusal(error: ErrorName, reason: string): Refusal {
  return { ...refusal(error, reason), ended: true };
}

export function refusal(error: ErrorName, reason: unknown, status: number = catalogue[error].status): Refusal {
  return { error, reason, status };
}
