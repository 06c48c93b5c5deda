/**
 * Turns for work that takes long, such as looking through all documents: one in each round of the event loop, however many wait, so
 * that ten such queries hold up others no longer than one.
 */
const waiting: (() => void)[] = [];

/** Resolves when whoever waited before has had a turn, and all that came in meanwhile was looked after. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) setImmediate(giveTurn);
  });
}

function giveTurn(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(giveTurn);
}

/** Milliseconds. */
const turnLength = 2;

/** Tells when a turn has been long enough. */
export class Turn {
  #ends = performance.now() + turnLength;

  get isOver(): boolean {
    return performance.now() >= this.#ends;
  }

  /** Waits for another one. */
  async next(): Promise<void> {
    await nextTurn();
    this.#ends = performance.now() + turnLength;
  }
}
