/** A job that walks over the documents of one database, a page at a time, and may be stopped between two. */
import type { DatabaseName } from "../../protocol/ids.js";
import type { Backend, JsonDocument } from "../backend/backend.js";
import type { Job } from "./job.js";

export interface PagedJobOptions {
  readonly id: string;
  readonly backend: Backend;
  readonly database: DatabaseName;
  /** Ids in [from, to). */
  readonly from: string;
  readonly to: string;
  readonly visit: (document: JsonDocument) => Promise<void>;
  /** Told of each document that failed; the walk goes on. */
  readonly onError: (error: unknown, document: JsonDocument) => void;
}

/** Documents in memory at once. */
const pageSize = 500;

export class PagedJob implements Job {
  readonly id: string;
  readonly #options: PagedJobOptions;
  #running: Promise<void> | undefined;
  #isStopping = false;

  constructor(options: PagedJobOptions) {
    this.id = options.id;
    this.#options = options;
  }

  /** A run that is asked for during another is the same run. */
  run(): Promise<void> {
    this.#running ??= this.#walk().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    try {
      await this.#running;
    } finally {
      this.#isStopping = false;
    }
  }

  async #walk(): Promise<void> {
    const { backend, database, to, visit, onError } = this.#options;
    for (let { from } = this.#options; ; ) {
      const page = await backend.listDocuments(database, { from, to, limit: pageSize });
      for (const document of page) {
        if (this.#isStopping) return;
        await visit(document).catch((error: unknown) => onError(error, document));
      }
      const last = page.at(-1);
      if (!last || page.length < pageSize) return;
      from = `${last._id}\0`;
    }
  }
}
