/** Long work on databases, for `_active_tasks`: whoever does some begins a task, reports now and then, and ends it. */

/** What a task says of itself, in CouchDB's names: `type`, `database`, and whatever else its type has. */
export interface TaskFacts {
  /** `database_compaction`, `indexer`, `replication`, ... */
  readonly type: string;
  readonly database?: string | null;
  /** Percent, 0 to 100. */
  readonly progress?: number;
  readonly [fact: string]: unknown;
}

export interface ActiveTask extends TaskFacts {
  /** Tells tasks apart, written like one of CouchDB's processes. */
  readonly pid: string;
  /** Seconds since 1970. */
  readonly started_on: number;
  readonly updated_on: number;
}

/** A task under way, in the hands of whoever does it. */
export interface RunningTask {
  /** Replaces the facts that are named. */
  update(facts: Partial<TaskFacts>): void;
  end(): void;
}

export class ActiveTasks {
  readonly #tasks = new Map<number, ActiveTask>();
  #count = 0;

  begin(facts: TaskFacts): RunningTask {
    const number = ++this.#count;
    const now = seconds();
    this.#tasks.set(number, { ...facts, pid: `<0.${number}.0>`, started_on: now, updated_on: now });
    return {
      update: (news) => {
        const task = this.#tasks.get(number);
        if (task) this.#tasks.set(number, { ...task, ...news, updated_on: seconds() });
      },
      end: () => void this.#tasks.delete(number),
    };
  }

  /** In the order of their beginnings. */
  list(): readonly ActiveTask[] {
    return [...this.#tasks.values()];
  }
}

export interface CompactionTask {
  /** Documents walked over so far. */
  progress(documents: number): void;
  end(): void;
}

export function beginCompaction(
  tasks: ActiveTasks,
  database: string,
  { documents, deletedDocuments }: { readonly documents: number; readonly deletedDocuments: number },
): CompactionTask {
  const total = documents + deletedDocuments;
  const task = tasks.begin({
    type: "database_compaction",
    database,
    progress: 0,
    changes_done: 0,
    total_changes: total,
  });
  return {
    // What is written meanwhile is walked over as well.
    progress: (done) => task.update({ changes_done: done, progress: percent(done, Math.max(done, total)) }),
    end: () => task.end(),
  };
}

/** Whole percent; 100 when there is nothing to do. */
export function percent(done: number, total: number): number {
  return total === 0 ? 100 : Math.floor((100 * done) / total);
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
