import type { Database } from "../database.js";
import { decodeSequenceEntry, type SequenceEntry } from "../sequence-entry.js";
import type { Announcement } from "../update-log.js";

/** Changes kept for a reader who is slow; beyond that they are read from the store again. */
const queueLimit = 1000;

/** "idle": nothing came in the time given. "ended": nothing will come: the database is gone, the server stops, or `close`. */
export type LiveEvent = readonly SequenceEntry[] | "idle" | "ended";

/**
 * The changes of a database since a sequence and from then on, in order, none missing. While a reader keeps up, changes come from
 * the commits themselves and nothing is read.
 *
 * Invariants: every change after `#last` is in the store, in the iterator being read, or in the queue; `next` hands them out in the
 * order of sequences. A document that changes again may be handed out twice, never not at all.
 */
export class LiveChanges {
  readonly #database: Database;
  #last: number;
  #stored: AsyncIterator<readonly SequenceEntry[]> | undefined;
  #queue: Announcement[] = [];
  /** The queue overflowed: what it held must be read from the store. */
  #behind = false;
  #ended = false;
  #wake: (() => void) | undefined;
  readonly #unsubscribe: () => void;

  /** @param secured called when who may read the database has changed */
  constructor(database: Database, since: number, secured?: () => void) {
    this.#database = database;
    this.#last = since;
    // Listening begins before reading: what commits in between is in the queue, and perhaps in the store as well.
    this.#unsubscribe = database.subscribe({
      changed: (changes) => this.#arrived(changes),
      ...(secured && { secured }),
      ended: () => {
        this.#ended = true;
        this.#wake?.();
      },
    });
    this.#readStore();
  }

  /** The last sequence handed out, or the one that was asked for. */
  get lastSeq(): number {
    return this.#last;
  }

  /** The next changes; waits up to `waitMs` milliseconds when there are none yet. One call at a time. */
  async next(waitMs: number): Promise<LiveEvent> {
    for (;;) {
      if (this.#stored) {
        const { value, done } = await this.#stored.next();
        if (!done) return this.#handOut(value);
        this.#stored = undefined;
      }
      const fresh = this.#takeQueue();
      if (fresh.length > 0) return this.#handOut(fresh);
      if (this.#stored) continue;
      if (this.#ended || this.#database.deleted) return "ended";
      if (waitMs <= 0 || !(await this.#arrival(waitMs))) return "idle";
    }
  }

  close(): void {
    this.#ended = true;
    this.#unsubscribe();
    void this.#stored?.return?.();
    this.#stored = undefined;
    this.#queue = [];
    this.#wake?.();
  }

  #readStore(): void {
    if (this.#database.updateSeq <= this.#last) return;
    this.#stored = this.#database.changes({ since: this.#last })[Symbol.asyncIterator]();
  }

  #arrived(changes: readonly Announcement[]): void {
    if (this.#queue.length + changes.length > queueLimit) {
      this.#behind = true;
      this.#queue = [];
    }
    if (!this.#behind) this.#queue.push(...changes);
    this.#wake?.();
  }

  #takeQueue(): readonly SequenceEntry[] {
    if (this.#behind) {
      this.#behind = false;
      this.#readStore();
      return [];
    }
    if (this.#queue.length === 0) return [];
    const queue = this.#queue;
    this.#queue = [];
    return queue.filter(({ seq }) => seq > this.#last).map(({ seq, entry }) => decodeSequenceEntry(seq, entry));
  }

  #handOut(entries: readonly SequenceEntry[]): readonly SequenceEntry[] {
    const last = entries.at(-1);
    if (last && last.seq > this.#last) this.#last = last.seq;
    return entries;
  }

  /** False when the time ran out first. */
  #arrival(waitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#wake = undefined;
        resolve(false);
      }, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve(true);
      };
    });
  }
}
