/**
 * Contents that were taken in lately, whose documents may not be written yet: a sweep must not remove them. Each is remembered
 * until a sweep that began after it has ended, so that no request has to say when it is done.
 */
export class TakenDigests {
  #young = new Set<string>();
  #old = new Set<string>();

  add(digest: string): void {
    this.#young.add(digest);
  }

  has(digest: string): boolean {
    return this.#young.has(digest) || this.#old.has(digest);
  }

  beginSweep(): void {
    for (const digest of this.#young) this.#old.add(digest);
    this.#young = new Set();
  }

  endSweep(): void {
    this.#old = new Set();
  }
}
