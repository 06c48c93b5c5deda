import { mkdirSync } from "node:fs";
import { Level } from "level";
import type { Entry, Key, KeyRange, Store, StoreBatch, StoreSnapshot } from "./store.js";

type Bytes = Level<Key, Buffer>;

interface ClassicLevel {
  compactRange(from: Key, to: Key): Promise<void>;
  approximateSize(from: Key, to: Key): Promise<number>;
}

/** Entries per step of a range when nothing else is asked for. */
const defaultStep = 500;

/** A data directory that another process has open, or that cannot be opened at all. The message is for the operator. */
export class StoreUnavailable extends Error {}

/**
 * Opens (or creates) a LevelDB store in `location`.
 * @throws StoreUnavailable when another process has it open or the directory cannot be used
 */
export async function openLevelStore(location: string): Promise<Store> {
  mkdirSync(location, { recursive: true, mode: 0o700 });
  const level: Bytes = new Level(location, {
    keyEncoding: "utf8",
    valueEncoding: "buffer",
    // A larger log before each compaction: a burst of writes is not slowed by compactions that start at once.
    writeBufferSize: 16 * 1024 * 1024,
    cacheSize: 32 * 1024 * 1024,
  });
  try {
    await level.open();
  } catch (error) {
    const cause = (error as { cause?: { code?: string } }).cause;
    if (cause?.code === "LEVEL_LOCKED") {
      throw new StoreUnavailable(`The data directory ${location} is in use by another process.`, { cause: error });
    }
    throw new StoreUnavailable(`The data directory ${location} cannot be opened: ${String(cause ?? error)}`, {
      cause: error,
    });
  }
  return new LevelStore(level);
}

class LevelStore implements Store {
  readonly #level: Bytes;

  constructor(level: Bytes) {
    this.#level = level;
  }

  get(key: Key): Buffer | undefined {
    return this.#level.getSync(key);
  }

  snapshot(): StoreSnapshot {
    const snapshot = this.#level.snapshot();
    const options = { snapshot };
    return { get: (key) => this.#level.getSync(key, options), close: () => snapshot.close() };
  }

  async *range({ from, to, reverse = false, step = defaultStep, values = true }: KeyRange): AsyncIterable<Entry[]> {
    const iterator = this.#level.iterator({ gte: from, lt: to, reverse, values, highWaterMarkBytes: 1024 * 1024 });
    try {
      for (;;) {
        const entries = await iterator.nextv(step);
        if (entries.length === 0) return;
        yield entries.map(([key, value]) => ({ key, value }));
      }
    } finally {
      await iterator.close();
    }
  }

  async first(range: KeyRange): Promise<Entry | undefined> {
    for await (const [entry] of this.range({ ...range, step: 1 })) return entry;
    return undefined;
  }

  batch(): StoreBatch {
    // A chained batch hands each operation to LevelDB as it comes: three times as fast as an array of operations.
    const chained = this.#level.batch();
    return {
      put: (key, value) => void chained.put(key, value),
      delete: (key) => void chained.del(key),
      commit: () => chained.write({ sync: true }),
      discard: () => chained.close(),
    };
  }

  clear(from: Key, to: Key): Promise<void> {
    return this.#level.clear({ gte: from, lt: to });
  }

  reclaim(from: Key, to: Key): Promise<void> {
    return this.#classic.compactRange(from, to);
  }

  approximateSize(from: Key, to: Key): Promise<number> {
    return this.#classic.approximateSize(from, to);
  }

  /** What only the LevelDB of Node has, not the one of browsers, and `level` is typed for both. */
  get #classic(): ClassicLevel {
    return this.#level as unknown as ClassicLevel;
  }

  close(): Promise<void> {
    return this.#level.close();
  }
}
