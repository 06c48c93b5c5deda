import { Readable } from "node:stream";
import { CouchError } from "../../protocol/errors.js";
import type { DatabaseName, DocId, RevId, Seq } from "../../protocol/ids.js";
import type { SecurityObject } from "../../protocol/security.js";
import { type DatabaseKeys, type DatabaseNumber, databaseKeys } from "../storage/keys.js";
import type { WriteBatch } from "../storage/store.js";
import { beginCompaction } from "./active-tasks.js";
import type { AttachmentInfo } from "./attachments/attachment-info.js";
import type { ByteRange } from "./attachments/blob-store.js";
import { type IntakeOptions, smallAttachment, type TakenContent } from "./attachments/intake.js";
import { TakenContents } from "./attachments/taken-contents.js";
import { type ChangesRange, countChanges, readChanges, readFewChanges } from "./changes/read-changes.js";
import { compact } from "./compaction.js";
import { CompactionRun } from "./compaction-run.js";
import { type DatabaseKind, databaseKind } from "./database-kind.js";
import type { DatabaseServices } from "./database-services.js";
import { DirectoryEntry } from "./directory-entry.js";
import type { DirectoryRecord } from "./directory-record.js";
import {
  type DocumentRecord,
  decodeDocumentRecord,
  decodeRevisionValue,
  type RevisionValue,
} from "./document-record.js";
import { formatSeq, resolveSeq } from "./epochs.js";
import { type IdRange, keyRange } from "./id-range.js";
import type { IncomingRevision } from "./incoming-revision.js";
import { decodeLocal, deleteLocal, type LocalDocument, writeLocal } from "./local-documents.js";
import { checkPartitionedId } from "./partitions.js";
import { decodePurgeEntry, type LoggedPurge, type PurgedRevisions, type PurgeTarget, purge } from "./purge.js";
import { type MissingRevisions, missingRevisions } from "./revisions/missing.js";
import { type RevisionNode, revOf } from "./revisions/tree.js";
import type { SequenceEntry } from "./sequence-entry.js";
import { type LogListener, type Progress, UpdateLog } from "./update-log.js";
import type { ValidationContext, ValidationFunction } from "./validate.js";
import { findValidationFunctions, ValidationFunctions } from "./validation-functions.js";
import { type WriteOutcome, type Writer, writeRevisions } from "./write.js";

/** A document with its id: one record, read once. */
export interface StoredDocument {
  readonly id: DocId;
  readonly record: DocumentRecord;
}

/**
 * The face of one database. Reads see what is committed; writes resolve when they are on disk. There is one object for each
 * database that is in use (`Databases` sees to that), since it holds the sequence that the next write gets.
 */
export class Database {
  readonly name: DatabaseName;
  readonly number: DatabaseNumber;
  readonly partitioned: boolean;
  readonly kind: DatabaseKind;
  readonly keys: DatabaseKeys;
  readonly log: UpdateLog;
  readonly #services: DatabaseServices;
  readonly #entry: DirectoryEntry;
  readonly #validators: ValidationFunctions;
  readonly #taken: TakenContents;
  readonly #compaction = new CompactionRun((isEnding) => this.#compact(isEnding));
  #deleted = false;
  #designVersion = 0;

  constructor(services: DatabaseServices, name: DatabaseName, record: DirectoryRecord, progress: Progress) {
    this.name = name;
    this.number = record.number;
    this.partitioned = record.partitioned;
    this.kind = databaseKind(name);
    this.keys = databaseKeys(record.number);
    this.#services = services;
    this.#entry = new DirectoryEntry(services, name, record);
    this.#taken = new TakenContents(services.blobs, record.number, services.compression);
    this.log = new UpdateLog(progress);
    this.#validators = new ValidationFunctions(() => findValidationFunctions(this, services.shareKeyOf));
  }

  get deleted(): boolean {
    return this.#deleted;
  }

  // Documents

