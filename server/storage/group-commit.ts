import type { Key, Store, StoreBatch, WriteBatch } from "./store.js";

export interface CommitListener {
  /** The operations are on disk; called before the promise of `write` resolves, in the order of the writes. */
  committed?(): void;
  /** They are not, and nothing that was written after them is. */
  aborted?(): void;
}

/** Adds to a batch what follows from all that is in it, and may wait for what becomes of it. Must not throw. */
export type Seal = (batch: WriteBatch) => CommitListener | undefined;

/** What is on its way to the disk: one batch, and what it will make of each key. */
interface Pending {
  readonly batch: StoreBatch;
  /** null: deleted. */
  readonly view: Map<Key, Buffer | null>;
  readonly listeners: CommitListener[];
  writes: number;
  readonly done: Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

export interface CommitStatistics {
  readonly commits: number;
  readonly operations: number;
  /** Milliseconds spent waiting for the disk. */
  readonly milliseconds: number;
  /** Writes that wait for the disk now. */
  readonly waiting: number;
}

/**
 * Group commit: writes to any number of databases that arrive while a flush is under way go into the next single synced batch.
 *
 * Invariants:
 * 1. At most one batch is being flushed and at most one is being filled.
 * 2. A write is acknowledged (its promise resolves) only after its batch is on disk.
 * 3. When a flush fails, the batch being filled fails with it: its operations were computed on top of what is now lost.
 * `#flush` upholds all three.
 */
export class GroupCommit {
  readonly #store: Store;
  #filling: Pending | undefined;
  #flushing: Pending | undefined;
  #commits = 0;
  #operations = 0;
  #milliseconds = 0;
  #seal: Seal | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Has `seal` called with every batch from now on, right before it is flushed: once for all writes that share it. */
  sealWith(seal: Seal): void {
    this.#seal = seal;
  }

  /** What the key holds for the next writer: pending operations first, then what is committed. */
  read(key: Key): Buffer | undefined {
    let value = this.#filling?.view.get(key);
    if (value === undefined) value = this.#flushing?.view.get(key);
    return value === undefined ? this.#store.get(key) : (value ?? undefined);
  }

  /**
   * Adds operations and resolves once they are on disk, and all that `read` showed `fill` with them: a write that finds everything
   * done already by another one must not be acknowledged before that one. `fill` runs before this returns, sees its own operations
   * by `read`, and must not throw: half its operations would be in the batch of others.
   */
  write(fill: (batch: WriteBatch) => void, listener?: CommitListener): Promise<void> {
    let pending: Pending | undefined;
    const open = (): Pending => {
      pending ??= this.#open();
      return pending;
    };
    fill(this.#into(open));
    if (!pending) return (this.#filling ?? this.#flushing)?.done ?? Promise.resolve();
    pending.writes++;
    if (listener) pending.listeners.push(listener);
    return pending.done;
  }

  /** Resolves when what is being flushed at this moment, if anything is, is on disk or lost. */
  async flushed(): Promise<void> {
    await this.#flushing?.done.catch(() => undefined);
  }

  /** Resolves when nothing is pending any more. */
  async idle(): Promise<void> {
    while (this.#filling || this.#flushing) {
      await (this.#filling ?? this.#flushing)?.done.catch(() => undefined);
    }
  }

  statistics(): CommitStatistics {
    const waiting = (this.#filling?.writes ?? 0) + (this.#flushing?.writes ?? 0);
    return { commits: this.#commits, operations: this.#operations, milliseconds: this.#milliseconds, waiting };
  }

  #into(open: () => Pending): WriteBatch {
    return {
      put: (key, value) => {
        const { batch, view } = open();
        batch.put(key, value);
        view.set(key, value);
        this.#operations++;
      },
      delete: (key) => {
        const { batch, view } = open();
        batch.delete(key);
        view.set(key, null);
        this.#operations++;
      },
    };
  }

  #open(): Pending {
    if (this.#filling) return this.#filling;
    const { promise, resolve, reject } = deferred();
    // A rejection is every writer's own to see; without a writer waiting (batch=ok) it must not end the process.
    promise.catch(() => undefined);
    this.#filling = {
      batch: this.#store.batch(),
      view: new Map(),
      listeners: [],
      writes: 0,
      done: promise,
      resolve,
      reject,
    };
    // Not at once: requests that were read from their sockets in this turn of the event loop still join.
    if (!this.#flushing) setImmediate(() => void this.#flush());
    return this.#filling;
  }

  async #flush(): Promise<void> {
    const flushing = this.#filling;
    if (!flushing || this.#flushing) return;
    // Still the one that is being filled: what the seal reads are the operations of all who wrote into it.
    const sealed = this.#seal?.(this.#into(() => flushing));
    if (sealed) flushing.listeners.push(sealed);
    this.#filling = undefined;
    this.#flushing = flushing;
    const began = performance.now();
    try {
      await flushing.batch.commit();
    } catch (error) {
      const lost = [flushing, this.#filling].filter((pending) => pending !== undefined);
      this.#filling = undefined;
      this.#flushing = undefined;
      for (const pending of lost) {
        for (const listener of pending.listeners) listener.aborted?.();
        pending.reject(error);
        if (pending !== flushing) await pending.batch.discard().catch(() => undefined);
      }
      return;
    }
    this.#commits++;
    this.#milliseconds += performance.now() - began;
    this.#flushing = undefined;
    if (this.#filling) void this.#flush();
    for (const listener of flushing.listeners) {
      try {
        listener.committed?.();
      } catch (error) {
        // What is on disk is acknowledged whatever its listeners do; their failure is nobody's request to answer for.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    flushing.resolve();
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
