import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { LRUCache } from "lru-cache";
import { CouchError } from "../../protocol/errors.js";
import type { DatabaseName } from "../../protocol/ids.js";
import { openFormat } from "../storage/format.js";
import { GroupCommit } from "../storage/group-commit.js";
import {
  type DatabaseNumber,
  databaseKeys,
  databaseNameOfKey,
  directoryKey,
  directoryRange,
  droppedKey,
  droppedRange,
  epochKey,
  nextDatabaseKey,
  numberOfDroppedKey,
} from "../storage/keys.js";
import { openLevelStore } from "../storage/level-store.js";
import type { Store } from "../storage/store.js";
import { ActiveTasks } from "./active-tasks.js";
import { BlobStore } from "./attachments/blob-store.js";
import { type Compression, defaultCompression } from "./attachments/compression.js";
import { UpdateHub } from "./changes/update-hub.js";
import { Database } from "./database.js";
import type { DatabaseServices } from "./database-services.js";
import { DatabaseUpdates } from "./database-updates.js";
import {
  type DirectoryRecord,
  decodeDirectoryRecord,
  encodeDirectoryRecord,
  newDirectoryRecord,
} from "./directory-record.js";
import { noCounters } from "./sequence-entry.js";
import { newStoreCounts, type StoreCounts } from "./store-counts.js";
import { readProgress } from "./stored-counters.js";
import type { Progress } from "./update-log.js";
import type { Validate } from "./validate.js";

export interface DatabasesOptions {
  /** Created when missing. Holds `store/` and `blobs/`. */
  readonly dataDir: string;
  /** Runs `validate_doc_update`. */
  readonly validate: Validate;
  readonly shareKeyOf?: (source: string) => string | undefined;
  /** Which attachments are compressed, and how much; asked for each. */
  readonly compression?: () => Compression;
  /** The directory was restored from a backup: sequences from now on belong to a new epoch. */
  readonly newEpoch?: boolean;
}

/** What happened to a database, for whoever keeps something by its name. */
export interface DatabaseEvent {
  readonly name: DatabaseName;
  readonly type: "created" | "deleted";
}

/** Databases that stay open after use. An idle one costs about two kilobytes; opening one is two reads. */
const keptOpen = 5000;

/**
 * The catalogue of a data directory.
 *
 * Invariant: at most one `Database` object of a name is reachable. It holds the sequence of the next write, so a second one would
 * give the same sequence out twice. An object that was pushed out of the cache but is still in somebody's hands is found again by
 * its weak reference; `open` upholds this.
 */
