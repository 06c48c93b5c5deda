/**
 * Compaction: bodies of revisions that are no longer leaves go, and history beyond the limit, then attachments that nothing names
 * any more. It runs beside
 * writers: each step is one turn that reads what is pending, and the store is never locked. It may be ended between two steps;
 * what was done until then stays done.
 */
import type { DocId } from "../../protocol/ids.js";
import type { GroupCommit } from "../storage/group-commit.js";
import type { DatabaseKeys, DatabaseNumber } from "../storage/keys.js";
import type { Key, Store, WriteBatch } from "../storage/store.js";
import type { BlobStore } from "./attachments/blob-store.js";
import type { TakenDigests } from "./attachments/taken-digests.js";
import { countChange } from "./counting.js";
import {
  type DocumentRecord,
  decodeDocumentRecord,
  decodeRevisionValue,
  encodeDocumentRecord,
} from "./document-record.js";
import { stem } from "./revisions/stem.js";
import { leavesOf, type RevisionNode, type RevisionTree, revOf } from "./revisions/tree.js";
import { winnerOf } from "./revisions/winner.js";
import { encodeCounters } from "./stored-counters.js";
import type { UpdateLog } from "./update-log.js";

export interface CompactionTarget {
  readonly number: DatabaseNumber;
  readonly keys: DatabaseKeys;
  readonly store: Store;
  readonly commit: GroupCommit;
  readonly blobs: BlobStore;
  readonly log: UpdateLog;
  readonly taken: TakenDigests;
  /** Generations of history that are kept. */
  readonly revsLimit: number;
  /** Entries of the purge log that are kept. */
  readonly purgesKept: number;
  /** Told how many documents have been walked over so far. */
  progress(documents: number): void;
  /** True when it must end: the database was deleted, or the server stops. A turn after that would bring records back. */
  ended(): boolean;
}

/** Documents read at a time. */
const step = 100;
/** Milliseconds that others wait for a turn at most, or little more: a document with large bodies may take longer by itself. */
const turnTime = 5;
/** Bytes from which on it is worth the work to have the store give back their room now, and not when it comes by. */
const worthReclaiming = 16 * 1024 * 1024;

export async function compact(target: CompactionTarget): Promise<void> {
  const { keys, store, taken, ended } = target;
  taken.beginSweep();
  try {
    const walk = new Walk(target);
    let walked = 0;
    for await (const entries of store.range({ ...keys.documents, values: false, step })) {
      for (let at = 0; at < entries.length && !ended(); ) at = await walk.turn(entries, at);
      if (ended()) return;
      walked += entries.length;
      target.progress(walked);
    }
    await sweep(target, walk.named);
    await trimPurgeLog(target);
    if (walk.reclaimed >= worthReclaiming && !ended()) await store.reclaim(keys.bodies.from, keys.bodies.to);
  } finally {
    taken.endSweep();
  }
}

/** Over all documents: drops the bodies that may go, and collects the digests that the others name. */
class Walk {
  readonly named = new Set<string>();
  /** Bytes of bodies dropped. */
  reclaimed = 0;
  readonly #target: CompactionTarget;

  constructor(target: CompactionTarget) {
    this.#target = target;
  }

  /** One turn over documents from `at` on; resolves to where the next one begins. */
  async turn(entries: readonly { readonly key: Key }[], at: number): Promise<number> {
    const { log, commit, keys } = this.#target;
    let next = at;
    let reached = log.pending;
    const fill = (batch: WriteBatch): void => {
      const until = performance.now() + turnTime;
      do this.#visit(batch, (entries[next++] as { key: Key }).key);
      while (next < entries.length && performance.now() < until);
      if (log.pending === reached) return;
      reached = log.pending;
      batch.put(keys.meta("counters"), encodeCounters(reached));
    };
    await commit.write(fill, { committed: () => log.settle(reached, []), aborted: () => log.abort() });
    return next;
  }

  #visit(batch: WriteBatch, key: Key): void {
    const { keys, commit, log } = this.#target;
    const bytes = commit.read(key);
    if (!bytes) return;
    const record = decodeDocumentRecord(bytes);
    const id = keys.docIdOf(key);
    const bare = leavesAlone(record.tree);
    const { tree } = stem(bare, this.#target.revsLimit);
    if (tree !== record.tree) {
      record.tree.forEach((node, index) => {
        if (!node.stored || bare[index]?.stored) return;
        batch.delete(keys.body(id, revOf(node)));
        this.reclaimed += node.size;
      });
      const compacted = { ...record, tree, winner: winnerOf(tree) };
      batch.put(key, encodeDocumentRecord(compacted));
      log.advance(log.pendingSeq, countChange(log.pending.counters, record, compacted));
    }
    this.#collectNames(id, record);
  }

  #collectNames(id: DocId, { tree, winner, inline }: DocumentRecord): void {
    const { keys, commit } = this.#target;
    for (const leaf of leavesOf(tree)) {
      const node = tree[leaf] as RevisionNode;
      if (!node.attached) continue;
      const bytes = (leaf === winner ? inline : undefined) ?? commit.read(keys.body(id, revOf(node)));
      if (bytes) for (const { digest } of decodeRevisionValue(bytes).attachments) this.named.add(digest);
    }
  }
}

/** Only leaves keep bodies; what they inherited is theirs from now on. The same tree when it is so already. */
function leavesAlone(tree: RevisionTree): RevisionTree {
  const leaves = new Set(leavesOf(tree));
  let changed = false;
  const kept = tree.map((node, index) => {
    const { generation, hash, parent, deleted, attached } = node;
    if (!leaves.has(index)) {
      changed ||= node.stored;
      return { generation, hash, parent, deleted, stored: false, seq: 0, size: 0 };
    }
    if (!attached || attached.inherited === 0) return node;
    changed = true;
    return { ...node, attached: { ...attached, inherited: 0 } };
  });
  return changed ? kept : tree;
}

async function sweep(target: CompactionTarget, named: ReadonlySet<string>): Promise<void> {
  const { keys, store, commit, blobs, taken, number, ended } = target;
  const unused = (digest: string): boolean => !named.has(digest) && !taken.isSpared(digest);
  for await (const entries of store.range({ ...keys.attachments, values: false })) {
    if (ended()) return;
    await commit.write((batch) => {
      for (const { key } of entries) if (unused(keys.digestOf(key))) batch.delete(key);
    });
  }
  for await (const digest of blobs.digests(number)) {
    if (ended()) return;
    if (unused(digest)) blobs.remove(number, digest);
  }
}

/** Only the latest purges are told; an index that was not looked at for longer is built anew. */
async function trimPurgeLog({ keys, store, commit, log, purgesKept, ended }: CompactionTarget): Promise<void> {
  const first = (log.committed.purgeSeq ?? 0) - purgesKept + 1;
  if (first <= 1) return;
  for await (const entries of store.range({ from: keys.purges.from, to: keys.purge(first), values: false })) {
    if (ended()) return;
    await commit.write((batch) => {
      for (const { key } of entries) batch.delete(key);
    });
  }
}
