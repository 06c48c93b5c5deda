import type { Databases } from "../../documents/databases.js";

/**
 * Wakes jobs when their local sources are written to. One listener for all of them, and a name in a map for each: thousands that have
 * nothing to do are asked nothing and cost nothing.
 */
export class SourceWatch {
  readonly #jobs = new Map<string, Set<string>>();
  readonly #stops: readonly (() => void)[];

  constructor(databases: Databases, wake: (jobId: string) => void) {
    const hear = (name: string): void => {
      for (const id of this.#jobs.get(name) ?? []) wake(id);
    };
    this.#stops = [
      databases.onWrite(({ name }) => hear(name)),
      // A source that is gone, or is there again, is for the job to find.
      databases.subscribe(({ name }) => hear(name)),
    ];
  }

  add(source: string, jobId: string): void {
    const jobs = this.#jobs.get(source);
    if (jobs) jobs.add(jobId);
    else this.#jobs.set(source, new Set([jobId]));
  }

  remove(source: string, jobId: string): void {
    const jobs = this.#jobs.get(source);
    jobs?.delete(jobId);
    if (jobs?.size === 0) this.#jobs.delete(source);
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }
}