export class Databases {
  readonly #services: DatabaseServices;
  readonly #open = new LRUCache<DatabaseName, Database>({ max: keptOpen });
  readonly #reachable = new Map<DatabaseName, WeakRef<Database>>();
  readonly #loading = new Map<DatabaseName, Promise<Database>>();
  readonly #forgotten = new FinalizationRegistry<DatabaseName>((name) => {
    if (this.#reachable.get(name)?.deref() === undefined) this.#reachable.delete(name);
  });
  readonly #listeners = new Set<(event: DatabaseEvent) => void>();
  readonly #writeListeners: Set<(database: Database) => void>;
  readonly #designListeners: Set<(database: Database) => void>;
  readonly #updateHub: UpdateHub;
  #nextNumber: DatabaseNumber;
  #clearing: Promise<void> = Promise.resolve();

  private constructor(services: Omit<DatabaseServices, "wrote" | "designed">, nextNumber: DatabaseNumber) {
    const listeners = new Set<(database: Database) => void>();
    const designListeners = new Set<(database: Database) => void>();
    this.#writeListeners = listeners;
    this.#designListeners = designListeners;
    this.#services = {
      ...services,
      wrote: (database) => {
        for (const listener of listeners) listener(database);
      },
      designed: (database) => {
        for (const listener of designListeners) listener(database);
      },
    };
    this.#nextNumber = nextNumber;
    this.#updateHub = new UpdateHub(services.updates);
  }

  /** @throws StoreUnavailable in use by another process, or written by a newer Settee */
  static async open(options: DatabasesOptions): Promise<Databases> {
    const { dataDir, validate, shareKeyOf, compression = () => defaultCompression, newEpoch = false } = options;
    const store = await openLevelStore(join(dataDir, "store"));
    try {
      await openFormat(store);
      const blobs = new BlobStore(join(dataDir, "blobs"));
      await blobs.open();
      const epoch = await openEpoch(store, newEpoch);
      const commit = new GroupCommit(store);
      const next = store.get(nextDatabaseKey);
      const followed = new Set<Database>();
      const services = {
        store,
        commit,
        blobs,
        followed,
        epoch,
        updates: await DatabaseUpdates.open(store, commit, epoch),
        tasks: new ActiveTasks(),
        counts: newStoreCounts(),
        validate,
        compression,
        ...(shareKeyOf ? { shareKeyOf } : {}),
      };
      const databases = new Databases(services, next ? Number(next.toString()) : 1);
      await databases.#resumeClearing();
      return databases;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  get store(): Store {
    return this.#services.store;
  }

  get commit(): GroupCommit {
    return this.#services.commit;
  }

  /** What happens to all of them. */
  get updates(): DatabaseUpdates {
    return this.#services.updates;
  }

  /** The same for those who want to hear of a few each. */
  get updateHub(): UpdateHub {
    return this.#updateHub;
  }

  /** Long work under way. */
  get tasks(): ActiveTasks {
    return this.#services.tasks;
  }

  get counts(): Readonly<StoreCounts> {
    return this.#services.counts;
  }

  /** How many are in memory. */
  get openCount(): number {
    return this.#open.size;
  }

  /** @throws CouchError file_exists */
  async create(
    name: DatabaseName,
    { partitioned = false }: { readonly partitioned?: boolean } = {},
  ): Promise<Database> {
    const { commit, epoch } = this.#services;
    const key = directoryKey(name);
    if (commit.read(key)) throw new CouchError("file_exists");
    const number = this.#nextNumber++;
    const record = newDirectoryRecord(number, { partitioned, epoch, created: Date.now() });
    await commit.write((batch) => {
      batch.put(key, encodeDirectoryRecord(record));
      batch.put(nextDatabaseKey, Buffer.from(String(this.#nextNumber)));
      this.#services.updates.created(name, batch);
    });
    // Somebody may have opened it in the moment between the disk and here.
    const database = this.opened(name) ?? this.#keep(this.#build(name, record, { seq: 0, counters: noCounters }));
    this.#announce({ name, type: "created" });
    return database;
  }

  exists(name: DatabaseName): boolean {
    return this.#services.store.get(directoryKey(name)) !== undefined;
  }

  /** @throws CouchError not_found */
  async open(name: DatabaseName): Promise<Database> {
    return this.opened(name) ?? (await this.#load(name));
  }

  /** The database when it is in memory already: spares the hot path a promise. */
  opened(name: DatabaseName): Database | undefined {
    const kept = this.#open.get(name);
    if (kept) return kept;
    const reachable = this.#reachable.get(name)?.deref();
    if (reachable) this.#open.set(name, reachable);
    return reachable;
  }

  /** Gone for readers and writers when it resolves; its records are cleared in the background. @throws CouchError not_found */
  async delete(name: DatabaseName): Promise<void> {
    const { commit } = this.#services;
    const key = directoryKey(name);
    // A database that is being loaded would otherwise come back to memory after it was deleted.
    await this.#loading.get(name)?.catch(() => undefined);
    const bytes = commit.read(key);
    if (!bytes) throw new CouchError("not_found", "missing");
    const { number } = decodeDirectoryRecord(bytes);
    this.opened(name)?.markDeleted();
    this.#open.delete(name);
    this.#reachable.delete(name);
    await commit.write((batch) => {
      batch.delete(key);
      batch.put(droppedKey(number), Buffer.alloc(0));
      this.#services.updates.deleted(name, batch);
    });
    this.#announce({ name, type: "deleted" });
    this.#clear(number);
  }

  /** Names in order of their bytes, in steps. `from` inclusive, `to` exclusive. */
  async *names(
    range: { readonly from?: string; readonly to?: string; readonly descending?: boolean } = {},
  ): AsyncIterable<readonly DatabaseName[]> {
    const bounds = {
      from: range.from === undefined ? directoryRange.from : directoryKey(range.from),
      to: range.to === undefined ? directoryRange.to : directoryKey(range.to),
      reverse: range.descending ?? false,
      values: false,
    };
    for await (const entries of this.#services.store.range(bounds)) {
      yield entries.map(({ key }) => databaseNameOfKey(key) as DatabaseName);
    }
  }

  subscribe(listener: (event: DatabaseEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Tells of every write of documents and every purge, when it is on disk; the result ends that. */
  onWrite(listener: (database: Database) => void): () => void {
    this.#writeListeners.add(listener);
    return () => void this.#writeListeners.delete(listener);
  }

  /** Tells of every change of design documents, when it is on disk; the result ends that. */
  onDesignChange(listener: (database: Database) => void): () => void {
    this.#designListeners.add(listener);
    return () => void this.#designListeners.delete(listener);
  }

  /** Finishes what is being written, ends feeds and compactions, closes the store. */
  async close(): Promise<void> {
    const open = [...this.#reachable.values()].flatMap((reference) => reference.deref() ?? []);
    for (const database of open) database.log.end();
    await Promise.all(open.filter(({ compacting }) => compacting).map((database) => database.endCompaction()));
    this.#services.updates.end();
    await this.#services.commit.idle();
    await this.#clearing;
    await this.#services.store.close();
  }

  #load(name: DatabaseName): Promise<Database> {
    const loading = this.#loading.get(name);
    if (loading) return loading;
    const started = this.#read(name).finally(() => this.#loading.delete(name));
    this.#loading.set(name, started);
    return started;
  }

  async #read(name: DatabaseName): Promise<Database> {
    const { store } = this.#services;
    const record = this.#recordOf(name);
    if (!record) throw new CouchError("not_found", "Database does not exist.");
    const keys = databaseKeys(record.number);
    const progress = await readProgress(store, keys);
    // Made meanwhile by `create`: that object is the one.
    const opened = this.opened(name);
    if (opened) return opened;
    if (this.#recordOf(name)?.number !== record.number) throw new CouchError("not_found", "Database does not exist.");
    return this.#keep(this.#build(name, record, progress));
  }

  /** The record on disk, unless it is about to go: a database whose deletion is being flushed must not come back to memory. */
  #recordOf(name: DatabaseName): DirectoryRecord | undefined {
    const { store, commit } = this.#services;
    const onDisk = store.get(directoryKey(name));
    const next = commit.read(directoryKey(name));
    if (!onDisk || !next) return undefined;
    const record = decodeDirectoryRecord(next);
    return record.number === decodeDirectoryRecord(onDisk).number ? record : undefined;
  }

  #build(name: DatabaseName, record: DirectoryRecord, progress: Progress): Database {
    return new Database(this.#services, name, record, progress);
  }

  #keep(database: Database): Database {
    this.#open.set(database.name, database);
    this.#reachable.set(database.name, new WeakRef(database));
    this.#forgotten.register(database, database.name);
    return database;
  }

  #announce(event: DatabaseEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** One at a time: clearing competes with everybody's writes for the disk. */
  #clear(number: DatabaseNumber): void {
    const { store, commit, blobs } = this.#services;
    this.#clearing = this.#clearing.then(async () => {
      const { from, to } = databaseKeys(number).all;
      await store.clear(from, to);
      await blobs.removeAll(number);
      await commit.write((batch) => batch.delete(droppedKey(number)));
    });
    // The record of what is to be cleared stays: the next start tries again.
    this.#clearing = this.#clearing.catch(() => undefined);
  }

  async #resumeClearing(): Promise<void> {
    for await (const entries of this.#services.store.range(droppedRange)) {
      for (const { key } of entries) this.#clear(numberOfDroppedKey(key));
    }
  }
}

async function openEpoch(store: Store, renew: boolean): Promise<string> {
  const stored = store.get(epochKey);
  if (stored && !renew) return stored.toString();
  const epoch = randomBytes(5).toString("hex");
  const batch = store.batch();
  batch.put(epochKey, Buffer.from(epoch));
  await batch.commit();
  return epoch;
}
