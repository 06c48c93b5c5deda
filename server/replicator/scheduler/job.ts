/** One replication as the scheduler knows it: what it is, how it fares, and what happened to it lately. */
import type { CouchError } from "../../../protocol/errors.js";
import type { Replication } from "../replication.js";
import type { ReplicationId } from "../replication-id.js";
import type { SessionPosition } from "../session.js";
import type { Statistics } from "../statistics.js";

export type JobEvent =
  | { readonly type: "added" | "started" | "stopped"; readonly at: number }
  | { readonly type: "crashed"; readonly at: number; readonly reason: string };

/** Which document asked for it. */
export interface JobDocument {
  readonly database: string;
  readonly id: string;
}

export interface JobFacts {
  readonly id: ReplicationId;
  readonly replication: Replication;
  readonly sourceUrl: string;
  readonly targetUrl: string;
  /** Who replicates; null for nobody in particular. */
  readonly user: string | null;
  /** Undefined: `POST /_replicate` asked. */
  readonly document: JobDocument | undefined;
  /** Milliseconds since 1970. */
  readonly startTime: number;
}

/** How far it has come. */
export interface JobProgress {
  readonly statistics: Statistics;
  readonly position: SessionPosition;
}

/** What the work of a job came to: it is over, or it waits for its source to change. */
export type JobOutcome =
  | { readonly kind: "completed"; readonly result: Readonly<Record<string, unknown>> }
  | { readonly kind: "waiting" };

export interface Job {
  readonly facts: JobFacts;
  /** Does what there is to do. @throws CouchError; AbortError when it was stopped */
  run(signal: AbortSignal): Promise<JobOutcome>;
  progress(): JobProgress | undefined;
  /** Over for good, whatever came of it. */
  ended(outcome: JobEnd): void;
  /** Lets go of what it holds. */
  close(): void;
}

export type JobEnd =
  | { readonly kind: "completed"; readonly result: Readonly<Record<string, unknown>> }
  | { readonly kind: "failed"; readonly error: CouchError }
  | { readonly kind: "cancelled" };

/** `waiting`: nothing to do until the source changes, which takes no place among the running. */
export type JobState = "pending" | "running" | "waiting" | "crashing";

/** Events remembered, as CouchDB's `max_history`. */
export const maxHistory = 20;
