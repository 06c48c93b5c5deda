/**
 * Purging: revisions leave the database as if they had never come. Everything happens in one turn and one atomic batch: bodies and
 * tree, the document's change (moved to a new sequence when something of it is left, gone otherwise), counters, and the log,
 * by which an index learns what to forget: no change tells of a document that is not there.
 */
import { type DocId, isDesignDocId, type RevId } from "../../protocol/ids.js";
import type { WriteBatch } from "../storage/store.js";
import { countChange } from "./counting.js";
import { type DocumentRecord, encodeDocumentRecord } from "./document-record.js";
import { purgeLeaves } from "./revisions/purge-leaves.js";
import { type RevisionNode, revOf } from "./revisions/tree.js";
import { winnerOf } from "./revisions/winner.js";
import { changeRow, encodeSequenceEntry } from "./sequence-entry.js";
import { encodeCounters } from "./stored-counters.js";
import type { Announcement } from "./update-log.js";
import { readRecord, type WriteTarget } from "./write.js";

/** Revisions of one document: what a purge is asked for, did, or is logged as. */
export interface PurgedRevisions {
  readonly id: DocId;
  readonly revs: readonly RevId[];
}

/** An entry of the purge log. */
export interface LoggedPurge extends PurgedRevisions {
  /** Counts the entries of a database, from 1. */
  readonly purgeSeq: number;
}

export type PurgeTarget = Omit<WriteTarget, "revsLimit" | "validation">;

export interface PurgeOutcome {
  /** For each request what really went: revisions that were leaves. */
  readonly purged: readonly PurgedRevisions[];
  /** Bytes of the attachments that went, roughly: they stay on disk until a compaction finds that nothing names them. */
  readonly attachedBytes: number;
}

/** Resolves when it is on disk. What is asked for is logged, whether it was there or not, as in CouchDB. */
export async function purge(target: PurgeTarget, requests: readonly PurgedRevisions[]): Promise<PurgeOutcome> {
  const turn = new PurgeTurn(target);
  let reached = target.log.pending;
  target.beforeTurn();
  await target.commit.write(
    (batch) => {
      for (const request of requests) turn.purge(batch, request);
      turn.finish(batch);
      reached = target.log.pending;
    },
    {
      committed: () => {
        if (turn.designDocuments) target.designDocumentsChanged();
        target.log.settle(reached, turn.changes, turn.gone);
      },
      aborted: () => {
        target.log.abort();
        target.aborted();
      },
    },
  );
  return { purged: turn.purged, attachedBytes: turn.attachedBytes };
}

class PurgeTurn {
  readonly purged: PurgedRevisions[] = [];
  /** Documents of which something is left. */
  readonly changes: Announcement[] = [];
  /** Documents of which nothing is. */
  readonly gone: DocId[] = [];
  designDocuments = false;
  attachedBytes = 0;
  readonly #target: PurgeTarget;
  #logged = false;

  constructor(target: PurgeTarget) {
    this.#target = target;
  }

  purge(batch: WriteBatch, request: PurgedRevisions): void {
    const { id, revs } = request;
    this.#log(batch, request);
    const record = readRecord(this.#target, id);
    const { tree, removed, purged } = purgeLeaves(record?.tree ?? [], revs);
    this.purged.push({ id, revs: purged });
    if (!record || removed.length === 0) return;
    if (isDesignDocId(id)) this.designDocuments = true;
    this.#target.firstOperations(batch);
    this.#removeBodies(batch, id, record, removed);
    if (tree.length === 0) this.#forget(batch, id, record);
    else this.#keepRest(batch, id, record, tree);
  }

  /** The counters as they are now: where no change was written, no change record has them. */
  finish(batch: WriteBatch): void {
    const { keys, log } = this.#target;
    if (this.#logged) batch.put(keys.meta("counters"), encodeCounters(log.pending));
  }

  #log(batch: WriteBatch, request: PurgedRevisions): void {
    if (request.revs.length === 0) return;
    const { keys, log } = this.#target;
    const purgeSeq = (log.pending.purgeSeq ?? 0) + 1;
    log.advancePurge(purgeSeq);
    batch.put(keys.purge(purgeSeq), encodePurgeEntry(request));
    this.#logged = true;
  }

  #removeBodies(batch: WriteBatch, id: DocId, record: DocumentRecord, removed: readonly RevisionNode[]): void {
    const beside = record.inline ? record.tree[record.winner] : undefined;
    const besideRev = beside && revOf(beside);
    for (const node of removed) {
      const rev = revOf(node);
      if (node.stored && rev !== besideRev) batch.delete(this.#target.keys.body(id, rev));
      if (node.attached) this.attachedBytes += node.size - node.attached.inherited;
    }
  }

  /** Takes a sequence all the same: whoever keeps something by the last sequence must see that it is no longer true. */
  #forget(batch: WriteBatch, id: DocId, record: DocumentRecord): void {
    const { keys, log } = this.#target;
    batch.delete(keys.document(id));
    batch.delete(keys.sequence(record.seq));
    log.advance(log.pendingSeq + 1, countChange(log.pending.counters, record, undefined));
    this.gone.push(id);
  }

  #keepRest(batch: WriteBatch, id: DocId, record: DocumentRecord, tree: DocumentRecord["tree"]): void {
    const { keys, log } = this.#target;
    const winner = winnerOf(tree);
    const seq = log.pendingSeq + 1;
    const isSameWinner = revOf(tree[winner] as RevisionNode) === revOf(record.tree[record.winner] as RevisionNode);
    const next: DocumentRecord = { tree, winner, seq, inline: isSameWinner ? record.inline : undefined };
    const counters = countChange(log.pending.counters, record, next);
    const entry = encodeSequenceEntry(changeRow(id, tree, winner), counters);
    batch.put(keys.document(id), encodeDocumentRecord(next));
    batch.delete(keys.sequence(record.seq));
    batch.put(keys.sequence(seq), entry);
    log.advance(seq, counters);
    this.changes.push({ seq, id, entry });
  }
}

export function encodePurgeEntry({ id, revs }: PurgedRevisions): Buffer {
  return Buffer.from(JSON.stringify([id, ...revs]));
}

export function decodePurgeEntry(bytes: Buffer): PurgedRevisions {
  const [id, ...revs] = JSON.parse(bytes.toString()) as [DocId, ...RevId[]];
  return { id, revs };
}
