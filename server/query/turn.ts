/** Long work on the one thread that everybody shares goes in turns. */
import { setImmediate } from "node:timers/promises";

/** Milliseconds: far below what a waiting client notices. */
const turnTime = 5;

/** `if (turn.isOver) await turn.next();` between steps of a few microseconds or more: asking costs some fifty nanoseconds. */
export class Turn {
  #ends = performance.now() + turnTime;

  get isOver(): boolean {
    return performance.now() > this.#ends;
  }

  /** Resolves when the others had theirs. */
  async next(): Promise<void> {
    await setImmediate();
    this.#ends = performance.now() + turnTime;
  }
}
