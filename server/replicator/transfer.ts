/** Some changes from source to target: what is missing there, those revisions, and writing them. */
import { CouchError } from "../../protocol/errors.js";
import type { ParsedDocument } from "../documents/parse-document.js";
import { backOff, pause } from "./back-off.js";
import type { BatchSize } from "./batch-size.js";
import { isTransient } from "./failures.js";
import type { ChangedDocument, Refusal, Source, Target, WantedRevisions } from "./peer.js";
import type { Statistics } from "./statistics.js";

export interface TransferParts {
  readonly source: Source;
  readonly target: Target;
  readonly statistics: Statistics;
  readonly batchSize: BatchSize;
  /** Tries again of a document whose attachments broke off on their way. */
  readonly retries: number;
  readonly refused: (refusal: Refusal) => void;
}

/** Documents whose attachments stream at the same time. */
const streamsAtOnce = 4;
const streamBackOff = { first: 250, most: 30_000 };

/** Everything of the changes that the target accepts is on disk there when it resolves. */
export async function transfer(
  parts: TransferParts,
  changed: readonly ChangedDocument[],
  signal: AbortSignal,
): Promise<void> {
  const { source, target, statistics, batchSize } = parts;
  statistics.missing_checked += countRevisions(changed);
  const wanted = await target.missing(changed, signal);
  if (wanted.length === 0) return;
  statistics.missing_found += countRevisions(wanted);
  const { documents, attached, refused = [], bulkGet } = await source.fetch(wanted, signal);
  statistics.docs_read += documents.length + refused.length;
  count(parts, refused.length, refused);
  statistics.bulk_get_attempts += bulkGet?.attempts ?? 0;
  statistics.bulk_get_docs += bulkGet?.documents ?? 0;
  if (documents.length > 0) {
    const refusals = await target.write(documents, signal);
    count(parts, documents.length, refusals);
    batchSize.measured(documents.length, bytesOf(documents));
  }
  await eachAtOnce(attached, streamsAtOnce, (one) => stream(parts, one, signal));
}

/** What is wrong with a document that no server of ours could take. */
const unreadable = new Set<string>(["doc_validation", "illegal_docid"]);

/** One document with attachments, its bytes passing through. */
async function stream(parts: TransferParts, wanted: WantedRevisions, signal: AbortSignal): Promise<void> {
  let whole = false;
  for (let failures = 0; ; ) {
    try {
      const refusals: Refusal[] = [];
      let read = 0;
      for await (const revision of parts.source.fetchStreamed(wanted, whole, signal)) {
        read++;
        const refusal = await parts.target.writeStreamed(revision, signal);
        if (refusal) refusals.push(refusal);
      }
      parts.statistics.docs_read += read;
      count(parts, read, refusals);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CouchError && error.error === "missing_stub" && !whole) {
        // The target was thought to have them, and has lost them since.
        whole = true;
        continue;
      }
      if (error instanceof CouchError && unreadable.has(error.error)) {
        parts.statistics.docs_read++;
        count(parts, 1, [{ id: wanted.id, error }]);
        return;
      }
      if (!isTransient(error) || ++failures > parts.retries) throw error;
      await pause(backOff(failures, streamBackOff), signal);
    }
  }
}

function count({ statistics, refused }: TransferParts, documents: number, refusals: readonly Refusal[]): void {
  statistics.docs_written += documents - refusals.length;
  statistics.doc_write_failures += refusals.length;
  for (const refusal of refusals) refused(refusal);
}

function countRevisions(changed: readonly { readonly revs: readonly unknown[] }[]): number {
  return changed.reduce((sum, { revs }) => sum + revs.length, 0);
}

/** What of a document is not its body: id, revision, some history. */
const frame = 200;

function bytesOf(documents: readonly ParsedDocument[]): number {
  return documents.reduce(
    (sum, { body, history }) => sum + body.length + 35 * (history?.hashes.length ?? 1) + frame,
    0,
  );
}

/** @throws what one of them threw, when all that had begun are over */
async function eachAtOnce<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (const item of queue) {
      if (failed) return;
      try {
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, worker));
  for (const ended of workers) if (ended.status === "rejected") throw ended.reason;
}
