/**
 * Which replications run now. There is room for `maxJobs` at a time; who waits for room gets it in the order of fair shares: the database
 * of `_replicator` documents with the fewest running jobs comes first, and in it whoever waits longest. Every `interval` the jobs without
 * end that ran longest make room for others, `maxChurn` of them at most. A job that fails waits, each time longer.
 *
 * Invariant, upheld by `#become`: `#queue` holds the jobs that wait for their turn (`pending`, `crashing`), and `#running` counts those
 * in state `running` by the database of their documents. Thousands that wait for their sources are in neither, and cost nothing.
 */
import { setMaxListeners } from "node:events";
import { isDeepStrictEqual } from "node:util";
import type { CouchError } from "../../../protocol/errors.js";
import { backOff } from "../back-off.js";
import { asReplicationError } from "../failures.js";
import { type Job, type JobEvent, type JobOutcome, type JobState, maxHistory } from "./job.js";

export interface SchedulerSettings {
  readonly maxJobs: number;
  /** Milliseconds. */
  readonly interval: number;
  readonly maxChurn: number;
}

export interface SchedulerOptions {
  readonly settings: () => SchedulerSettings;
  /** Told of each failure of a job that will be tried again. */
  readonly crashed?: (job: Job, error: CouchError) => void;
}

export interface ScheduledJob {
  readonly job: Job;
  readonly state: JobState;
  /** The latest first. */
  readonly history: readonly JobEvent[];
  /** Failures in a row. */
  readonly failures: number;
  readonly lastError: string | undefined;
  readonly pid: string;
}

interface Entry {
  readonly job: Job;
  readonly pid: string;
  /** Ends when it fails for the first time, instead of being tried again. */
  readonly once: boolean;
  state: JobState;
  history: JobEvent[];
  failures: number;
  lastError: string | undefined;
  /** Not started before this moment of `Date.now()`. */
  notBefore: number;
  startedAt: number;
  /** How far it had come when it was started last. */
  startedFrom: unknown;
  /** Its source changed while it ran. */
  woken: boolean;
  controller: AbortController | undefined;
  finished: Promise<void>;
}

