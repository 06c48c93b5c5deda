import type { CouchError } from "../../../protocol/errors.js";

/** What ends an update before it is done: its index goes, or the whole database, or the server stops. */
export class Interruption {
  /** Rejected when it comes; never resolved. */
  readonly promise: Promise<never>;
  #reject!: (error: CouchError) => void;
  #error: CouchError | undefined;

  constructor() {
    this.promise = new Promise<never>((_, reject) => {
      this.#reject = reject;
    });
    // Nobody may be waiting yet.
    this.promise.catch(() => undefined);
  }

  interrupt(error: CouchError): void {
    this.#error ??= error;
    this.#reject(this.#error);
  }

  /** For work that goes on although nobody waits for it any more. @throws CouchError */
  check(): void {
    if (this.#error) throw this.#error;
  }
}
