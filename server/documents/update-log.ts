import type { DocId } from "../../protocol/ids.js";
import { type Counters, noCounters } from "./sequence-entry.js";

/** How far a database has come. */
export interface Progress {
  readonly seq: number;
  readonly counters: Counters;
  /** Number of the last entry of the purge log; absent where nothing was ever purged. */
  readonly purgeSeq?: number;
}

/** A change that was written: the feed's record under its sequence. */
export interface Announcement {
  readonly seq: number;
  readonly id: DocId;
  /** As stored: `decodeSequenceEntry` reads it. */
  readonly entry: Buffer;
}

export interface LogListener {
  /** After a commit, in the order of commits: the changes that it brought, in the order of their sequences. */
  changed(changes: readonly Announcement[]): void;
  /** After a commit that purged documents and left nothing of them: no change tells of these. */
  purged?(ids: readonly DocId[]): void;
  /** Who may read the database is another question now. */
  secured?(): void;
  /** The database was deleted, or the server stops: nothing more will come. */
  ended?(): void;
}

/**
 * The update sequence and the counters of one database, twice: as writers see them (with what is on its way to the disk) and as
 * readers do (committed); and who is told of commits.
 */
export class UpdateLog {
  #pending: Progress;
  #committed: Progress;
  readonly #listeners = new Set<LogListener>();

  constructor(progress: Progress = { seq: 0, counters: noCounters }) {
    this.#pending = progress;
    this.#committed = progress;
  }

  get pending(): Progress {
    return this.#pending;
  }

  get committed(): Progress {
    return this.#committed;
  }

  get pendingSeq(): number {
    return this.#pending.seq;
  }

  get followed(): boolean {
    return this.#listeners.size > 0;
  }

  advance(seq: number, counters: Counters): void {
    this.#pending = { ...this.#pending, seq, counters };
  }

  advancePurge(purgeSeq: number): void {
    this.#pending = { ...this.#pending, purgeSeq };
  }

  /** The writes up to `reached` are on disk. */
  settle(reached: Progress, changes: readonly Announcement[], purged: readonly DocId[] = []): void {
    this.#committed = reached;
    if (changes.length > 0) for (const listener of this.#listeners) listener.changed(changes);
    if (purged.length > 0) for (const listener of this.#listeners) listener.purged?.(purged);
  }

  /** The security object was changed. */
  secured(): void {
    for (const listener of this.#listeners) listener.secured?.();
  }

  /** What was pending is lost. */
  abort(): void {
    this.#pending = this.#committed;
  }

  /** The result ends the subscription. */
  subscribe(listener: LogListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  end(): void {
    for (const listener of this.#listeners) listener.ended?.();
    this.#listeners.clear();
  }
}
