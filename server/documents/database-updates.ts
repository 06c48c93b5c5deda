import type { DatabaseName, Seq } from "../../protocol/ids.js";
import type { CommitListener, GroupCommit } from "../storage/group-commit.js";
import { seqOfUpdateKey, updatedKey, updateKey, updatesRange } from "../storage/keys.js";
import type { Entry, Store, WriteBatch } from "../storage/store.js";
import { formatSeq, resolveSeq } from "./epochs.js";

export type UpdateType = "created" | "updated" | "deleted";

/** What happened to a database last, of its kind. */
export interface DatabaseUpdate {
  readonly seq: number;
  readonly name: DatabaseName;
  readonly type: UpdateType;
}

/** A database that is written to. */
export interface WrittenDatabase {
  readonly name: DatabaseName;
  readonly deleted: boolean;
}

export interface UpdatesRange {
  /** Updates after this sequence. */
  readonly since: number;
  /** And up to this one. */
  readonly upTo: number;
  /** Newest first. */
  readonly descending?: boolean;
  /** Updates per step. */
  readonly step?: number;
}

export interface UpdatesListener {
  /** After a commit that brought updates. */
  changed(): void;
  /** The server stops: nothing more will come. */
  ended(): void;
}

/** Sequences of the records that a database has now; a deleted one has that record and no other. */
type Records = { readonly [Type in UpdateType]?: number };

/** Milliseconds that the time of a database's last write may be behind: a write costs no record for the sake of it more often. */
const timeStep = 60_000;

/**
 * The updates of all databases, for `_db_updates`: under a sequence of their own, on disk, in the batch of what they tell of. A
 * database has at most one record of each type; a newer one replaces it.
 *
 * A write costs no record while the database's last one was shown to nobody: whoever reads later finds that one, and what was
 * written by then. So a server to which nobody listens writes one record for each database and start; one with listeners a record
 * for each database and flush, however many documents that flush brings. Databases at rest cost nothing.
 *
 * Invariant: after a reader was given the sequence S, a write that it could not see has a record after S. `#isUnseen` decides that
 * when a batch is sealed; `observe` makes readers wait for the batch that was sealed before they came, and tells them how far they
 * may read.
 */
export class DatabaseUpdates {
  readonly #store: Store;
  readonly #commit: GroupCommit;
  readonly #epoch: string;
  readonly #listeners = new Set<UpdatesListener>();
  readonly #written = new Set<WrittenDatabase>();
  /** Spares a read for each flush of a database in use. */
  #known = new WeakMap<WrittenDatabase, Records>();
  /** When the time of a database's last write was noted. */
  #times = new WeakMap<WrittenDatabase, number>();
  /** The last sequence given out, perhaps not on disk yet. */
  #last: number;
  #committed: number;
  /** Up to here, readers may have seen what there is. Those of former starts may have seen everything. */
  #seen: number;

