/** Now and then: compacts databases of which too much is garbage. Only those that were written to are looked at, one at a time. */
import type { DatabaseName } from "../../protocol/ids.js";
import type { Database } from "../documents/database.js";
import type { Databases } from "../documents/databases.js";
import type { Job } from "./job.js";

export interface AutoCompactionParts {
  readonly databases: Pick<Databases, "onWrite">;
  /** Garbage that is lived with: a share of all bytes, and bytes. */
  readonly settings: { readonly garbagePercent: number; readonly garbageBytes: number };
  /** Told of each database that could not be compacted; the others are. */
  readonly onError: (error: unknown, database: DatabaseName) => void;
}

export class AutoCompaction implements Job {
  readonly id = "auto-compaction";
  readonly #parts: AutoCompactionParts;
  /** What was worth it when it was written last. */
  readonly #waiting = new Set<Database>();
  #current: Database | undefined;
  #running: Promise<void> | undefined;
  #isStopping = false;

  constructor(parts: AutoCompactionParts) {
    this.#parts = parts;
    parts.databases.onWrite((database) => {
      if (this.#isWorthIt(database)) this.#waiting.add(database);
    });
  }

  /** Databases that the next run will look at. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** A run that is asked for during another is the same run. */
  run(): Promise<void> {
    this.#running ??= this.#compactWaiting().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#current?.endCompaction();
    await this.#running;
    this.#isStopping = false;
  }

  async #compactWaiting(): Promise<void> {
    // Those that come meanwhile wait for the next run: one that is written all the time would otherwise be compacted all the time.
    for (const database of [...this.#waiting]) {
      if (this.#isStopping) return;
      this.#waiting.delete(database);
      if (database.deleted || !this.#isWorthIt(database)) continue;
      this.#current = database;
      await database.compact().catch((error: unknown) => this.#parts.onError(error, database.name));
      this.#current = undefined;
    }
  }

  #isWorthIt(database: Database): boolean {
    const { garbagePercent, garbageBytes } = this.#parts.settings;
    const garbage = database.garbageBytes;
    if (garbage <= garbageBytes) return false;
    return garbage * 100 > garbagePercent * (database.log.committed.counters.liveBytes + garbage);
  }
}
