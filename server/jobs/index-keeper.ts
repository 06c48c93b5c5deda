/**
 * Builds indexes before somebody waits for them: when design documents change, and when so much was written that the next query would
 * wait long. Drops those that no design document defines any more. One database at a time; short updates are left to queries.
 */
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
  /** Told of each database whose indexes could not be kept; the others are. */
  readonly onError: (error: unknown, database: DatabaseName) => void;
}

/** Changes that a query may find an index behind: some 40 milliseconds. */
const lagLivedWith = 1000;

export class IndexKeeper implements Job {
  readonly id = "index-keeper";
  readonly #parts: IndexKeeperParts;
  readonly #waiting = new Set<Database>();
  /** Sequence at which a database was looked at last. */
  readonly #looked = new WeakMap<Database, number>();
  #running: Promise<void> | undefined;
  #isStopping = false;

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

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
    this.#isStopping = false;
  }

  #wait(database: Database): void {
    this.#looked.set(database, database.updateSeq);
    this.#waiting.add(database);
  }

  async #keepWaiting(): Promise<void> {
    for (const database of [...this.#waiting]) {
      if (this.#isStopping) return;
      this.#waiting.delete(database);
      if (database.deleted) continue;
      await this.#keep(database).catch((error: unknown) => {
        if (!database.deleted && !this.#isStopping) this.#parts.onError(error, database.name);
      });
    }
  }

  async #keep(database: Database): Promise<void> {
    const { designViews, indexes } = this.#parts;
    const groups = await designViews.groupsOf(database);
    for (const group of groups)
      if (group.autoupdate && group.views.size > 0) await this.#bringUpToDate(database, group);
    const inUse = await indexes.cleanUp(database, () => designViews.signaturesOf(database));
    if (inUse > 0) this.#waiting.add(database);
  }

  async #bringUpToDate(database: Database, { definition }: ViewGroup): Promise<void> {
    const { indexes } = this.#parts;
    const { documents } = database.log.committed.counters;
    // A database that has little in it costs no index before it is asked for one.
    const index =
      documents > lagLivedWith ? await indexes.open(database, definition) : await indexes.find(database, definition);
    if (index && index.lag > lagLivedWith) await index.bringUpToDate();
  }
}
