import type { DatabaseUpdate, DatabaseUpdates } from "../database-updates.js";

/** "idle": nothing came in the time given. "ended": nothing will come: the server stops, or `close`. */
export type LiveUpdate = readonly DatabaseUpdate[] | "idle" | "ended";

/**
 * The updates of all databases since a sequence and from then on, in order. They are read from the store as they come: there is one
 * for each database and flush, and few listeners.
 */
export class LiveUpdates {
  readonly #updates: DatabaseUpdates;
  #last: number;
  #reading: AsyncIterator<readonly DatabaseUpdate[]> | undefined;
  /** All up to here has been handed out when `#reading` is at its end. */
  #readingTo: number;
  #observed = false;
  #ended = false;
  #wake: (() => void) | undefined;
  readonly #unsubscribe: () => void;

  constructor(updates: DatabaseUpdates, since: number) {
    this.#updates = updates;
    this.#last = since;
    this.#readingTo = since;
    // Listening begins before reading: from now on every batch has a record for each database that it writes to.
    this.#unsubscribe = updates.subscribe({ changed: () => this.#wake?.(), ended: () => this.close() });
  }

  /** The last sequence handed out, or one before which there is nothing more to hand out. */
  get lastSeq(): number {
    return this.#last;
  }

  /** The next updates; waits up to `waitMs` milliseconds when there are none yet. One call at a time. */
  async next(waitMs: number): Promise<LiveUpdate> {
    if (!this.#observed) await this.#updates.observe();
    this.#observed = true;
    for (;;) {
      if (this.#ended) return "ended";
      if (!this.#reading && this.#updates.updateSeq > this.#last) this.#read();
      if (this.#reading) {
        const { value, done } = await this.#reading.next();
        if (!done) {
          this.#last = value.at(-1)?.seq ?? this.#last;
          return value;
        }
        this.#reading = undefined;
        this.#last = this.#readingTo;
        continue;
      }
      if (waitMs <= 0 || !(await this.#arrival(waitMs))) return "idle";
    }
  }

  close(): void {
    this.#ended = true;
    this.#unsubscribe();
    void this.#reading?.return?.();
    this.#reading = undefined;
    this.#wake?.();
  }

  #read(): void {
    this.#readingTo = this.#updates.updateSeq;
    this.#reading = this.#updates.changes({ since: this.#last, upTo: this.#readingTo })[Symbol.asyncIterator]();
  }

  /** False when the time ran out first. */
  #arrival(waitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#wake = undefined;
        resolve(false);
      }, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve(true);
      };
    });
  }
}
