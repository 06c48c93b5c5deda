import { CouchError } from "../../../protocol/errors.js";
import { type ActiveTasks, percent, type RunningTask } from "../../documents/active-tasks.js";
import type { Database } from "../../documents/database.js";
import type { KeySpan } from "../../storage/keys.js";
import type { IndexProgress } from "../views/index-head.js";
import type { EmittedDocument, IndexWriter } from "../views/index-writer.js";
import type { HeldVersion, ViewIndex } from "../views/view-index.js";
import { mappedBatches, purgedDocuments } from "./documents-to-map.js";
import type { IndexDefinition } from "./index-definition.js";
import { Interruption } from "./interruption.js";

export interface DatabaseIndexParts {
  readonly database: Database;
  readonly definition: IndexDefinition;
  readonly index: ViewIndex;
  /** All keys of the index. */
  readonly span: KeySpan;
  readonly tasks: ActiveTasks;
  /** Those that are being updated: has this one as long as it is. */
  readonly updating: Set<DatabaseIndex>;
  /** Rows that are applied before they are committed, about. */
  readonly rowsOfCommit?: number | undefined;
}

/** Nodes that change again and again are written once (decision 13). */
const defaultRowsOfCommit = 20_000;
/** Characters of such rows: what is applied waits in memory. */
const charactersOfCommit = 16 * 1024 * 1024;

/**
 * One index of one database, and what keeps it up to date. There is one object for each index that is in use (`Indexes` sees to
 * that): two writers would write over each other's nodes.
 */
export class DatabaseIndex {
  readonly database: Database;
  readonly definition: IndexDefinition;
  readonly span: KeySpan;
  readonly #index: ViewIndex;
  readonly #tasks: ActiveTasks;
  readonly #allUpdating: Set<DatabaseIndex>;
  readonly #rowsOfCommit: number;
  #updating: Promise<void> | undefined;
  #waiting = 0;
  #ended = false;
  /** Of the update under way. */
  #interruption: Interruption | undefined;

  constructor({ database, definition, index, span, tasks, updating, rowsOfCommit }: DatabaseIndexParts) {
    this.database = database;
    this.definition = definition;
    this.span = span;
    this.#index = index;
    this.#tasks = tasks;
    this.#allUpdating = updating;
    this.#rowsOfCommit = rowsOfCommit ?? defaultRowsOfCommit;
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

  /**
   * What the index holds now. Whoever holds it must release it, in every outcome.
   * @throws CouchError not_found or service_unavailable when the database or the index is gone: what is left of it is not whole
   */
  hold(): HeldVersion {
    this.#mustLive();
    return this.#index.hold();
  }

  /** No more updates; resolves when nothing is written any more. An update under way is ended, wherever it is. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#interruption?.interrupt(goingAway());
    await this.#updating?.catch(() => undefined);
  }

  #present(): IndexProgress {
    return { updateSeq: this.database.updateSeq, purgeSeq: this.database.purgeSeq };
  }

  async #update(): Promise<void> {
    const interruption = new Interruption();
    const unsubscribe = this.database.subscribe({
      changed: () => undefined,
      ended: () => interruption.interrupt(this.#ending() ?? goingAway()),
    });
    this.#interruption = interruption;
    try {
      await this.#updateUnless(interruption);
    } finally {
      this.#interruption = undefined;
      unsubscribe();
    }
  }

  async #updateUnless(interruption: Interruption): Promise<void> {
    const purgesSince = await this.#beginning();
    const { updateSeq: since } = this.progress;
    const task = this.#beginTask(this.database.updateSeq - since);
    const check = (): void => interruption.check();
    try {
      // Not waited for any longer than needed: a hostile function would hold up whoever stops the server.
      await this.#index.update(
        (writer) => Promise.race([interruption.promise, this.#applyAll(writer, { since, purgesSince }, task, check)]),
        check,
      );
    } finally {
      task.end();
    }
  }

  /** The purge from which on the index has to forget. One that cannot know any more what to forget is emptied. */
  async #beginning(): Promise<number> {
    const { purgeSeq } = this.progress;
    // What has seen nothing has nothing to forget.
    if (this.#index.isBlank) return this.database.purgeSeq;
    if (await this.#hasPurgesSince(purgeSeq)) return purgeSeq;
    this.#mustLive();
    const presentPurgeSeq = this.database.purgeSeq;
    await this.#index.empty();
    return presentPurgeSeq;
  }

  async #hasPurgesSince(purgeSeq: number): Promise<boolean> {
    if (purgeSeq === this.database.purgeSeq) return true;
    for await (const [first] of this.database.purges(purgeSeq)) return first?.purgeSeq === purgeSeq + 1;
    return false;
  }

  /** Steps are committed as soon as enough has gathered, so that a crash costs little; the last one brings the purges too. */
  async #applyAll(
    writer: IndexWriter,
    { since, purgesSince }: { readonly since: number; readonly purgesSince: number },
    task: IndexingTask,
    check: () => void,
  ): Promise<void> {
    // All changes up to here are on disk, and are read.
    let reached = this.database.updateSeq;
    let through = since;
    let gathered = { rows: 0, characters: 0 };
    for await (const { documents, reached: next = through } of mappedBatches(this.database, this.definition, since)) {
      check();
      await writer.apply(documents);
      through = next;
      gathered = withSizeOf(documents, gathered);
      task.progress(through - since);
      if (gathered.rows < this.#rowsOfCommit && gathered.characters < charactersOfCommit) continue;
      await writer.commit({ updateSeq: through, purgeSeq: purgesSince });
      gathered = { rows: 0, characters: 0 };
    }
    reached = Math.max(reached, through);
    const purged = await purgedDocuments(this.database, this.definition, { since: purgesSince, reached });
    if (purged) await writer.apply(purged.documents);
    // Where the log was cut off meanwhile, the next update begins anew.
    await writer.commit({ updateSeq: reached, purgeSeq: purged?.purgeSeq ?? purgesSince });
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
    const ending = this.#ending();
    if (ending) throw ending;
  }

  #ending(): CouchError | undefined {
    if (this.database.deleted) return new CouchError("not_found", "Database does not exist.");
    return this.#ended ? goingAway() : undefined;
  }
}

function goingAway(): CouchError {
  return new CouchError("service_unavailable", "The index is going away. Try again.");
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
