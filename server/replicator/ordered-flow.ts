import type { PeerSeq } from "./peer.js";

interface Step {
  done: boolean;
  /** All before this point of the source is done when this step is. */
  readonly seq?: PeerSeq;
}

/**
 * Work on the changes of a source, several pieces at a time, and how far all of it is done: pieces end in any order, and a checkpoint may
 * only tell of what has no gap before it.
 */
export class OrderedFlow {
  readonly #limit: number;
  readonly #running = new Set<Promise<void>>();
  #steps: Step[] = [];
  #through: PeerSeq;
  #failure: { readonly error: unknown } | undefined;

  /** `limit`: pieces at the same time. */
  constructor(limit: number, since: PeerSeq) {
    this.#limit = limit;
    this.#through = since;
  }

  /** All changes up to here are done. */
  get through(): PeerSeq {
    return this.#through;
  }

  /** Begins a piece as soon as there is room for it. @throws what an earlier piece threw */
  async add(work: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#limit && !this.#failure) await Promise.race(this.#running);
    this.#check();
    const step: Step = { done: false };
    this.#steps.push(step);
    const running = work().then(
      () => {
        step.done = true;
        this.#advance();
      },
      (error: unknown) => {
        this.#failure ??= { error };
      },
    );
    const tracked = running.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  /** The source was read up to here. */
  reached(seq: PeerSeq): void {
    this.#steps.push({ done: true, seq });
    this.#advance();
  }

  /** Waits for all that was begun. @throws what one of them threw */
  async drained(): Promise<void> {
    await Promise.all(this.#running);
    this.#check();
  }

  #check(): void {
    if (this.#failure) throw this.#failure.error;
  }

  #advance(): void {
    let count = 0;
    for (const { done, seq } of this.#steps) {
      if (!done) break;
      if (seq !== undefined) this.#through = seq;
      count++;
    }
    this.#steps = this.#steps.slice(count);
  }
}
