import { LRUCache } from "lru-cache";
import { CouchError } from "../../../protocol/errors.js";
import type { Database } from "../../documents/database.js";
import type { Databases } from "../../documents/databases.js";
import { NodeCache } from "../views/node-cache.js";
import { ViewIndex } from "../views/view-index.js";
import { DatabaseIndex } from "./database-index.js";
import { type CatalogueParts, clearDropped, dropIndex, numberOfIndex, signaturesOf } from "./index-catalogue.js";
import type { IndexDefinition } from "./index-definition.js";

export interface IndexesOptions {
  /** Rows that are applied before they are committed, about. Default: 20,000. */
  readonly rowsOfCommit?: number;
  /** Bytes of a node, at most. Default: 8 kB. */
  readonly nodeBytes?: number;
}

export interface IndexStatistics {
  /** Indexes that are being updated now. */
  readonly updating: number;
  /** Queries that wait for them. */
  readonly waiting: number;
  /** Changes that the indexes used last have not seen. */
  readonly lag: number;
}

/** Of one database, by signatures. */
interface OpenedIndexes {
  readonly indexes: Map<string, Promise<DatabaseIndex>>;
  /** Whoever opens one of these again waits until it is gone: it must not write where is being cleared. */
  readonly dropping: Map<string, Promise<void>>;
  /** How many want each to stay. */
  readonly pinned: Map<string, number>;
}

/** Indexes whose lag is told. */
const watched = 500;

/**
 * The indexes of all databases.
 *
 * Invariant: at most one `DatabaseIndex` of a database and signature is reachable. They live as long as their `Database` object, of
 * which there is one; `open` and `cleanUp` uphold this.
 */
export class Indexes {
  readonly #databases: Pick<Databases, "store" | "commit" | "tasks">;
  readonly #options: IndexesOptions;
  readonly #cache = new NodeCache();
  readonly #opened = new WeakMap<Database, OpenedIndexes>();
  readonly #updating = new Set<DatabaseIndex>();
  readonly #recent = new LRUCache<DatabaseIndex, true>({ max: watched });
  readonly #cleaning = new Set<Promise<number>>();
  #closed = false;

  constructor(databases: Pick<Databases, "store" | "commit" | "tasks">, options: IndexesOptions = {}) {
    this.#databases = databases;
    this.#options = options;
  }

  /**
   * The index that is made so, begun if there is none yet. It may be behind.
   * @throws CouchError not_found when the database is gone, service_unavailable once closed
   */
  async open(database: Database, definition: IndexDefinition): Promise<DatabaseIndex> {
    const { signature } = definition;
    const { indexes, dropping } = this.#openedOf(database);
    await dropping.get(signature);
    let opening = indexes.get(signature);
    if (!opening) {
      opening = this.#open(database, definition);
      indexes.set(signature, opening);
      opening.catch(() => indexes.delete(signature));
    }
    const index = await opening;
    this.#recent.set(index, true);
    return index;
  }

  /** How far an index has come that is on disk; undefined when there is none of that signature. */
  async find(database: Database, definition: IndexDefinition): Promise<DatabaseIndex | undefined> {
    const isThere = this.#databases.store.get(database.keys.signature(definition.signature)) !== undefined;
    return isThere ? await this.open(database, definition) : undefined;
  }

  /**
   * Drops the indexes of a database that none of the wanted signatures names. Resolves when they are cleared from the disk, to how
   * many were left alone because queries wait for them.
   * @param wanted asked before each is dropped: one that a new design document has begun again meanwhile must stay
   */
  async cleanUp(database: Database, wanted: () => Promise<ReadonlySet<string>>): Promise<number> {
    const cleaning = this.#cleanUp(database, wanted);
    this.#cleaning.add(cleaning);
    try {
      return await cleaning;
    } finally {
      this.#cleaning.delete(cleaning);
    }
  }

