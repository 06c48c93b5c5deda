/** A store in memory whose commits wait until the test lets them go, or fail when it says so. */
import type { Entry, Key, KeyRange, Store, StoreBatch, StoreSnapshot } from "../../server/storage/store.js";

type Operation = readonly [Key, Buffer | null];

/** A batch that was handed over and waits for the test. */
export interface HeldCommit {
  readonly keys: readonly Key[];
  /** It is on disk, and whoever waits for it does not know yet. */
  arrive(): void;
  succeed(): void;
  fail(error: Error): void;
}

export class HeldStore implements Store {
  readonly contents = new Map<Key, Buffer>();
  /** In the order in which they were handed over; those that are done are gone. */
  readonly held: HeldCommit[] = [];
  /** False: commits succeed at once. */
  holding = true;
  discarded = 0;
  /** Ranges go on when this resolves, with what the store held when they began. */
  rangeGate: Promise<void> = Promise.resolve();
  #arrived: (() => void) | undefined;

  get(key: Key): Buffer | undefined {
    return this.contents.get(key);
  }

  snapshot(): StoreSnapshot {
    const contents = new Map(this.contents);
    return { get: (key) => contents.get(key), close: async () => contents.clear() };
  }

  async *range({ from, to, reverse = false, step = 500 }: KeyRange): AsyncIterable<Entry[]> {
    const entries = [...this.contents]
      .filter(([key]) => compareBytes(key, from) >= 0 && compareBytes(key, to) < 0)
      .sort(([a], [b]) => compareBytes(a, b))
      .map(([key, value]) => ({ key, value }));
    if (reverse) entries.reverse();
    await this.rangeGate;
    for (let i = 0; i < entries.length; i += step) yield entries.slice(i, i + step);
  }

  async first(range: KeyRange): Promise<Entry | undefined> {
    for await (const [entry] of this.range({ ...range, step: 1 })) return entry;
    return undefined;
  }

  batch(): StoreBatch {
    const operations: Operation[] = [];
    return {
      put: (key, value) => void operations.push([key, value]),
      delete: (key) => void operations.push([key, null]),
      commit: () => this.#commit(operations),
      discard: async () => void this.discarded++,
    };
  }

  async clear(from: Key, to: Key): Promise<void> {
    for await (const entries of this.range({ from, to })) for (const { key } of entries) this.contents.delete(key);
  }

  async reclaim(): Promise<void> {}

  async approximateSize(): Promise<number> {
    return 0;
  }

  async close(): Promise<void> {}

  /** The next batch that is handed over (or the one that waits already). */
  async nextCommit(): Promise<HeldCommit> {
    while (this.held.length === 0) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    return this.held[0] as HeldCommit;
  }

  #commit(operations: readonly Operation[]): Promise<void> {
    const apply = (): void => {
      for (const [key, value] of operations) {
        if (value) this.contents.set(key, value);
        else this.contents.delete(key);
      }
    };
    if (!this.holding) {
      apply();
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const held: HeldCommit = {
        keys: operations.map(([key]) => key),
        arrive: apply,
        succeed: () => {
          this.#release(held);
          apply();
          resolve();
        },
        fail: (error) => {
          this.#release(held);
          reject(error);
        },
      };
      this.held.push(held);
      this.#arrived?.();
    });
  }

  #release(held: HeldCommit): void {
    this.held.splice(this.held.indexOf(held), 1);
  }
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
