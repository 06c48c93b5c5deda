/** Jobs and documents as `_scheduler` shows them, in CouchDB's members. */
import type { Database } from "../../documents/database.js";
import type { RevisionNode } from "../../documents/revisions/tree.js";
import { parseEndpoint, withoutCredentials } from "../endpoint.js";
import type { Replicator } from "../replicator.js";
import { schedulerStatistics } from "../statistics.js";
import type { JobEvent, JobProgress } from "./job.js";
import { finalStateOf } from "./replication-document.js";
import type { ScheduledJob } from "./scheduler.js";

type Json = Readonly<Record<string, unknown>>;

export type DocumentState = "initializing" | "error" | "pending" | "running" | "crashing" | "completed" | "failed";

export const documentStates: readonly DocumentState[] = [
  "initializing",
  "error",
  "running",
  "pending",
  "crashing",
  "completed",
  "failed",
];

export function describeJob({ job, history, pid, lastError }: ScheduledJob, node: string): Json {
  const { facts } = job;
  return {
    database: facts.document?.database ?? null,
    id: facts.id.full,
    pid,
    source: facts.sourceUrl,
    target: facts.targetUrl,
    user: facts.user,
    doc_id: facts.document?.id ?? null,
    info: infoOf(job.progress(), lastError),
    history: history.map(describeEvent),
    node,
    start_time: timeText(facts.startTime),
  };
}

/** Undefined for what is no replication document. */
export function describeDocument(
  replicator: Replicator,
  database: Database,
  id: string,
  node: string,
): Json | undefined {
  const found = database.find(id);
  const winner = found?.record.tree[found.record.winner] as RevisionNode | undefined;
  const value = found && winner && !winner.deleted ? database.value(found, found.record.winner) : undefined;
  if (!value) return undefined;
  const members = JSON.parse(value.body.toString()) as Json;
  const common = { database: database.name, doc_id: id, node };
  const active = replicator.activeDocument(database.name, id);
  const job = active?.jobId === undefined ? undefined : replicator.job(active.jobId);
  if (job) {
    const { facts } = job.job;
    const lastUpdated = job.history[0]?.at ?? facts.startTime;
    return {
      ...common,
      id: facts.id.full,
      source: facts.sourceUrl,
      target: facts.targetUrl,
      state: stateOfJob(job),
      info: infoOf(job.job.progress(), job.lastError),
      error_count: job.failures,
      last_updated: timeText(lastUpdated),
      start_time: timeText(facts.startTime),
    };
  }
  const ends = { source: shownEndpoint(members["source"]), target: shownEndpoint(members["target"]) };
  const final = finalStateOf(members);
  if (!final) {
    return {
      ...common,
      id: null,
      ...ends,
      state: active?.error === undefined ? "initializing" : "error",
      info: active?.error === undefined ? null : { error: active.error },
      error_count: active?.errors ?? 0,
      last_updated: timeText(active?.sinceTime ?? Date.now()),
      start_time: timeText(active?.sinceTime ?? Date.now()),
    };
  }
  const { _replication_id, _replication_stats, _replication_state_time, _replication_start_time } = members;
  const { start_time: _, ...stats } = (_replication_stats ?? {}) as Record<string, unknown>;
  return {
    ...common,
    id: _replication_id ?? null,
    ...ends,
    state: final,
    info: final === "failed" ? { error: withoutCredentials(String(members["_replication_state_reason"])) } : stats,
    error_count: final === "failed" ? 1 : 0,
    last_updated: _replication_state_time ?? null,
    start_time: _replication_start_time ?? _replication_state_time ?? null,
  };
}

/** What a document keeps of a replication that is complete. */
export function finishedState(id: string, began: number, progress: JobProgress | undefined): Json {
  return {
    _replication_state: "completed",
    _replication_id: id,
    _replication_start_time: timeText(began),
    // How much was left, and where the source stood, is no news of one that is complete.
    _replication_stats: {
      ...withoutSourceSeq(infoMembers(progress)),
      changes_pending: null,
      start_time: timeText(began),
    },
  };
}

function withoutSourceSeq({ source_seq: _, ...members }: Json): Json {
  return members;
}

function stateOfJob({ state }: ScheduledJob): DocumentState {
  return state === "waiting" ? "running" : state;
}

function infoOf(progress: JobProgress | undefined, error: string | undefined): Json | null {
  if (!progress) return error === undefined ? null : { error };
  return { ...infoMembers(progress), ...(error === undefined ? {} : { error }) };
}

function infoMembers(progress: JobProgress | undefined): Json {
  if (!progress) return {};
  const { throughSeq, checkpointedSeq, sourceSeq, pending } = progress.position;
  return {
    ...schedulerStatistics(progress.statistics),
    changes_pending: pending,
    checkpointed_source_seq: checkpointedSeq,
    source_seq: sourceSeq,
    through_seq: throughSeq,
  };
}

function describeEvent(event: JobEvent): Json {
  const { type, at } = event;
  return { timestamp: timeText(at), type, ...(event.type === "crashed" ? { reason: event.reason } : {}) };
}

function shownEndpoint(value: unknown): string | null {
  try {
    const endpoint = parseEndpoint(value);
    return endpoint.kind === "url" ? endpoint.url : endpoint.name;
  } catch {
    return null;
  }
}

function timeText(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
