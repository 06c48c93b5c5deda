/**
 * Builds indexes before somebody waits for them: when design documents change, and when so much was written that the next query would
 * wait long. Drops those that no design document defines any more. One database at a time; short updates are left to queries.
 */

import { setTimeout } from "node:timers/promises";
import type { DatabaseName } from "../../protocol/ids.js";
import type { Database } from "../documents/database.js";
import type { Databases } from "../documents/databases.js";
import type { Indexes } from "../query/indexes/indexes.js";
import type { DesignViews } from "../query/views/design-views.js";
import type { ViewGroup } from "../query/views/view-group.js";
import type { Job } from "./job.js";

export interface IndexKeeperParts {
  readonly databases: Pick<Databases, "onWrite" | "onDesignChange">;
  readonly indexes: Pick<Indexes, "find" | "open" | "cleanUp">;
  readonly designViews: Pick<DesignViews, "groupsOf" | "signaturesOf">;
  /** Told of each index that could not be kept; the others are. */
  readonly onError: (error: unknown, database: DatabaseName) => void;
  /** Milliseconds that other databases wait for one update. Default: 10 seconds. */
  readonly patience?: number;
}

/** Changes that a query may find an index behind: some 40 milliseconds. */
const lagLivedWith = 1000;
const defaultPatience = 10_000;

export class IndexKeeper implements Job {
  readonly id = "index-keeper";
  readonly #parts: IndexKeeperParts;
  readonly #waiting = new Set<Database>();
  /** Sequence at which a database was looked at last. */
  readonly #looked = new WeakMap<Database, number>();
  #running: Promise<void> | undefined;
  #stopping = new AbortController();

  constructor(parts: IndexKeeperParts) {
    this.#parts = parts;
    parts.databases.onDesignChange((database) => this.#wait(database));
    parts.databases.onWrite((database) => {
      const looked = this.#looked.get(database);
      if (looked === undefined) this.#looked.set(database, database.updateSeq - 1);
      else if (database.updateSeq - looked >= lagLivedWith) this.#wait(database);
    });
  }

  /** Resolves when all that waited has been looked at. A run that is asked for during another is the same run. */
  run(): Promise<void> {
    this.#running ??= this.#keepWaiting().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** An update under way is not waited for: it is ended with the indexes. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.#stopping = new AbortController();
  }

  #wait(database: Database): void {
    this.#looked.set(database, database.updateSeq);
    this.#waiting.add(database);
  }

  async #keepWaiting(): Promise<void> {
    for (const database of [...this.#waiting]) {
      if (this.#stopping.signal.aborted) return;
      this.#waiting.delete(database);
      if (!database.deleted) await this.#keep(database).catch((error: unknown) => this.#fail(error, database));
    }
  }

  async #keep(database: Database): Promise<void> {
    const { designViews, indexes } = this.#parts;
    for (const group of await designViews.groupsOf(database)) {
      if (!group.autoupdate || group.views.size === 0) continue;
      await this.#bringUpToDate(database, group).catch((error: unknown) => this.#fail(error, database));
      if (this.#stopping.signal.aborted) return;
    }
    const inUse = await indexes.cleanUp(database, () => designViews.signaturesOf(database));
    if (inUse > 0) this.#waiting.add(database);
  }

  /** Resolves when it is, or when it takes too long for the others. */
  async #bringUpToDate(database: Database, { definition }: ViewGroup): Promise<void> {
    const { indexes, patience = defaultPatience } = this.#parts;
    const { documents } = database.log.committed.counters;
    // A database that has little in it costs no index before it is asked for one.
    const index =
      documents > lagLivedWith ? await indexes.open(database, definition) : await indexes.find(database, definition);
    if (!index || index.lag <= lagLivedWith) return;
    const { signal } = this.#stopping;
    const updated = index.bringUpToDate().catch((error: unknown) => {
      if (!signal.aborted) this.#fail(error, database);
    });
    await Promise.race([updated, setTimeout(patience, undefined, { signal, ref: false }).catch(() => undefined)]);
  }

  #fail(error: unknown, database: Database): void {
    if (!database.deleted) this.#parts.onError(error, database.name);
  }
}
