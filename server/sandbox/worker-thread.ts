import { Worker } from "node:worker_threads";
import {
  progress,
  progressCells,
  type RowsGiven,
  type RowsWanted,
  type Work,
  type WorkerSettings,
  type WorkReply,
} from "./worker-protocol.js";

/** Gives a list function rows, and takes what it has sent. Never rejects; null ends the function. */
export type RowFeed = (head: string, sent: string) => Promise<string | null>;

/** The thread is gone: by itself (WebAssembly aborted, no memory left) or because a call would not end. */
export class ThreadDied extends Error {
  /** Index of the call that was running, or -1. */
  readonly call: number;
  readonly hung: boolean;

  constructor(call: number, hung: boolean, cause: unknown) {
    super("A sandbox thread ended in the middle of its work.", { cause });
    this.name = "ThreadDied";
    this.call = call;
    this.hung = hung;
  }
}

/** How often a busy thread is looked at. */
const watchMs = 100;
/** Beyond the time limits that the thread keeps by itself, for work inside a native function that cannot be interrupted. */
const graceMs = 1_000;
/** V8's own stack. At 256 KiB of QuickJS stack its parser needs more than the 4 MiB that a thread has by default. */
const stackSizeMb = 32;

/** One worker thread, and the watch over it. Busy or idle; it holds the process only while busy. */
export class WorkerThread {
  readonly #worker: Worker;
  readonly #cells: Int32Array;
  #waiting: { readonly resolve: (reply: WorkReply) => void; readonly reject: (error: unknown) => void } | undefined;
  #feed: RowFeed | undefined;
  #hung = false;
  #failure: unknown;

  constructor(settings: Omit<WorkerSettings, "progress">) {
    const shared = new SharedArrayBuffer(progressCells * Int32Array.BYTES_PER_ELEMENT);
    this.#cells = new Int32Array(shared);
    this.#cells[progress.running] = -1;
    this.#worker = new Worker(new URL("./worker.js", import.meta.url), {
      workerData: { ...settings, progress: shared } satisfies WorkerSettings,
      resourceLimits: { stackSizeMb },
      // Nothing of the server's is in reach there, even for code that found a way out of WebAssembly.
      env: {},
      argv: [],
      // An abort prints its last words, which are no use to anybody: what is known goes into ThreadDied.
      stdout: true,
      stderr: true,
    });
    this.#worker.stdout.resume();
    this.#worker.stderr.resume();
    this.#worker.unref();
    this.#worker.on("message", (message: WorkReply | RowsWanted) => {
      if ("wanted" in message) void this.#giveRows(message);
      else this.#settle()?.resolve(message);
    });
    this.#worker.on("error", (error) => {
      this.#failure = error;
    });
    this.#worker.on("exit", () => {
      this.#settle()?.reject(new ThreadDied(this.#cells[progress.running] as number, this.#hung, this.#failure));
    });
  }

  /** @throws ThreadDied; the thread is of no use then */
  async run(work: Work, feed?: RowFeed): Promise<WorkReply> {
    const stopWatching = this.#watch(work);
    this.#feed = feed;
    try {
      return await new Promise<WorkReply>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        this.#worker.ref();
        this.#worker.postMessage(work);
      });
    } finally {
      stopWatching();
      this.#worker.unref();
    }
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  async #giveRows({ wanted: [head, sent] }: RowsWanted): Promise<void> {
    const rows = (await this.#feed?.(head, sent)) ?? null;
    this.#worker.postMessage({ rows } satisfies RowsGiven);
    Atomics.store(this.#cells, progress.given, 1);
    Atomics.notify(this.#cells, progress.given);
  }

  #settle() {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }

  /** Ends the thread when a function does not come back, although its time limit is over for long. */
  #watch(work: Work): () => void {
    const limitMs = 2 * work.timeLimitMs + graceMs;
    let ticks = Atomics.load(this.#cells, progress.ticks);
    let since = performance.now();
    const timer = setInterval(() => {
      const running = Atomics.load(this.#cells, progress.running);
      const now = Atomics.load(this.#cells, progress.ticks);
      if (running < 0 || now !== ticks) {
        ticks = now;
        since = performance.now();
      } else if (performance.now() - since > limitMs) {
        this.#hung = true;
        void this.#worker.terminate();
      }
    }, watchMs);
    timer.unref();
    return () => clearInterval(timer);
  }
}
