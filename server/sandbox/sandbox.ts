import { availableParallelism } from "node:os";
import { CouchError } from "../../protocol/errors.js";
import type { SecurityObject, UserContext } from "../../protocol/security.js";
import { type PoolStatistics, WorkerPool } from "./worker-pool.js";
import type { FunctionSource, LogEntry, Outcome, ValidationCall, ValidationOutcome } from "./worker-protocol.js";

export type { PoolStatistics } from "./worker-pool.js";
export type { FunctionSource, LogEntry, Refusal, ValidationCall, ValidationOutcome } from "./worker-protocol.js";

export interface SandboxOptions {
  /** Threads. Default: as many as the machine has cores. */
  readonly workers?: number;
  /** Of each realm. Default: 64 MiB. */
  readonly memoryLimitBytes?: number;
  /** Of each thread. Default: 64. An idle realm takes about 300 kB. */
  readonly maxRealms?: number;
  /** A realm that was not used for so long is dropped. Default: one minute. */
  readonly idleMs?: number;
  /** Hears what functions write with `log()`. Default: nobody does. */
  readonly log?: (entry: LogEntry) => void;
  /** Hears of each thread that died in the middle of its work. It is replaced in any case. */
  readonly threadDied?: (error: unknown) => void;
}

export interface ValidationBatch {
  readonly database: string;
  /** `validate_doc_update` of each design document that has one. */
  readonly functions: readonly FunctionSource[];
  readonly userCtx: UserContext;
  readonly security: SecurityObject;
  /** Milliseconds for each call of each function. Default: 500. */
  readonly timeLimitMs?: number;
  readonly calls: readonly ValidationCall[];
}

const defaultTimeLimitMs = 500;

/** Runs the functions of design documents: a stranger's code, in realms without any I/O, on threads of their own. */
export class Sandbox {
  readonly #pool: WorkerPool;

  constructor(options: SandboxOptions = {}) {
    this.#pool = new WorkerPool(
      Math.max(1, options.workers ?? availableParallelism()),
      {
        memoryLimitBytes: options.memoryLimitBytes ?? 64 * 1024 * 1024,
        maxRealms: options.maxRealms ?? 64,
        idleMs: options.idleMs ?? 60_000,
      },
      { log: options.log ?? (() => undefined), threadDied: options.threadDied ?? (() => undefined) },
    );
  }

  /**
   * One outcome for each call, in order. A call whose function fails, or takes too long or too much, is refused alone.
   * @throws CouchError service_unavailable once closed
   */
  async validate(batch: ValidationBatch): Promise<readonly ValidationOutcome[]> {
    const { database, functions, calls } = batch;
    if (functions.length === 0) return calls.map(() => null);
    if (calls.length === 0) return [];
    return this.#pool.run({
      command: "validate",
      database,
      functions,
      timeLimitMs: batch.timeLimitMs ?? defaultTimeLimitMs,
      userCtx: JSON.stringify(batch.userCtx),
      security: JSON.stringify(batch.security),
      calls,
    });
  }

  /**
   * Resolves when the source is one function expression. `designDoc` is the design document's id.
   * @throws CouchError compilation_error with QuickJS's words and the source, not_found `missing function` for none
   */
  async compile(source: string, designDoc: string): Promise<void> {
    if (source === "") throw new CouchError("not_found", "missing function");
    const outcomes = await this.#pool.run({
      command: "compile",
      database: "",
      functions: [{ designDoc, source }],
      timeLimitMs: defaultTimeLimitMs,
      calls: [null],
    });
    const refused = outcomes[0] as Outcome;
    if (refused) throw new CouchError("compilation_error", String(refused.reason));
  }

  /** Since the start, and now. */
  statistics(): PoolStatistics {
    return this.#pool.statistics();
  }

  /** Ends the threads. Work that is not finished is rejected with service_unavailable. */
  async close(): Promise<void> {
    await this.#pool.close();
  }
}
