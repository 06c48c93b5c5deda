/**
 * What passes between the pool and a worker thread: one request, one reply, nothing else. Everything is plain data;
 * documents, user contexts and security objects travel as JSON text from the caller to the realm that parses them.
 */
import { catalogue, type ErrorName } from "../../protocol/errors.js";

/** A function of a design document. */
export interface FunctionSource {
  /** The design document's id, e.g. `_design/app`. */
  readonly designDoc: string;
  /** A function expression, as it stands in the design document. */
  readonly source: string;
  /** Databases whose functions have the same key and source share a realm. Only for the operator's own templates. */
  readonly shareKey?: string;
  /** JSON text of the design document: what `require` finds modules in, and `this` of the function. */
  readonly modules?: string;
}

/** Why a call came to nothing. */
export interface Refusal {
  readonly error: ErrorName;
  /** Any JSON: `throw {forbidden: {a: 1}}` is answered as `{"error": "forbidden", "reason": {"a": 1}}`. */
  readonly reason: unknown;
  /** HTTP status. */
  readonly status: number;
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
  readonly functions: readonly FunctionSource[];
  /** Milliseconds that one call of one function may take. */
  readonly timeLimitMs: number;
}

export interface ValidateWork extends WorkBase {
  readonly command: "validate";
  /** JSON text. */
  readonly userCtx: string;
  /** JSON text. */
  readonly security: string;
  readonly calls: readonly ValidationCall[];
}

/** Compiles the single function in a realm that is thrown away afterwards. */
export interface CompileWork extends WorkBase {
  readonly command: "compile";
  readonly calls: readonly [null];
}

/** A further command adds its work here, its outcome below, and a file in `commands/`. */
export type Work = ValidateWork | CompileWork;

export interface OutcomeOf {
  readonly validate: ValidationOutcome;
  readonly compile: Refusal | null;
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

export interface WorkerSettings {
  readonly memoryLimitBytes: number;
  readonly maxRealms: number;
  readonly idleMs: number;
  /** Two 32-bit integers, see `progress`. */
  readonly progress: SharedArrayBuffer;
}

/**
 * Cells of the shared progress array. A thread that hangs or dies can say nothing any more; from these the pool still
 * knows which call it was at.
 */
export const progress = {
  /** Counts how often a stranger's code began to run, wrapping around. */
  ticks: 0,
  /** Index within the work of the call that is being answered, or -1. */
  running: 1,
} as const;

export function refusal(error: ErrorName, reason: unknown, status: number = catalogue[error].status): Refusal {
  return { error, reason, status };
}
