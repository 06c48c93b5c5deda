import { LRUCache } from "lru-cache";
import { CouchError } from "../../protocol/errors.js";
import { FairQueue } from "./fair-queue.js";
import {
  endedRefusal,
  isEnded,
  type LogEntry,
  mostEnded,
  type Outcome,
  type Refusal,
  type Work,
  type WorkerSettings,
} from "./worker-protocol.js";
import { type RowFeed, ThreadDied, WorkerThread } from "./worker-thread.js";

/** A thread that dies between calls says nothing about the work; after so many it is the thread that cannot run. */
const maxUnexplainedDeaths = 3;

/** Milliseconds for which a database has fewer threads after a call of its was ended. */
const struckMs = 60_000;

export interface PoolListeners {
  readonly log: (entry: LogEntry) => void;
  readonly threadDied: (error: unknown) => void;
}

export interface PoolStatistics {
  /** Calls of functions that came to an outcome. */
  readonly calls: number;
  /** Milliseconds that threads were at work, all together. */
  readonly milliseconds: number;
  readonly threads: number;
  /** Of these, at work now. */
  readonly busyThreads: number;
  /** Pieces of work that wait for a thread. */
  readonly waiting: number;
}

interface Job {
  readonly work: Work;
  /** For a list. */
  readonly feed: RowFeed | undefined;
  readonly outcomes: (Outcome | undefined)[];
  /** Indexes of the calls that have no outcome yet, in order. */
  pending: number[];
  /** How many calls were ended at a limit. */
  ended: number;
  unexplainedDeaths: number;
  readonly resolve: (outcomes: readonly Outcome[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A fixed number of threads, started when there is work for them, and the queue before them.
 *
 * 1. A thread has one piece of work at a time; whatever is not on a thread is in the queue.
 * 2. A call has exactly one outcome. Work of a thread that died is done again, except for the call that it died of.
 * 3. Databases take turns: work that outlasts its time slice goes to the end of the queue with what is left of it. Validation has
 *    turns of its own, so that a write does not wait for the index that it makes longer.
 * 4. No database has all threads: whatever its functions do, work of another one finds a thread. One whose calls had to be ended
 *    lately has no more than half of them.
 */
export class WorkerPool {
  readonly #size: number;
  /** Databases of which calls were ended lately. */
  readonly #struck = new LRUCache<string, true>({ max: 1000, ttl: struckMs });
  readonly #settings: Omit<WorkerSettings, "progress">;
  readonly #listeners: PoolListeners;
  readonly #queue = new FairQueue<Job>();
  readonly #idle: WorkerThread[] = [];
  readonly #busy = new Map<WorkerThread, Job>();
  #closed = false;
  #calls = 0;
  #milliseconds = 0;

  constructor(size: number, settings: Omit<WorkerSettings, "progress">, listeners: PoolListeners) {
    this.#size = size;
    this.#settings = settings;
    this.#listeners = listeners;
  }

  /** One outcome for each call. @throws CouchError service_unavailable, internal_server_error */
  run<W extends Work>(work: W, feed?: RowFeed): Promise<readonly Outcome<W>[]> {
    if (this.#closed) return Promise.reject(new CouchError("service_unavailable"));
    return new Promise((resolve, reject) => {
      const pending = work.calls.map((_, index) => index);
      const outcomes = new Array<Outcome | undefined>(pending.length);
      const settle = resolve as Job["resolve"];
      this.#enqueue({ work, feed, outcomes, pending, ended: 0, unexplainedDeaths: 0, resolve: settle, reject });
      this.#dispatch();
    });
  }

  statistics(): PoolStatistics {
    const busyThreads = this.#busy.size;
    const threads = this.#idle.length + busyThreads;
    return { calls: this.#calls, milliseconds: this.#milliseconds, threads, busyThreads, waiting: this.#queue.length };
  }

  async close(): Promise<void> {
    this.#closed = true;
    const threads = [...this.#idle.splice(0), ...this.#busy.keys()];
    for (const job of [...this.#queue.drain(), ...this.#busy.values()])
      job.reject(new CouchError("service_unavailable"));
    await Promise.all(threads.map((thread) => thread.terminate()));
  }

  #enqueue(job: Job): void {
    const { command, database } = job.work;
    this.#queue.push(`${command === "validate" ? "validate" : "others"}/${database}`, job);
  }

  #dispatch(): void {
    const mayRun = ({ work }: Job): boolean => {
      let threads = 0;
      for (const other of this.#busy.values()) if (other.work.database === work.database) threads++;
      return threads < this.#shareOf(work.database);
    };
    while (!this.#closed && this.#busy.size < this.#size) {
      const job = this.#queue.shift(mayRun);
      if (!job) return;
      const thread = this.#idle.pop() ?? new WorkerThread(this.#settings);
      this.#busy.set(thread, job);
      void this.#serve(thread, job);
    }
  }

  async #serve(thread: WorkerThread, job: Job): Promise<void> {
    const began = performance.now();
    const before = job.pending.length;
    const reusable = await this.#runOn(thread, job);
    this.#milliseconds += performance.now() - began;
    this.#calls += before - job.pending.length;
    this.#busy.delete(thread);
    if (reusable && !this.#closed) this.#idle.push(thread);
    else await thread.terminate();
    if (this.#closed) return;
    if (job.pending.length === 0) job.resolve(job.outcomes as Outcome[]);
    else if (job.unexplainedDeaths < maxUnexplainedDeaths) this.#enqueue(job);
    this.#dispatch();
  }

  /** Whether the thread can be used again. */
  async #runOn(thread: WorkerThread, job: Job): Promise<boolean> {
    try {
      const calls = job.pending.map((index) => job.work.calls[index]);
      const reply = await thread.run({ ...job.work, calls } as Work, job.feed);
      reply.outcomes.forEach((outcome, position) => {
        job.outcomes[job.pending[position] as number] = outcome;
      });
      job.pending = job.pending.slice(reply.outcomes.length);
      for (const outcome of reply.outcomes) if (isEnded(outcome)) this.#count(job, outcome);
      for (const entry of reply.logs) this.#listeners.log(entry);
      return !reply.worn;
    } catch (error) {
      if (this.#closed) return false;
      this.#listeners.threadDied(error);
      this.#blame(job, error);
      return false;
    }
  }

  #blame(job: Job, error: unknown): void {
    const index = error instanceof ThreadDied ? job.pending[error.call] : undefined;
    if (index === undefined) {
      // What was read of rows is gone with the thread.
      job.unexplainedDeaths += job.feed ? maxUnexplainedDeaths : 1;
      if (job.unexplainedDeaths >= maxUnexplainedDeaths) {
        job.reject(new CouchError("internal_server_error", "The sandbox ended, or does not start.", { cause: error }));
      }
      return;
    }
    const { timeLimitMs, functions } = job.work;
    const names = [...new Set(functions.map(({ designDoc }) => designDoc))].join(", ");
    const outcome = (error as ThreadDied).hung
      ? endedRefusal("timeout", `A function of ${names} took longer than ${timeLimitMs} ms.`)
      : endedRefusal("unknown_error", `A function of ${names} ended its sandbox.`);
    job.outcomes[index] = outcome;
    job.pending = job.pending.filter((other) => other !== index);
    this.#count(job, outcome);
  }

  #shareOf(database: string): number {
    const share = this.#size - 1;
    return Math.max(1, this.#struck.has(database) ? Math.floor(share / 2) : share);
  }

  #count(job: Job, ended: Refusal): void {
    this.#struck.set(job.work.database, true);
    job.ended++;
    if (job.ended <= mostEnded) return;
    for (const index of job.pending) job.outcomes[index] = ended;
    job.pending = [];
  }
}
