import { availableParallelism } from "node:os";
import type { CouchError } from "../../protocol/errors.js";
import type { SecurityObject, UserContext } from "../../protocol/security.js";
import { type CompileQuestion, compileFunctions } from "./compile-functions.js";
import { type FilterBatch, filterDocuments } from "./filter-documents.js";
import { type EmittedRows, type MapBatch, mapDocuments } from "./map-documents.js";
import { type ReduceBatch, type Reduction, reduceRows } from "./reduce-rows.js";
import {
  type FunctionResponse,
  type RenderQuestion,
  renderRewrite,
  renderShow,
  renderUpdate,
  type ShowQuestion,
  type UpdateAnswer,
} from "./render.js";
import { type ListAnswer, type ListQuestion, renderList } from "./render-list.js";
import { type PoolStatistics, WorkerPool } from "./worker-pool.js";
import type {
  FunctionSource,
  Limited,
  LogEntry,
  ValidateWork,
  ValidationCall,
  ValidationOutcome,
} from "./worker-protocol.js";

export type { CompileQuestion } from "./compile-functions.js";
export type { FilterBatch } from "./filter-documents.js";
export type { EmittedRow, EmittedRows, MapBatch } from "./map-documents.js";
export type { ReduceBatch, ReduceGroup, Reduction } from "./reduce-rows.js";
export type {
  FunctionResponse,
  RenderQuestion,
  ShowQuestion,
  UpdateAnswer,
} from "./render.js";
export type { ListAnswer, ListQuestion } from "./render-list.js";
export type { PoolStatistics } from "./worker-pool.js";
export type {
  FunctionSource,
  LogEntry,
  MapSource,
  Refusal,
  ValidationCall,
  ValidationOutcome,
} from "./worker-protocol.js";

export interface SandboxOptions {
  /**
   * Threads, and as many again for lists once there are any. Default: one more than the machine has cores, since no database has all
   * of them.
   */
  readonly workers?: number;
  readonly timeLimits?: TimeLimits;
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

/** Milliseconds that one call of a function may run. */
export interface TimeLimits {
  /** Default: 500. */
  readonly validation: number;
  /** Of every other function. Default: 5,000. */
  readonly others: number;
}

export interface ValidationBatch {
  readonly database: string;
  /** `validate_doc_update` of each design document that has one. */
  readonly functions: readonly FunctionSource[];
  readonly userCtx: UserContext;
  readonly security: SecurityObject;
  /** Milliseconds for each call of each function. Default: what the sandbox is set to. */
  readonly timeLimitMs?: number;
  readonly calls: readonly ValidationCall[];
}

const defaultTimeLimits: TimeLimits = { validation: 500, others: 5_000 };

/** Runs the functions of design documents: a stranger's code, in realms without any I/O, on threads of their own. */
export class Sandbox {
  readonly #pool: WorkerPool;
  /**
   * Lists hold their thread while they wait for rows, which may themselves have to wait for a function that reduces them: on the same
   * threads, enough lists at once would wait for each other for ever.
   */
  readonly #lists: WorkerPool;
  readonly #log: (entry: LogEntry) => void;
  #timeLimits: TimeLimits;

  constructor(options: SandboxOptions = {}) {
    this.#log = options.log ?? (() => undefined);
    this.#timeLimits = options.timeLimits ?? defaultTimeLimits;
    const workers = Math.max(1, options.workers ?? availableParallelism() + 1);
    const settings = {
      memoryLimitBytes: options.memoryLimitBytes ?? 64 * 1024 * 1024,
      maxRealms: options.maxRealms ?? 64,
      idleMs: options.idleMs ?? 60_000,
    };
    const listeners = { log: this.#log, threadDied: options.threadDied ?? (() => undefined) };
    this.#pool = new WorkerPool(workers, settings, listeners);
    this.#lists = new WorkerPool(workers, settings, listeners);
  }

  /** For work that is asked for from now on. */
  configure({ timeLimits }: { readonly timeLimits: TimeLimits }): void {
    this.#timeLimits = timeLimits;
  }

  /**
   * One outcome for each call, in order. A call whose function fails, or takes too long or too much, is refused alone.
   * @throws CouchError service_unavailable once closed
   */
  async validate(batch: ValidationBatch): Promise<readonly ValidationOutcome[]> {
    const { database, functions, calls } = batch;
    if (functions.length === 0) return calls.map(() => null);
    if (calls.length === 0) return [];
    return this.#pool.run<ValidateWork>({
      command: "validate",
      database,
      functions,
      timeLimitMs: batch.timeLimitMs ?? this.#timeLimits.validation,
      userCtx: JSON.stringify(batch.userCtx),
      security: JSON.stringify(batch.security),
      calls,
    });
  }

  /**
   * What the map functions of a design document emit: for each document, for each function. Where they emit very much, of the first
   * documents alone. @throws CouchError compilation_error (500)
   */
  map(batch: MapBatch): Promise<readonly (readonly EmittedRows[])[]> {
    return mapDocuments(this.#pool, this.#limited(batch), this.#log);
  }

  /** One reduction for each group, in order. @throws CouchError compilation_error (500) */
  reduce(batch: ReduceBatch): Promise<readonly Reduction[]> {
    return reduceRows(this.#pool, this.#limited(batch));
  }

  /** Whether it passes, for each document. @throws CouchError when the filter fails on one, or does not compile */
  filter(batch: FilterBatch): Promise<readonly boolean[]> {
    return filterDocuments(this.#pool, this.#limited(batch));
  }

  /** @throws CouchError what the function threw, or render_error */
  show(question: ShowQuestion): Promise<FunctionResponse> {
    return renderShow(this.#pool, this.#limited(question));
  }

  /** @throws CouchError what the function threw, or render_error */
  update(question: ShowQuestion): Promise<UpdateAnswer> {
    return renderUpdate(this.#pool, this.#limited(question));
  }

  /** Resolves when the head is known. @throws CouchError what the function threw, or render_error */
  list(question: ListQuestion): Promise<ListAnswer> {
    return renderList(this.#lists, this.#limited(question));
  }

  /** @throws CouchError what the function threw, or render_error */
  rewrite(question: RenderQuestion): Promise<FunctionResponse | null> {
    return renderRewrite(this.#pool, this.#limited(question));
  }

  /** For each source why it is no function expression, or null: compilation_error with QuickJS's words, not_found for an empty one. */
  compile(question: CompileQuestion): Promise<readonly (CouchError | null)[]> {
    return compileFunctions(this.#pool, question);
  }

  #limited<T extends { readonly timeLimitMs?: number }>(work: T): Limited<T> {
    return { ...work, timeLimitMs: work.timeLimitMs ?? this.#timeLimits.others };
  }

  /** Since the start, and now. */
  statistics(): PoolStatistics {
    const [functions, lists] = [this.#pool.statistics(), this.#lists.statistics()];
    return {
      calls: functions.calls + lists.calls,
      milliseconds: functions.milliseconds + lists.milliseconds,
      threads: functions.threads + lists.threads,
      busyThreads: functions.busyThreads + lists.busyThreads,
      waiting: functions.waiting + lists.waiting,
    };
  }

  /** Ends the threads. Work that is not finished is rejected with service_unavailable. */
  async close(): Promise<void> {
    await Promise.all([this.#pool.close(), this.#lists.close()]);
  }
}
