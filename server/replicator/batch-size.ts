/** How many documents go together: as many as make a request worth its while, and no more than memory should hold. */

/** Bytes of documents that one request should carry. */
const wantedBytes = 2 * 1024 * 1024;
const first = 50;
const least = 5;
const most = 2000;
/** Of the average, what the latest batch counts for. */
const weight = 0.3;

export class BatchSize {
  #documents = first;
  #average: number | undefined;

  get documents(): number {
    return this.#documents;
  }

  /** Told after each batch. Grows by steps, so that large documents behind small ones are met by a small batch. */
  measured(documents: number, bytes: number): void {
    if (documents === 0) return;
    const average = bytes / documents;
    this.#average = this.#average === undefined ? average : this.#average * (1 - weight) + average * weight;
    const wanted = wantedBytes / Math.max(1, this.#average);
    this.#documents = Math.max(least, Math.min(most, this.#documents * 3, Math.round(wanted)));
  }
}
