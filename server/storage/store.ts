/**
 * The key-value store under everything, on one page.
 *
 * Keys are strings, ordered by their UTF-8 bytes (`keys.ts` lists every shape); values are bytes. An implementation promises:
 *
 * 1. A batch is on disk as a whole when `commit` resolves, or not there at all, whenever the process or the machine dies.
 * 2. Reads see what is committed and nothing else; a range reads one snapshot from beginning to end.
 * 3. Batches are applied in the order in which they were handed over.
 * 4. After `close` every method fails; ranges that are still open end first.
 */
export type Key = string;

export interface Entry {
  readonly key: Key;
  readonly value: Buffer;
}

export interface KeyRange {
  /** First key wanted (inclusive). */
  readonly from: Key;
  /** First key no longer wanted (exclusive). */
  readonly to: Key;
  readonly reverse?: boolean;
  /** Keys per step; a step is read at once, so it bounds memory. Default 500. */
  readonly step?: number;
  /** False leaves the values empty, for those who only count. */
  readonly values?: boolean;
}

/** One atomic set of operations. A later operation on a key overrides an earlier one. */
export interface WriteBatch {
  put(key: Key, value: Buffer): void;
  delete(key: Key): void;
}

/** A batch on its way to the disk. `commit` may be called once; `discard` gives the batch up. */
export interface StoreBatch extends WriteBatch {
  commit(): Promise<void>;
  discard(): Promise<void>;
}

/** The store as it was at one moment, whatever is written since. It holds back what compaction would free: close it soon. */
export interface StoreSnapshot {
  get(key: Key): Buffer | undefined;
  close(): Promise<void>;
}

export interface Store {
  /** Synchronous: a point read costs about a microsecond, a trip through the thread pool thirty. */
  get(key: Key): Buffer | undefined;
  snapshot(): StoreSnapshot;
  /** Entries of a range, in steps, from one snapshot. Leaving the loop early releases it. */
  range(range: KeyRange): AsyncIterable<readonly Entry[]>;
  /** The first entry of a range, or the last one with `reverse`. */
  first(range: KeyRange): Promise<Entry | undefined>;
  batch(): StoreBatch;
  /** Removes a range of keys; not atomic, so only for what nothing refers to any more. */
  clear(from: Key, to: Key): Promise<void>;
  /** Gives the room back that removed and overwritten keys of a range still take; may take as long as rewriting the range. */
  reclaim(from: Key, to: Key): Promise<void>;
  /** Bytes on disk that a range takes, roughly. */
  approximateSize(from: Key, to: Key): Promise<number>;
  close(): Promise<void>;
}