  /** @param last the highest sequence on disk */
  constructor(store: Store, commit: GroupCommit, epoch: string, last: number) {
    this.#store = store;
    this.#commit = commit;
    this.#epoch = epoch;
    this.#last = last;
    this.#committed = last;
    this.#seen = last;
    commit.sealWith((batch) => this.#seal(batch));
  }

  static async open(store: Store, commit: GroupCommit, epoch: string): Promise<DatabaseUpdates> {
    const last = await store.first({ ...updatesRange, reverse: true, values: false });
    return new DatabaseUpdates(store, commit, epoch, last ? seqOfUpdateKey(last.key) : 0);
  }

  // Writing

  /** In the turn of a write: the batch that is being filled changes the database. */
  touch(database: WrittenDatabase): void {
    this.#written.add(database);
  }

  /** With the operations that create a database. */
  created(name: DatabaseName, batch: WriteBatch): void {
    this.#replaceAll(name, "created", batch);
  }

  /** With the operations that delete a database. */
  deleted(name: DatabaseName, batch: WriteBatch): void {
    this.#replaceAll(name, "deleted", batch);
  }

  // Reading

  /** The last sequence on disk. */
  get updateSeq(): number {
    return this.#committed;
  }

  seqText(seq: number): Seq {
    return formatSeq(seq, this.#epoch);
  }

  /** After a restored backup everything is shown again: there is one record for each database. @throws CouchError bad_request */
  resolveSeq(text: string): number {
    return resolveSeq(text, [{ epoch: this.#epoch, first: 1 }], this.#committed);
  }

  /**
   * Before reading: resolves to the last sequence that may be given out. What comes after it may be of a batch that was sealed as if
   * nobody read.
   */
  async observe(): Promise<number> {
    const seen = this.#last;
    this.#seen = seen;
    await this.#commit.flushed();
    return Math.min(seen, this.#committed);
  }

  /** When the database was written to last, or else made, in milliseconds since 1970, to a minute; undefined where nobody noted it. */
  lastChange(name: DatabaseName): number | undefined {
    const { updated, created } = this.#recordsOf(name);
    const seq = updated ?? created;
    const bytes = seq === undefined ? undefined : this.#commit.read(updateKey(seq));
    return bytes && (JSON.parse(bytes.toString()) as StoredUpdate).at;
  }

  /** Updates in steps, from one snapshot. */
  async *changes({ since, upTo, descending = false, step }: UpdatesRange): AsyncIterable<readonly DatabaseUpdate[]> {
    const range = {
      from: updateKey(since + 1),
      to: updateKey(upTo + 1),
      reverse: descending,
      ...(step ? { step } : {}),
    };
    for await (const entries of this.#store.range(range)) yield entries.map(decodeUpdate);
  }

  /** Tells of every commit with updates from now on; the result ends that. */
  subscribe(listener: UpdatesListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      this.#seen = this.#last;
    };
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  end(): void {
    for (const listener of [...this.#listeners]) listener.ended();
  }

  #seal(batch: WriteBatch): CommitListener | undefined {
    for (const database of this.#written) {
      if (database.deleted) continue;
      const records = this.#known.get(database) ?? this.#recordsOf(database.name);
      const isUnseen = this.#isUnseen(records.updated);
      this.#known.set(database, isUnseen ? records : this.#renew(database.name, records, batch));
      if (isUnseen) this.#noteTime(database, records.updated as number, batch);
      else this.#times.set(database, Date.now());
    }
    this.#written.clear();
    const reached = this.#last;
    if (reached === this.#committed) return undefined;
    return {
      committed: () => {
        this.#committed = reached;
        for (const listener of [...this.#listeners]) listener.changed();
      },
      aborted: () => {
        this.#known = new WeakMap();
        this.#times = new WeakMap();
      },
    };
  }

  #isUnseen(seq: number | undefined): boolean {
    return seq !== undefined && seq > this.#seen && this.#listeners.size === 0;
  }

  #renew(name: DatabaseName, records: Records, batch: WriteBatch): Records {
    if (records.updated !== undefined) batch.delete(updateKey(records.updated));
    const { deleted: _, ...kept } = records;
    return this.#put({ ...kept, updated: ++this.#last }, name, "updated", batch);
  }

  #noteTime(database: WrittenDatabase, seq: number, batch: WriteBatch): void {
    const at = Date.now();
    if (at - (this.#times.get(database) ?? 0) < timeStep) return;
    this.#times.set(database, at);
    putUpdate(seq, { name: database.name, type: "updated", at }, batch);
  }

  #replaceAll(name: DatabaseName, type: UpdateType, batch: WriteBatch): void {
    for (const seq of Object.values(this.#recordsOf(name))) batch.delete(updateKey(seq));
    this.#put({ [type]: ++this.#last }, name, type, batch);
  }

  #put(records: Records, name: DatabaseName, type: UpdateType, batch: WriteBatch): Records {
    putUpdate(this.#last, { name, type, at: Date.now() }, batch);
    batch.put(updatedKey(name), Buffer.from(JSON.stringify(records)));
    return records;
  }

  #recordsOf(name: DatabaseName): Records {
    const bytes = this.#commit.read(updatedKey(name));
    return bytes ? (JSON.parse(bytes.toString()) as Records) : {};
  }
}

/** `at` is missing in those of former versions. */
interface StoredUpdate extends Omit<DatabaseUpdate, "seq"> {
  readonly at?: number;
}

function putUpdate(seq: number, update: StoredUpdate, batch: WriteBatch): void {
  batch.put(updateKey(seq), Buffer.from(JSON.stringify(update)));
}

function decodeUpdate({ key, value }: Entry): DatabaseUpdate {
  const { name, type } = JSON.parse(value.toString()) as StoredUpdate;
  return { seq: seqOfUpdateKey(key), name, type };
}