  /** Keeps an index from being dropped until the result is called, although nothing defines it yet. */
  pin(database: Database, { signature }: IndexDefinition): () => void {
    const { pinned } = this.#openedOf(database);
    pinned.set(signature, (pinned.get(signature) ?? 0) + 1);
    return () => {
      const left = (pinned.get(signature) ?? 1) - 1;
      if (left > 0) pinned.set(signature, left);
      else pinned.delete(signature);
    };
  }

  /** Bytes on disk that an index takes, roughly. */
  async sizeOf({ span: { from, to } }: DatabaseIndex): Promise<number> {
    return await this.#databases.store.approximateSize(from, to);
  }

  /** Gives back the room that replaced nodes of an index still take. */
  async compact({ span: { from, to } }: DatabaseIndex): Promise<void> {
    await this.#databases.store.reclaim(from, to);
  }

  statistics(): IndexStatistics {
    const indexes = [...this.#recent.keys()].filter(({ database }) => !database.deleted);
    return {
      updating: this.#updating.size,
      waiting: [...this.#updating].reduce((sum, { waiting }) => sum + waiting, 0),
      lag: indexes.reduce((sum, { lag }) => sum + lag, 0),
    };
  }

  /** Ends updates, and waits for what is being cleared. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#updating].map((index) => index.end()));
    await Promise.allSettled(this.#cleaning);
  }

  async #open(database: Database, definition: IndexDefinition): Promise<DatabaseIndex> {
    const { store, commit, tasks } = this.#databases;
    // Records that are written after a database was cleared would stay for ever.
    const mustExist = (): void => {
      if (this.#closed) throw new CouchError("service_unavailable");
      if (database.deleted) throw new CouchError("not_found", "Database does not exist.");
    };
    mustExist();
    const number = await numberOfIndex(this.#partsOf(database), definition.signature);
    mustExist();
    const keys = database.keys.index(number);
    const { nodeBytes, rowsOfCommit } = this.#options;
    const index = await ViewIndex.open({
      ...{ store, commit, keys, cache: this.#cache, views: definition.trees },
      ...(nodeBytes === undefined ? {} : { nodeBytes }),
    });
    const updating = this.#updating;
    return new DatabaseIndex({ database, definition, index, span: keys.all, tasks, updating, rowsOfCommit });
  }

  async #cleanUp(database: Database, wanted: () => Promise<ReadonlySet<string>>): Promise<number> {
    const parts = this.#partsOf(database);
    const { indexes, dropping, pinned } = this.#openedOf(database);
    let inUse = 0;
    let kept: ReadonlySet<string> | undefined;
    for (const signature of await signaturesOf(parts)) {
      kept ??= await wanted();
      if (kept.has(signature) || dropping.has(signature) || pinned.has(signature)) continue;
      const index = await indexes.get(signature)?.catch(() => undefined);
      if (index && index.waiting > 0) {
        inUse++;
        continue;
      }
      const dropped = this.#drop(database, signature).finally(() => dropping.delete(signature));
      dropping.set(signature, dropped);
      await dropped;
      kept = undefined;
    }
    await clearDropped(parts);
    return inUse;
  }

  async #drop(database: Database, signature: string): Promise<void> {
    const { indexes } = this.#openedOf(database);
    const index = await indexes.get(signature)?.catch(() => undefined);
    await index?.end();
    indexes.delete(signature);
    if (index) this.#recent.delete(index);
    if (database.deleted) return;
    await dropIndex(this.#partsOf(database), signature);
  }

  #openedOf(database: Database): OpenedIndexes {
    let opened = this.#opened.get(database);
    if (!opened) {
      opened = { indexes: new Map(), dropping: new Map(), pinned: new Map() };
      this.#opened.set(database, opened);
    }
    return opened;
  }

  #partsOf({ keys }: Database): CatalogueParts {
    const { store, commit } = this.#databases;
    return { store, commit, keys };
  }
}
