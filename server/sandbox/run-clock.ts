/**
 * Measures how long a call has really run, not how long ago it began: on a busy machine a thread may be put aside for longer than
 * a function's whole limit, and an honest function must not pay for that. QuickJS asks its interrupt handler every few
 * microseconds of running; a longer gap between two questions was spent off the processor (or inside one native function, which
 * cannot be interrupted anyway and is the thread's watchdog's to end), and counts as no more than `longestGap`.
 */
export class RunClock {
  #limit = Number.POSITIVE_INFINITY;
  #ran = 0;
  /** In earlier stretches of the same call. */
  #before = 0;
  #last = 0;

  start(limitMs: number): void {
    this.#limit = limitMs;
    this.#ran = 0;
    this.#before = 0;
    this.#last = performance.now();
  }

  /** The call waited for the server, and goes on: it has its limit again, though not for ever. */
  again(): void {
    this.#before += this.#ran;
    this.#ran = 0;
    this.#last = performance.now();
  }

  /** Whether the limit is used up. To be asked often. */
  isOver(): boolean {
    const now = performance.now();
    this.#ran += Math.min(now - this.#last, longestGap);
    this.#last = now;
    return this.#ran > this.#limit || this.#before + this.#ran > this.#limit * mostStretches;
  }
}

/** As many times its limit a call may take altogether, however often it waits in between. */
const mostStretches = 6;
/** Milliseconds. Far above the time between two questions, far below a time slice of a busy machine. */
const longestGap = 5;