const crashBackOff = { first: 5_000, most: 8 * 3_600_000 };
/** A job that ran so long before it failed is well: its next failure counts as the first. */
const healthy = 120_000;
/** Milliseconds: those that are due at nearly the same time are started together. */
const finestWait = 20;

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #queue = new Set<Entry>();
  readonly #running = new Map<string, number>();
  #runningCount = 0;
  #count = 0;
  #timer: NodeJS.Timeout | undefined;
  #wakeTimer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  start(): void {
    const tick = (): void => {
      this.#makeRoom();
      this.#fill();
      this.#timer = setTimeout(tick, this.#options.settings().interval);
      this.#timer.unref();
    };
    this.#timer = setTimeout(tick, this.#options.settings().interval);
    this.#timer.unref();
  }

  /** Ends all that runs, without a word to anybody: the documents start them again. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#wakeTimer);
    const entries = [...this.#entries.values()];
    for (const { controller } of entries) controller?.abort();
    await Promise.all(entries.map(({ finished }) => finished));
    for (const { job } of entries) job.close();
  }

  /** `delay`: milliseconds before it may start. `once`: its first failure ends it. */
  add(job: Job, { delay = 0, once = false }: { readonly delay?: number; readonly once?: boolean } = {}): void {
    const { full } = job.facts.id;
    const entry: Entry = {
      job,
      once,
      pid: `<0.${++this.#count}.0>`,
      state: "pending",
      history: [],
      failures: 0,
      lastError: undefined,
      notBefore: Date.now() + delay,
      startedAt: 0,
      startedFrom: undefined,
      woken: false,
      controller: undefined,
      finished: Promise.resolve(),
    };
    this.#entries.set(full, entry);
    this.#queue.add(entry);
    remember(entry, { type: "added", at: Date.now() });
    this.#fill();
  }

  /** False when there is none of this id. */
  async remove(id: string): Promise<boolean> {
    const entry = this.#entries.get(id);
    if (!entry) return false;
    this.#entries.delete(id);
    this.#queue.delete(entry);
    entry.controller?.abort();
    await entry.finished;
    entry.job.ended({ kind: "cancelled" });
    entry.job.close();
    return true;
  }

  get(id: string): ScheduledJob | undefined {
    return this.#entries.get(id);
  }

  list(): readonly ScheduledJob[] {
    return [...this.#entries.values()];
  }

  /** The source of a job changed. */
  wake(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    if (entry.state === "running") entry.woken = true;
    if (entry.state !== "waiting") return;
    this.#become(entry, "pending");
    this.#fill();
  }

  /** Starts whoever may start, as long as there is room. */
  #fill(): void {
    if (this.#stopped) return;
    const { maxJobs } = this.#options.settings();
    while (this.#runningCount < maxJobs) {
      const next = this.#next();
      if (!next) break;
      this.#begin(next);
    }
    this.#wakeWhenDue();
  }

  #next(): Entry | undefined {
    const now = Date.now();
    const shareOf = (entry: Entry): number => this.#running.get(groupOf(entry)) ?? 0;
    let best: Entry | undefined;
    for (const entry of this.#queue) {
      if (entry.notBefore > now) continue;
      const share = best ? shareOf(entry) - shareOf(best) : -1;
      if (!best || share < 0 || (share === 0 && entry.startedAt < best.startedAt)) best = entry;
    }
    return best;
  }

  #become(entry: Entry, state: JobState): void {
    if (entry.state === "running") this.#countRunning(entry, -1);
    if (state === "running") this.#countRunning(entry, 1);
    if (state === "pending" || state === "crashing") this.#queue.add(entry);
    else this.#queue.delete(entry);
    entry.state = state;
  }

  #countRunning(entry: Entry, change: number): void {
    const group = groupOf(entry);
    this.#runningCount += change;
    const count = (this.#running.get(group) ?? 0) + change;
    if (count === 0) this.#running.delete(group);
    else this.#running.set(group, count);
  }

  #begin(entry: Entry): void {
    const controller = new AbortController();
    setMaxListeners(0, controller.signal);
    entry.controller = controller;
    this.#become(entry, "running");
    entry.woken = false;
    entry.startedAt = Date.now();
    entry.startedFrom = reachedBy(entry.job);
    // A local source that wakes its job with every commit would push out of the history whatever is worth remembering.
    const isNews = entry.failures > 0 || entry.history[0]?.type !== "started";
    if (isNews) remember(entry, { type: "started", at: entry.startedAt });
    entry.finished = entry.job.run(controller.signal).then(
      (outcome) => {
        entry.controller = undefined;
        this.#ended(entry, outcome);
      },
      (error: unknown) => {
        entry.controller = undefined;
        this.#failed(entry, error, controller.signal);
      },
    );
  }

  #ended(entry: Entry, outcome: JobOutcome): void {
    entry.failures = 0;
    entry.lastError = undefined;
    const isThere = this.#entries.get(entry.job.facts.id.full) === entry;
    this.#become(entry, outcome.kind === "waiting" && entry.woken && isThere ? "pending" : "waiting");
    if (outcome.kind === "completed") {
      this.#drop(entry);
      entry.job.ended(outcome);
      entry.job.close();
    }
    this.#fill();
  }

  #failed(entry: Entry, thrown: unknown, signal: AbortSignal): void {
    if (signal.aborted) {
      // One that was removed must not come back to its place.
      this.#become(entry, this.#entries.get(entry.job.facts.id.full) === entry ? "pending" : "waiting");
      remember(entry, { type: "stopped", at: Date.now() });
      this.#fill();
      return;
    }
    const error = asReplicationError(thrown);
    if (entry.once) {
      this.#become(entry, "waiting");
      this.#drop(entry);
      entry.job.ended({ kind: "failed", error });
      entry.job.close();
      this.#fill();
      return;
    }
    // One that gets on, however often its peer goes away, has not failed again and again.
    const gotOn = !isDeepStrictEqual(reachedBy(entry.job), entry.startedFrom);
    entry.failures = gotOn || Date.now() - entry.startedAt > healthy ? 1 : entry.failures + 1;
    entry.lastError = error.reason;
    if (this.#entries.get(entry.job.facts.id.full) !== entry) {
      this.#become(entry, "waiting");
      return;
    }
    this.#become(entry, "crashing");
    entry.notBefore = Date.now() + backOff(entry.failures, this.#backOff());
    remember(entry, { type: "crashed", at: Date.now(), reason: error.reason });
    this.#options.crashed?.(entry.job, error);
    this.#fill();
  }

  /** Never less often than jobs are looked at anyway. */
  #backOff(): { readonly first: number; readonly most: number } {
    return { ...crashBackOff, first: Math.min(crashBackOff.first, this.#options.settings().interval / 2) };
  }

  #drop(entry: Entry): void {
    const { full } = entry.job.facts.id;
    if (this.#entries.get(full) === entry) this.#entries.delete(full);
  }

  /** Those without end that ran longest give their place to those who wait for one. */
  #makeRoom(): void {
    const { maxJobs, maxChurn } = this.#options.settings();
    const now = Date.now();
    const waiting = [...this.#queue].filter(({ state, notBefore }) => state === "pending" && notBefore <= now).length;
    const wanted = Math.min(maxChurn, waiting, this.#runningCount + waiting - maxJobs);
    const oldest = [...this.#entries.values()]
      .filter(({ state, job }) => state === "running" && job.facts.replication.options.continuous)
      .sort((a, b) => a.startedAt - b.startedAt)
      .slice(0, Math.max(0, wanted));
    for (const { controller } of oldest) controller?.abort();
  }

  /** A job that waits out its failure or its jitter must not wait for the next interval as well. */
  #wakeWhenDue(): void {
    clearTimeout(this.#wakeTimer);
    const now = Date.now();
    let soonest = Number.POSITIVE_INFINITY;
    for (const { notBefore } of this.#queue) if (notBefore > now) soonest = Math.min(soonest, notBefore);
    if (soonest === Number.POSITIVE_INFINITY) return;
    this.#wakeTimer = setTimeout(() => this.#fill(), Math.min(Math.max(soonest - now, finestWait), 2 ** 31 - 1));
    this.#wakeTimer.unref();
  }
}

function reachedBy(job: Job): unknown {
  return job.progress()?.position.throughSeq;
}

/** Jobs of one database of `_replicator` documents share among themselves. */
function groupOf({ job }: Entry): string {
  return job.facts.document?.database ?? "";
}

function remember(entry: Entry, event: JobEvent): void {
  entry.history = [event, ...entry.history].slice(0, maxHistory);
}
