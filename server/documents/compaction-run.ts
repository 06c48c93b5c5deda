/** The compaction of one database: at most one at a time, and it may be ended. */
export class CompactionRun {
  readonly #compact: (ended: () => boolean) => Promise<void>;
  #running: Promise<void> | undefined;
  #isEnding = false;

  /** @param compact asks `ended` between two of its steps, and stops there when it is true */
  constructor(compact: (ended: () => boolean) => Promise<void>) {
    this.#compact = compact;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** A second call joins the first. */
  run(): Promise<void> {
    this.#running ??= this.#compact(() => this.#isEnding).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Ends one under way between two of its steps, and waits for that. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#running?.catch(() => undefined);
    this.#isEnding = false;
  }
}
