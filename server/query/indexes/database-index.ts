import { setImmediate } from "node:timers/promises";
import { CouchError } from "../../../protocol/errors.js";
import { type ActiveTasks, percent, type RunningTask } from "../../documents/active-tasks.js";
import type { Database } from "../../documents/database.js";
import type { IndexProgress } from "../views/index-head.js";
import type { EmittedDocument, IndexWriter } from "../views/index-writer.js";
import type { HeldVersion, ViewIndex } from "../views/view-index.js";
import { mappedBatches } from "./documents-to-map.js";
import type { IndexDefinition } from "./index-definition.js";

export interface DatabaseIndexParts {
  readonly database: Database;
  readonly definition: IndexDefinition;
  readonly index: ViewIndex;
  readonly tasks: ActiveTasks;
  /** Those that are being updated: has this one as long as it is. */
  readonly updating: Set<DatabaseIndex>;
}

/** Rows that are applied before they are committed, about: nodes that change again and again are written once (decision 13). */
const rowsOfCommit = 20_000;
/** Documents of a step that takes long enough to be noticed. */
const longStep = 20;
/** Characters of such rows: what is applied waits in memory. */
const charactersOfCommit = 16 * 1024 * 1024;

/**
 * One index of one database, and what keeps it up to date. There is one object for each index that is in use (`Indexes` sees to
 * that): two writers would write over each other's nodes.
 */
export class DatabaseIndex {
  readonly database: Database;
  readonly definition: IndexDefinition;
  readonly #index: ViewIndex;
  readonly #tasks: ActiveTasks;
  readonly #allUpdating: Set<DatabaseIndex>;
  #updating: Promise<void> | undefined;
  #waiting = 0;
  #ended = false;

  constructor({ database, definition, index, tasks, updating }: DatabaseIndexParts) {
    this.database = database;
    this.definition = definition;
    this.#index = index;
    this.#tasks = tasks;
    this.#allUpdating = updating;
  }

  get progress(): IndexProgress {
    return this.#index.progress;
  }

  get isUpdating(): boolean {
    return this.#updating !== undefined;
  }

  /** Queries that wait for an update. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Changes that the index has not seen, at most. */
  get lag(): number {
    return Math.max(0, this.database.updateSeq - this.progress.updateSeq);
  }

  /**
   * Resolves when the index has seen all that is in the database at this moment.
   * @throws CouchError not_found when the database or the index goes meanwhile, compilation_error, service_unavailable
   */
  async bringUpToDate(): Promise<void> {
    const wanted = this.#present();
    if (isReached(this.progress, wanted)) return;
    this.#waiting++;
    try {
      do {
        this.#mustLive();
        this.#updating ??= this.#update().finally(() => {
          this.#updating = undefined;
          this.#allUpdating.delete(this);
        });
        this.#allUpdating.add(this);
        await this.#updating;
      } while (!isReached(this.progress, wanted));
    } finally {
      this.#waiting--;
    }
  }

  /** What the index holds now. Whoever holds it must release it, in every outcome. */
  hold(): HeldVersion {
    return this.#index.hold();
  }

  /** No more updates; resolves when one under way has ended, between two of its steps. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#updating?.catch(() => undefined);
  }

  #present(): IndexProgress {
    return { updateSeq: this.database.updateSeq, purgeSeq: this.database.purgeSeq };
  }

  async #update(): Promise<void> {
    const target = this.#present();
    const purged = await this.#purgedSince(this.progress.purgeSeq, target.purgeSeq);
    if (purged === "forgotten") await this.#index.empty();
    const { updateSeq: since } = this.progress;
    const task = this.#beginTask(target.updateSeq - since);
    try {
      await this.#index.update(async (writer) => {
        if (purged !== "forgotten") writer.apply(purged);
        await this.#applyChanges(writer, since, target, task);
      });
    } finally {
      task.end();
    }
  }

  /** Steps are committed as soon as enough has gathered, so that a crash costs little; the last one brings the purges too. */
  async #applyChanges(writer: IndexWriter, since: number, target: IndexProgress, task: IndexingTask): Promise<void> {
    const { purgeSeq } = this.progress;
    let gathered = { rows: 0, characters: 0 };
    const range = { since, upTo: target.updateSeq };
    for await (const { documents, reached } of mappedBatches(this.database, this.definition, range)) {
      this.#mustLive();
      writer.apply(documents);
      gathered = withSizeOf(documents, gathered);
      task.progress(reached - since);
      if (gathered.rows > rowsOfCommit || gathered.characters > charactersOfCommit) {
        await writer.commit({ updateSeq: reached, purgeSeq });
        gathered = { rows: 0, characters: 0 };
      }
      // Requests get their turn between two long steps.
      if (documents.length >= longStep) await setImmediate();
    }
    this.#mustLive();
    await writer.commit(target);
  }

  /** Documents of which nothing may be left; "forgotten" when the log no longer tells of all that was purged. */
  async #purgedSince(since: number, upTo: number): Promise<readonly EmittedDocument[] | "forgotten"> {
    const gone = new Map<string, EmittedDocument>();
    let seen = since;
    if (since === upTo) return [];
    for await (const entries of this.database.purges(since)) {
      for (const { id } of entries) {
        // What is left of a document has moved to a new sequence, and comes with the changes.
        if (!this.database.find(id)) gone.set(id, { id, views: [] });
      }
      seen += entries.length;
    }
    return seen < upTo ? "forgotten" : [...gone.values()];
  }

  #beginTask(changes: number): IndexingTask {
    const { database, definition } = this;
    const total = Math.min(changes, documentsOf(database));
    const task = this.#tasks.begin({
      type: "indexer",
      database: database.name,
      design_document: definition.designDoc,
      progress: 0,
      changes_done: 0,
      total_changes: total,
    });
    return {
      progress: (sequences) => {
        // A document's older changes are not among the sequences that are walked over.
        const done = changes === 0 ? total : Math.min(total, Math.floor((sequences / changes) * total));
        task.update({ changes_done: done, progress: percent(done, total) });
      },
      end: () => task.end(),
    };
  }

  #mustLive(): void {
    if (this.database.deleted) throw new CouchError("not_found", "Database does not exist.");
    if (this.#ended) throw new CouchError("service_unavailable", "The index is going away. Try again.");
  }
}

interface IndexingTask extends Pick<RunningTask, "end"> {
  /** Sequences walked over so far. */
  progress(sequences: number): void;
}

function isReached(progress: IndexProgress, wanted: IndexProgress): boolean {
  return progress.updateSeq >= wanted.updateSeq && progress.purgeSeq >= wanted.purgeSeq;
}

function documentsOf({ log }: Database): number {
  const { documents, deletedDocuments } = log.committed.counters;
  return documents + deletedDocuments;
}

interface Gathered {
  readonly rows: number;
  readonly characters: number;
}

function withSizeOf(documents: readonly EmittedDocument[], { rows, characters }: Gathered): Gathered {
  let [allRows, allCharacters] = [rows, characters];
  for (const { views } of documents) {
    for (const emitted of views) {
      allRows += emitted.length;
      for (const { key, value } of emitted) allCharacters += key.length + value.length;
    }
  }
  return { rows: allRows, characters: allCharacters };
}
