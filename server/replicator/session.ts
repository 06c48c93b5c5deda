/**
 * One run of a replication, from what both sides have in common:
 *
 *     source.changes ──> cut into batches ──> target.missing ──> source.fetch ──> target.write
 *       a page ahead       by their size        └────── several batches at the same time ──────┘
 *                                                                  │ all before is done
 *                                                                  ▼
 *                                                checkpoint on both sides, now and then
 *
 * Reading, fetching and writing overlap. What is in memory is bounded: one page of changes ahead, and a few batches.
 */
import { randomBytes } from "node:crypto";
import { setMaxListeners } from "node:events";
import { isDeepStrictEqual } from "node:util";
import { BatchSize } from "./batch-size.js";
import {
  type Ancestry,
  type Checkpoint,
  commonAncestry,
  type HistoryEntry,
  lowestSeq,
  nextCheckpoint,
  parseCheckpoint,
  replicationIdVersion,
} from "./checkpoint.js";
import { OrderedFlow } from "./ordered-flow.js";
import type { ChangedDocument, ChangesPage, PeerSeq, Refusal, Source, Target } from "./peer.js";
import type { ReplicationOptions } from "./replication.js";
import type { ReplicationId } from "./replication-id.js";
import { type Statistics, statisticsOf } from "./statistics.js";
import { transfer } from "./transfer.js";

export interface SessionParts {
  readonly source: Source;
  readonly target: Target;
  readonly options: ReplicationOptions;
  readonly id: ReplicationId;
  /** Told of each document that the target does not take. */
  readonly refused?: (refusal: Refusal) => void;
  /** Told whenever something was counted. */
  readonly progress?: (session: Session) => void;
}

/** Batches on their way at the same time. */
const batchesAtOnce = 3;
const longestPage = 2000;

/** Where a session stands, for `_active_tasks` and `_scheduler`. */
export interface SessionPosition {
  readonly sourceSeq: PeerSeq;
  readonly throughSeq: PeerSeq;
  readonly checkpointedSeq: PeerSeq;
  readonly pending: number | null;
}

export class Session {
  readonly statistics: Statistics;
  readonly #parts: SessionParts;
  readonly #batchSize = new BatchSize();
  readonly #sessionId = randomBytes(16).toString("hex");
  readonly #began = new Date();
  readonly #ancestry: Ancestry;
  readonly #revs: { source: string | undefined; target: string | undefined };
  #read: PeerSeq;
  #through: PeerSeq;
  #sourceSeq: PeerSeq;
  #pending: number | null = null;
  #checkpoint: Checkpoint | undefined;
  #checkpointedAt = performance.now();
  #checkpointing: Promise<void> = Promise.resolve();

  private constructor(
    parts: SessionParts,
    ancestry: Ancestry,
    revs: { source: string | undefined; target: string | undefined },
    sourceSeq: PeerSeq,
  ) {
    this.#parts = parts;
    this.#ancestry = ancestry;
    this.#revs = revs;
    this.#sourceSeq = sourceSeq;
    this.#read = parts.options.sinceSeq ?? ancestry.since;
    this.#through = this.#read;
    this.statistics = statisticsOf(ancestry.history[0] as Readonly<Record<string, unknown>> | undefined);
  }

  /** Verifies both ends, makes the target when asked to, and finds what both have in common. @throws CouchError */
  static async open(parts: SessionParts, signal: AbortSignal): Promise<Session> {
    const { source, target, options, id } = parts;
    const { updateSeq } = await source.info(signal);
    if (options.createTarget) await target.create(options.createTargetParams, signal);
    await target.info(signal);
    if (!options.useCheckpoints) {
      return new Session(parts, { since: lowestSeq, history: [] }, { source: undefined, target: undefined }, updateSeq);
    }
    const [ours, theirs] = await Promise.all([source.readLocal(id.base, signal), target.readLocal(id.base, signal)]);
    const ancestry = commonAncestry(parseCheckpoint(ours), parseCheckpoint(theirs));
    const revs = { source: ours?.["_rev"] as string | undefined, target: theirs?.["_rev"] as string | undefined };
    return new Session(parts, ancestry, revs, updateSeq);
  }

