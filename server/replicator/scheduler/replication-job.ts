/** The work of a job: a session as long as there is something to do, and what is held of it when there is not. */
import type { ActiveTasks, RunningTask } from "../../documents/active-tasks.js";
import { percent } from "../../documents/active-tasks.js";
import type { Refusal } from "../peer.js";
import { type Ends, localSourceName, openSource, openTarget, type PeerServices } from "../peers.js";
import { Session } from "../session.js";
import { schedulerStatistics } from "../statistics.js";
import type { Job, JobEnd, JobFacts, JobOutcome, JobProgress } from "./job.js";

export interface ReplicationJobParts {
  readonly facts: JobFacts;
  readonly services: PeerServices;
  readonly tasks: ActiveTasks;
  /** Both ends as they are for whoever replicates: asked for with each run, since permissions change. */
  readonly resolve: () => Promise<Ends>;
  readonly ended: (end: JobEnd) => void;
  readonly refused: (refusal: Refusal) => void;
}

/** Milliseconds that a session which is stopped has to tell how far it came. */
const lastWordTime = 5_000;
/** Milliseconds between updates of `_active_tasks`. */
const taskInterval = 500;

export class ReplicationJob implements Job {
  readonly facts: JobFacts;
  readonly #parts: ReplicationJobParts;
  #session: Session | undefined;
  /** What is told of a session that is let go. */
  #last: JobProgress | undefined;
  #task: RunningTask | undefined;
  #taskUpdated = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: ReplicationJobParts) {
    this.facts = parts.facts;
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<JobOutcome> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      return await this.#work(signal);
    } catch (error) {
      await this.#lastWord();
      this.#letGo();
      throw error;
    }
  }

  progress(): JobProgress | undefined {
    const session = this.#session;
    return session ? { statistics: session.statistics, position: session.position } : this.#last;
  }

  ended(end: JobEnd): void {
    this.#parts.ended(end);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#letGo();
    this.#task?.end();
    this.#task = undefined;
  }

  async #work(signal: AbortSignal): Promise<JobOutcome> {
    const { options } = this.facts.replication;
    const ends = await this.#parts.resolve();
    const isLocal = localSourceName(ends) !== undefined;
    const session = this.#session ?? (await this.#open(ends, signal));
    this.#session = session;
    this.#showTask();
    await session.catchUp(signal);
    if (!options.continuous) {
      await session.checkpoint(signal);
      this.#showTask(true);
      return { kind: "completed", result: session.result() };
    }
    if (isLocal) {
      this.#rest(session, ends);
      return { kind: "waiting" };
    }
    await this.#follow(session, signal);
    throw new Error("a session that follows ends only when it is stopped or fails");
  }

  #open(ends: Ends, signal: AbortSignal): Promise<Session> {
    const { options } = this.facts.replication;
    const { services, refused } = this.#parts;
    const source = openSource(ends, options, services);
    const target = openTarget(ends, options, services);
    const progress = (): void => this.#showTask();
    return Session.open({ source, target, options, id: this.facts.id, refused, progress }, signal);
  }

  /** A source elsewhere is asked again and again; it answers when it has something. */
  async #follow(session: Session, signal: AbortSignal): Promise<void> {
    const { checkpointInterval } = this.facts.replication.options;
    let failure: unknown;
    // While nothing changes, what was done before must be told all the same.
    const timer = setInterval(() => {
      session.checkpoint(signal).catch((error: unknown) => {
        failure ??= error;
      });
    }, checkpointInterval);
    timer.unref();
    try {
      for (;;) {
        await session.catchUp(signal, { wait: true });
        if (failure !== undefined) throw failure;
        this.#showTask(true);
      }
    } finally {
      clearInterval(timer);
    }
  }

  /**
   * Nothing to do: a timer for the checkpoint if one is due, and no session when it is written. Thousands of such jobs cost their facts
   * and a few numbers each.
   */
  #rest(session: Session, ends: Ends): void {
    this.#showTask(true);
    const finish = (): void => {
      // A target elsewhere costs several requests to be opened again.
      if ("local" in ends.target) this.#letGo();
    };
    if (!session.uncheckpointed || !this.facts.replication.options.useCheckpoints) {
      finish();
      return;
    }
    this.#timer = setTimeout(() => {
      session
        .checkpoint(new AbortController().signal)
        .then(() => {
          this.#showTask(true);
          if (!this.#timer) return;
          // A timer that is kept keeps the session that it was made for.
          this.#timer = undefined;
          finish();
        })
        // The next run writes it, or fails visibly.
        .catch(() => undefined);
    }, this.facts.replication.options.checkpointInterval);
    this.#timer.unref();
  }

  /** What was done since the last checkpoint would be looked at again. */
  async #lastWord(): Promise<void> {
    if (!this.#session?.uncheckpointed) return;
    await this.#session.checkpoint(AbortSignal.timeout(lastWordTime)).catch(() => undefined);
  }

  #letGo(): void {
    const session = this.#session;
    if (!session) return;
    this.#last = { statistics: { ...session.statistics }, position: session.position };
    this.#session = undefined;
  }

  #showTask(now = false): void {
    const session = this.#session;
    if (!session || (!now && this.#task && performance.now() - this.#taskUpdated < taskInterval)) return;
    this.#taskUpdated = performance.now();
    const { facts } = this;
    const { sourceSeq, throughSeq, checkpointedSeq, pending } = session.position;
    const { docs_read } = session.statistics;
    const changing = {
      ...schedulerStatistics(session.statistics),
      changes_pending: pending,
      source_seq: sourceSeq,
      through_seq: throughSeq,
      checkpointed_source_seq: checkpointedSeq,
      ...(pending === null ? {} : { progress: percent(docs_read, docs_read + pending) }),
    };
    this.#task?.update(changing);
    this.#task ??= this.#parts.tasks.begin({
      type: "replication",
      replication_id: facts.id.full,
      user: facts.user,
      database: facts.document?.database ?? null,
      doc_id: facts.document?.id ?? null,
      source: facts.sourceUrl,
      target: facts.targetUrl,
      continuous: facts.replication.options.continuous,
      checkpoint_interval: facts.replication.options.checkpointInterval,
      ...changing,
    });
  }
}