  find(id: string): StoredDocument | undefined {
    this.#services.counts.documentReads++;
    const bytes = this.#services.store.get(this.keys.document(id));
    return bytes && { id: id as DocId, record: decodeDocumentRecord(bytes) };
  }

  /** Body and attachment list of one revision; undefined when it is not stored (any more). */
  value({ id, record }: StoredDocument, index: number): RevisionValue | undefined {
    if (index === record.winner && record.inline) return decodeRevisionValue(record.inline);
    const node = record.tree[index] as RevisionNode;
    const bytes = node.stored ? this.#services.store.get(this.keys.body(id, revOf(node))) : undefined;
    return bytes && decodeRevisionValue(bytes);
  }

  /** Documents by id, in steps, from one snapshot; deleted ones too. */
  async *documents(range: IdRange): AsyncIterable<readonly StoredDocument[]> {
    const { keys } = this;
    for await (const entries of this.#services.store.range(
      keyRange(range, keys.documents, (id) => keys.document(id)),
    )) {
      yield entries.map(({ key, value }) => ({ id: keys.docIdOf(key), record: decodeDocumentRecord(value) }));
    }
  }

  /** Documents in a range that are not deleted. */
  async countDocuments(range: Pick<IdRange, "from" | "to">): Promise<number> {
    let count = 0;
    if (this.log.committed.counters.deletedDocuments === 0) {
      const within = keyRange(range, this.keys.documents, (id) => this.keys.document(id));
      for await (const entries of this.#services.store.range({ ...within, values: false, step: 2000 }))
        count += entries.length;
      return count;
    }
    for await (const found of this.documents(range)) {
      for (const { record } of found) if (!(record.tree[record.winner] as RevisionNode).deleted) count++;
    }
    return count;
  }

  /** One outcome for each revision, in order, when all that was accepted is on disk. */
  async write(revisions: readonly IncomingRevision[], writer: Writer): Promise<readonly WriteOutcome[]> {
    this.#mustExist();
    const { revsLimit } = this.#entry.record;
    const target = { ...this.#turnTarget(), revsLimit, validation: () => this.#validation() };
    let outcomes: readonly WriteOutcome[] = [];
    try {
      if (this.partitioned) for (const { id } of revisions) checkPartitionedId(id);
      outcomes = await writeRevisions(target, revisions, writer);
    } finally {
      revisions.forEach(({ attachments }, index) => {
        const outcome = outcomes[index];
        this.#taken.settle(attachments, outcome !== undefined && !outcome.error);
      });
    }
    this.#services.counts.databaseWrites++;
    this.#services.counts.documentWrites += outcomes.length;
    this.#services.wrote?.(this);
    return outcomes;
  }

  /** What really went of each request, in order, when it is on disk. */
  async purge(requests: readonly PurgedRevisions[]): Promise<readonly PurgedRevisions[]> {
    this.#mustExist();
    const { purged, attachedBytes } = await purge(this.#turnTarget(), requests);
    this.#taken.unname(attachedBytes);
    this.#services.wrote?.(this);
    return purged;
  }

  /** The purge log behind an entry of it, oldest first, in steps. Compaction cuts its beginning off. */
  async *purges(after = 0): AsyncIterable<readonly LoggedPurge[]> {
    const { keys } = this;
    for await (const entries of this.#services.store.range({ from: keys.purge(after + 1), to: keys.purges.to })) {
      yield entries.map(({ key, value }) => ({ ...decodePurgeEntry(value), purgeSeq: keys.purgeSeqOf(key) }));
    }
  }

  /** For `_revs_diff`: undefined when the document has all of them. */
  missing(id: DocId, revs: readonly RevId[]): MissingRevisions | undefined {
    return missingRevisions(this.find(id)?.record.tree ?? [], revs);
  }

  // Attachments

  /** Takes bytes in, before the write that names them. */
  async takeAttachment(source: Buffer | Readable, options: IntakeOptions): Promise<TakenContent> {
    this.#mustExist();
    return this.#taken.take(source, options);
  }

  /** The content of an attachment that a document here names, for another document to name it too. */
  shareAttachment(info: AttachmentInfo): TakenContent {
    return this.#taken.share(info);
  }

  /** The stored bytes of an attachment (compressed when `encoding` says so), or a part of them. */
  attachment(info: AttachmentInfo, range?: ByteRange): Readable {
    const small = this.smallAttachment(info);
    if (!small) return this.#services.blobs.read(this.number, info.digest, range);
    return Readable.from([range ? small.subarray(range.start, range.end + 1) : small], { objectMode: false });
  }

  /** The stored bytes of a small attachment; undefined for one that is a file. */
  smallAttachment(info: AttachmentInfo): Buffer | undefined {
    if (info.storedLength > smallAttachment) return undefined;
    return this.#services.store.get(this.keys.attachment(info.digest));
  }

  // Changes

  /** Changes in steps from one snapshot. */
  changes(range: ChangesRange): AsyncIterable<readonly SequenceEntry[]> {
    return readChanges(this.#services.store, this.keys, range);
  }

  /** All changes behind a sequence, at once; undefined when there may be more than that many. */
  fewChanges(since: number, most: number): readonly SequenceEntry[] | undefined {
    // What is on its way to the disk may have arrived there, and count as written only in a moment.
    const last = this.log.pendingSeq;
    return last - since > most ? undefined : readFewChanges(this.#services.store, this.keys, { since, last });
  }

  countChanges(since: number): Promise<number> {
    return countChanges(this.#services.store, this.keys, since);
  }

  /** Tells of every commit from now on; the result ends that. */
  subscribe(listener: LogListener): () => void {
    const { followed } = this.#services;
    const unsubscribe = this.log.subscribe(listener);
    followed.add(this);
    return () => {
      unsubscribe();
      if (!this.log.followed) followed.delete(this);
    };
  }

  /** Bytes on disk, roughly: what was written last is not yet where the store can tell its size. */
  async fileBytes(): Promise<number> {
    const { store, blobs } = this.#services;
    const records = await store.approximateSize(this.keys.all.from, this.keys.all.to);
    return Math.max(this.log.committed.counters.storedBytes, records + (await blobs.bytes(this.number)));
  }

  /** Of the bytes on disk those that a compaction would give back, roughly. */
  get garbageBytes(): number {
    const { storedBytes, liveBytes } = this.log.committed.counters;
    return storedBytes - liveBytes + this.#taken.unnamedBytes;
  }

  /** The last committed sequence. */
  get updateSeq(): number {
    return this.log.committed.seq;
  }

  /** Grows when a design document is written or purged, as soon as that can be read. */
  get designVersion(): number {
    return this.#designVersion;
  }

  /** Number of the last entry of the purge log. */
  get purgeSeq(): number {
    return this.log.committed.purgeSeq ?? 0;
  }

  seqText(seq: number): Seq {
    return formatSeq(seq, this.#services.epoch);
  }

  /** @throws CouchError bad_request */
  resolveSeq(text: string): number {
    return resolveSeq(text, this.#entry.epochs(this.updateSeq + 1), this.updateSeq);
  }

  // Local documents

  findLocal(id: string): LocalDocument | undefined {
    const bytes = this.#services.store.get(this.keys.local(id));
    return bytes && decodeLocal(bytes);
  }

  /** `id` without `_local/`. Resolves to the new revision. */
  async writeLocal(id: string, body: Buffer, rev?: string): Promise<string> {
    this.#mustExist();
    this.#services.counts.localDocumentWrites++;
    return writeLocal({ keys: this.keys, commit: this.#services.commit }, id, body, rev);
  }

  async deleteLocal(id: string, rev?: string): Promise<string> {
    this.#mustExist();
    return deleteLocal({ keys: this.keys, commit: this.#services.commit }, id, rev);
  }

  /** Local documents by id (without `_local/`), in steps. */
  async *locals(range: IdRange = {}): AsyncIterable<readonly (LocalDocument & { readonly id: string })[]> {
    const { keys } = this;
    for await (const entries of this.#services.store.range(keyRange(range, keys.locals, (id) => keys.local(id)))) {
      yield entries.map(({ key, value }) => ({ id: keys.localIdOf(key), ...decodeLocal(value) }));
    }
  }

  // Settings

  security(): SecurityObject {
    return this.#entry.record.security;
  }

  async setSecurity(security: SecurityObject): Promise<void> {
    await this.#changeRecord({ security });
    this.log.secured();
  }

  revsLimit(): number {
    return this.#entry.record.revsLimit;
  }

  async setRevsLimit(revsLimit: number): Promise<void> {
    return this.#changeRecord({ revsLimit });
  }

  purgedInfosLimit(): number {
    return this.#entry.record.purgedInfosLimit;
  }

  async setPurgedInfosLimit(purgedInfosLimit: number): Promise<void> {
    return this.#changeRecord({ purgedInfosLimit });
  }

  // Life

  get compacting(): boolean {
    return this.#compaction.isRunning;
  }

  /** Gives back what only old revisions and dropped attachments hold. A second call joins the first. */
  compact(): Promise<void> {
    this.#mustExist();
    return this.#compaction.run();
  }

  /** Ends a compaction under way between two of its steps, and waits for that. */
  async endCompaction(): Promise<void> {
    await this.#compaction.end();
  }

  /** The database is gone: writes are refused from now on, feeds end. */
  markDeleted(): void {
    this.#deleted = true;
    this.log.end();
    this.#services.followed.delete(this);
  }

  async #compact(isEnding: () => boolean): Promise<void> {
    const { store, commit, blobs, tasks } = this.#services;
    const { number, keys, log } = this;
    const { digests: taken, unnamedBytes } = this.#taken;
    const ended = () => this.#deleted || isEnding();
    const { purgedInfosLimit: purgesKept, revsLimit } = this.#entry.record;
    const { progress, end } = beginCompaction(tasks, this.name, log.committed.counters);
    try {
      await compact({ number, keys, log, taken, store, commit, blobs, revsLimit, purgesKept, progress, ended });
      this.#taken.cleared(unnamedBytes);
    } finally {
      end();
    }
  }

  /** What writes and purges need alike. */
  #turnTarget(): PurgeTarget {
    return {
      keys: this.keys,
      commit: this.#services.commit,
      log: this.log,
      designDocumentsChanged: () => {
        this.#designVersion++;
        this.#validators.designDocumentsChanged();
        this.#services.designed?.(this);
      },
      beforeTurn: () => this.#mustExist(),
      firstOperations: (batch) => this.#beforeChange(batch),
      aborted: () => this.#entry.reload(),
    };
  }

  #changeRecord(change: Partial<DirectoryRecord>): Promise<void> {
    this.#mustExist();
    return this.#entry.change(change);
  }

  #beforeChange(batch: WriteBatch): void {
    this.#services.updates.touch(this);
    this.#entry.enterEpoch(batch, this.log.pendingSeq + 1);
  }

  #validation(): ValidationContext | undefined | Promise<ValidationContext | undefined> {
    const functions = this.#validators.get();
    if (!(functions instanceof Promise)) return this.#validationContext(functions);
    return functions.then((found) => this.#validationContext(found));
  }

  #validationContext(functions: readonly ValidationFunction[]): ValidationContext | undefined {
    if (functions.length === 0) return undefined;
    return {
      database: this.name,
      functions,
      security: this.#entry.record.security,
      validate: this.#services.validate,
      read: (id, record, index) => this.value({ id: id as DocId, record }, index),
    };
  }

  #mustExist(): void {
    if (this.#deleted) throw new CouchError("not_found", "Database does not exist.");
  }
}