  get position(): SessionPosition {
    const checkpointedSeq = this.#checkpoint?.source_last_seq ?? this.#ancestry.since;
    return { sourceSeq: this.#sourceSeq, throughSeq: this.#through, checkpointedSeq, pending: this.#pending };
  }

  /** Whether something was done that no checkpoint tells of yet. */
  get uncheckpointed(): boolean {
    return !isDeepStrictEqual(this.#through, this.position.checkpointedSeq);
  }

  /** Replicates all there is. `wait`: first waits until there is something. @throws CouchError; AbortError */
  async catchUp(signal: AbortSignal, { wait = false }: { readonly wait?: boolean } = {}): Promise<void> {
    const failed = new AbortController();
    const both = failed.signal;
    // A listener for each request under way: their number is bounded elsewhere.
    setMaxListeners(0, both);
    // By hand: `AbortSignal.any` keeps something of each short signal for as long as the long one lives.
    const forward = (): void => failed.abort(signal.reason);
    signal.addEventListener("abort", forward);
    signal.throwIfAborted();
    const flow = new OrderedFlow(batchesAtOnce, this.#through);
    let next: Promise<ChangesPage> | undefined;
    try {
      let page = await this.#readPage(wait, both);
      for (;;) {
        next = page.more ? this.#readPage(false, both) : undefined;
        // Looked at when its turn comes; until then a failure of it is nobody's yet.
        next?.catch(() => undefined);
        await this.#work(flow, page, both);
        if (!next) break;
        page = await next;
      }
      await flow.drained();
      this.#took(flow);
    } catch (error) {
      failed.abort(error);
      // What is under way would otherwise go on behind the back of whoever is told of the failure.
      await Promise.allSettled([flow.drained(), next]);
      this.#took(flow);
      this.#read = this.#through;
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", forward);
    }
  }

  /** Writes the checkpoint to both sides, unless there is nothing new to tell. @throws CouchError */
  checkpoint(signal: AbortSignal): Promise<void> {
    // One after the other: each needs the revision that the one before it got.
    const mine = this.#checkpointing.then(() => this.#writeCheckpoint(signal));
    this.#checkpointing = mine.catch(() => undefined);
    return mine;
  }

  async #writeCheckpoint(signal: AbortSignal): Promise<void> {
    const { source, target, id, options } = this.#parts;
    this.#checkpointedAt = performance.now();
    const seq = this.#through;
    if (!options.useCheckpoints || !this.uncheckpointed) return;
    await target.commit(signal);
    const checkpoint = nextCheckpoint(this.#ancestry.history, this.#entry(seq));
    // The target first: where only one of the two is written, the other tells of an earlier point.
    this.#revs.target = await target.writeLocal(id.base, this.#localDocument(checkpoint, this.#revs.target), signal);
    this.#revs.source = await source.writeLocal(id.base, this.#localDocument(checkpoint, this.#revs.source), signal);
    this.#checkpoint = checkpoint;
  }

  /** What `_replicate` answers. */
  result(): Readonly<Record<string, unknown>> {
    const { options } = this.#parts;
    if (!options.useCheckpoints) return { ok: true, use_checkpoints: false };
    const { history } = this.#ancestry;
    if (!this.#checkpoint) {
      return {
        ok: true,
        no_changes: true,
        session_id: history[0]?.session_id ?? this.#sessionId,
        source_last_seq: this.#ancestry.since,
        replication_id_version: replicationIdVersion,
        history,
      };
    }
    const { docs_read, docs_written, doc_write_failures } = this.statistics;
    const { start_time, end_time } = this.#checkpoint.history[0] as HistoryEntry;
    // Only of lists of ids, as CouchDB since its first version.
    const counts =
      options.filter?.kind === "doc_ids" ? { start_time, end_time, docs_read, docs_written, doc_write_failures } : {};
    return { ok: true, ...this.#checkpoint, ...counts };
  }

  async #readPage(wait: boolean, signal: AbortSignal): Promise<ChangesPage> {
    const limit = Math.min(longestPage, Math.max(100, this.#batchSize.documents * 2));
    const page = await this.#parts.source.changes({ since: this.#read, limit, wait }, signal);
    this.#read = page.lastSeq;
    this.#sourceSeq = page.lastSeq;
    this.#pending = page.pending;
    return page;
  }

  async #work(flow: OrderedFlow, page: ChangesPage, signal: AbortSignal): Promise<void> {
    for (let from = 0; from < page.rows.length; ) {
      const batch = page.rows.slice(from, from + this.#batchSize.documents);
      from += batch.length;
      await flow.add(() => this.#transfer(batch, signal));
      this.#took(flow);
      const isDue = performance.now() - this.#checkpointedAt > this.#parts.options.checkpointInterval;
      if (isDue) await this.checkpoint(signal);
    }
    flow.reached(page.lastSeq);
  }

  async #transfer(batch: readonly ChangedDocument[], signal: AbortSignal): Promise<void> {
    const { source, target, options, refused = () => undefined } = this.#parts;
    const { statistics } = this;
    const { retries } = options;
    await transfer({ source, target, statistics, batchSize: this.#batchSize, retries, refused }, batch, signal);
    this.#parts.progress?.(this);
  }

  #took(flow: OrderedFlow): void {
    this.#through = flow.through;
  }

  #entry(seq: PeerSeq): HistoryEntry {
    return {
      session_id: this.#sessionId,
      start_time: this.#began.toUTCString(),
      end_time: new Date().toUTCString(),
      start_last_seq: this.#ancestry.since,
      end_last_seq: seq,
      recorded_seq: seq,
      ...this.statistics,
    };
  }

  #localDocument(checkpoint: Checkpoint, rev: string | undefined): Readonly<Record<string, unknown>> {
    return { ...checkpoint, ...(rev === undefined ? {} : { _rev: rev }) };
  }
}
