/**
 * Compaction: bodies of revisions that are no longer leaves go, then attachments that nothing names any more. It runs beside
 * writers: each step is one turn that reads what is pending, and the store is never locked.
 */
import type { DocId } from "../../protocol/ids.js";
import type { GroupCommit } from "../storage/group-commit.js";
import type { DatabaseKeys, DatabaseNumber } from "../storage/keys.js";
import type { Store, WriteBatch } from "../storage/store.js";
import type { BlobStore } from "./attachments/blob-store.js";
import type { TakenDigests } from "./attachments/taken-digests.js";
import { decodeDocumentRecord, decodeRevisionValue, encodeDocumentRecord } from "./document-record.js";
import { leavesOf, type RevisionNode, type RevisionTree, revOf } from "./revisions/tree.js";
import type { UpdateLog } from "./update-log.js";
import { encodeCounters } from "./stored-counters.js";

export interface CompactionTarget {
  readonly number: DatabaseNumber;
  readonly keys: DatabaseKeys;
  readonly store: Store;
  readonly commit: GroupCommit;
  readonly blobs: BlobStore;
  readonly log: UpdateLog;
  readonly taken: TakenDigests;
}

/** Documents per turn: others wait no longer than this takes. */
const step = 100;

export async function compact(target: CompactionTarget): Promise<void> {
  target.taken.beginSweep();
  const named = new Set<string>();
  const { keys, store } = target;
  for await (const entries of store.range({ ...keys.documents, values: false, step })) {
    let reached = target.log.pending;
    const fill = (batch: WriteBatch): void => {
      let reclaimed = 0;
      for (const { key } of entries) {
        const bytes = target.commit.read(key);
        if (!bytes) continue;
        const record = decodeDocumentRecord(bytes);
        const id = keys.docIdOf(key);
        const { tree, dropped } = withoutInnerBodies(record.tree);
        for (const node of dropped) {
          batch.delete(keys.body(id, revOf(node)));
          reclaimed += node.size;
        }
        if (dropped.length > 0) batch.put(key, encodeDocumentRecord({ ...record, tree }));
        collectNames(target, id, { ...record, tree }, named);
      }
      if (reclaimed > 0) {
        target.log.reclaim(reclaimed);
        reached = target.log.pending;
        batch.put(keys.meta("counters"), encodeCounters(reached));
      }
    };
    await target.commit.write(fill, {
      committed: () => target.log.settle(reached, []),
      aborted: () => target.log.abort(),
    });
  }
  await sweep(target, named);
  target.taken.endSweep();
}

function withoutInnerBodies(tree: RevisionTree): { readonly tree: RevisionTree; readonly dropped: readonly RevisionNode[] } {
  if (tree.length === 1) return { tree, dropped: [] };
  const leaves = new Set(leavesOf(tree));
  const dropped: RevisionNode[] = [];
  const kept = tree.map((node, index) => {
    if (leaves.has(index) || !node.stored) return node;
    dropped.push(node);
    return { ...node, stored: false, seq: 0, size: 0 };
  });
  return { tree: kept, dropped };
}

function collectNames(
  { keys, commit }: CompactionTarget,
  id: DocId,
  record: ReturnType<typeof decodeDocumentRecord>,
  named: Set<string>,
): void {
  for (const leaf of leavesOf(record.tree)) {
    const inline = leaf === record.winner ? record.inline : undefined;
    const bytes = inline ?? commit.read(keys.body(id, revOf(record.tree[leaf] as RevisionNode)));
    if (bytes) for (const { digest } of decodeRevisionValue(bytes).attachments) named.add(digest);
  }
}

/** Contents that were taken in since the walk began may be named by documents that the walk had passed: they stay. */
async function sweep(target: CompactionTarget, named: ReadonlySet<string>): Promise<void> {
  const { keys, store, commit, blobs, taken, number } = target;
  const unused = (digest: string): boolean => !named.has(digest) && !taken.has(digest);
  for await (const entries of store.range({ ...keys.attachments, values: false })) {
    await commit.write((batch) => {
      for (const { key } of entries) if (unused(keys.digestOf(key))) batch.delete(key);
    });
  }
  for await (const digest of blobs.digests(number)) if (unused(digest)) blobs.remove(number, digest);
}
