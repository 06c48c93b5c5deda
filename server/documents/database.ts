import { Readable } from "node:stream";
import { CouchError } from "../../protocol/errors.js";
import type { DatabaseName, DocId, RevId, Seq } from "../../protocol/ids.js";
import type { SecurityObject } from "../../protocol/security.js";
import type { GroupCommit } from "../storage/group-commit.js";
import { type DatabaseKeys, type DatabaseNumber, databaseKeys, directoryKey } from "../storage/keys.js";
import type { Key, KeyRange, Store, WriteBatch } from "../storage/store.js";
import type { AttachmentInfo } from "./attachments/attachment-info.js";
import type { BlobStore, ByteRange } from "./attachments/blob-store.js";
import { type IntakeOptions, smallAttachment, type TakenContent, takeContent } from "./attachments/intake.js";
import { TakenDigests } from "./attachments/taken-digests.js";
import { type ChangesRange, countChanges, readChanges } from "./changes/read-changes.js";
import { compact } from "./compaction.js";
import { type DirectoryRecord, decodeDirectoryRecord, encodeDirectoryRecord } from "./directory-record.js";
import { type DocumentRecord, decodeDocumentRecord, decodeRevisionValue, type RevisionValue } from "./document-record.js";
import { type EpochStart, formatSeq, resolveSeq } from "./epochs.js";
import type { IncomingRevision } from "./incoming-revision.js";
import { decodeLocal, deleteLocal, type LocalDocument, writeLocal } from "./local-documents.js";
import { type MissingRevisions, missingRevisions } from "./revisions/missing.js";
import { type RevisionNode, revOf } from "./revisions/tree.js";
import type { SequenceEntry } from "./sequence-entry.js";
import { type LogListener, type Progress, UpdateLog } from "./update-log.js";
import type { Validate, ValidationContext, ValidationFunction } from "./validate.js";
import { findValidationFunctions } from "./validation-functions.js";
import { type WriteOutcome, type Writer, writeRevisions } from "./write.js";

/** What every database of a data directory shares. */
export interface DatabaseServices {
  readonly store: Store;
  readonly commit: GroupCommit;
  readonly blobs: BlobStore;
  /** Databases that somebody listens to: they must not be forgotten and opened a second time, which the listener would not hear. */
  readonly followed: Set<Database>;
  readonly epoch: string;
  readonly validate: Validate;
  /** Names the realm that a validation function may share with other databases: the operator's own code. */
  readonly shareKeyOf?: (source: string) => string | undefined;
}

/** Ids in the order of their bytes: `from` inclusive, `to` exclusive. */
export interface IdRange {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly descending?: boolean;
  /** Records read at a time. */
  readonly step?: number;
}

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
  readonly keys: DatabaseKeys;
  readonly log: UpdateLog;
  readonly #services: DatabaseServices;
  #record: DirectoryRecord;
  #validators: readonly ValidationFunction[] | undefined;
  #designVersion = 0;
  readonly #taken = new TakenDigests();
  #compacting: Promise<void> | undefined;
  #deleted = false;

  constructor(services: DatabaseServices, name: DatabaseName, record: DirectoryRecord, progress: Progress) {
    this.name = name;
    this.number = record.number;
    this.partitioned = record.partitioned;
    this.keys = databaseKeys(record.number);
    this.#services = services;
    this.#record = record;
    this.log = new UpdateLog(progress);
  }

  get deleted(): boolean {
    return this.#deleted;
  }

  /** True while it must not be forgotten: feeds listen, or writes are on their way. */
  get busy(): boolean {
    return this.log.busy || this.compacting;
  }

  // Documents

  find(id: string): StoredDocument | undefined {
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
    const { documents, document, docIdOf } = this.keys;
    for await (const entries of this.#services.store.range(keyRange(range, documents, document))) {
      yield entries.map(({ key, value }) => ({ id: docIdOf(key), record: decodeDocumentRecord(value) }));
    }
  }

  /** Documents in a range that are not deleted. */
  async countDocuments(range: Pick<IdRange, "from" | "to">): Promise<number> {
    const { documents, document } = this.keys;
    let count = 0;
    if (this.log.committed.counters.deletedDocuments === 0) {
      const keys = { ...keyRange(range, documents, document), values: false, step: 2000 };
      for await (const entries of this.#services.store.range(keys)) count += entries.length;
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
    return await writeRevisions(
      {
        keys: this.keys,
        commit: this.#services.commit,
        log: this.log,
        revsLimit: this.#record.revsLimit,
        validation: () => this.#validation(),
        designDocumentsChanged: () => this.#designDocumentsChanged(),
        beforeTurn: () => this.#mustExist(),
        firstOperations: (batch) => this.#enterEpoch(batch),
        aborted: () => this.#reloadRecord(),
      },
      revisions,
      writer,
    );
  }

  /** For `_revs_diff`: undefined when the document has all of them. */
  missing(id: DocId, revs: readonly RevId[]): MissingRevisions | undefined {
    return missingRevisions(this.find(id)?.record.tree ?? [], revs);
  }

  // Attachments

  /** Takes bytes in, before the write that names them. */
  takeAttachment(source: Buffer | Readable, options: IntakeOptions): Promise<TakenContent> {
    this.#mustExist();
    return takeContent(this.#services.blobs, this.number, source, options, (digest) => this.#taken.add(digest));
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

  /** Bytes that the database's records take on disk, roughly. */
  indexBytes(): Promise<number> {
    return this.#services.store.approximateSize(this.keys.all.from, this.keys.all.to);
  }

  /** The last committed sequence. */
  get updateSeq(): number {
    return this.log.committed.seq;
  }

  seqText(seq: number): Seq {
    return formatSeq(seq, this.#services.epoch);
  }

  /** @throws CouchError bad_request */
  resolveSeq(text: string): number {
    return resolveSeq(text, this.#epochs(this.updateSeq + 1), this.updateSeq);
  }

  // Local documents

  findLocal(id: string): LocalDocument | undefined {
    const bytes = this.#services.store.get(this.keys.local(id));
    return bytes && decodeLocal(bytes);
  }

  /** `id` without `_local/`. Resolves to the new revision. */
  writeLocal(id: string, body: Buffer, rev?: string): Promise<string> {
    this.#mustExist();
    return writeLocal({ keys: this.keys, commit: this.#services.commit }, id, body, rev);
  }

  deleteLocal(id: string, rev?: string): Promise<string> {
    this.#mustExist();
    return deleteLocal({ keys: this.keys, commit: this.#services.commit }, id, rev);
  }

  /** Local documents by id (without `_local/`), in steps. */
  async *locals(range: IdRange = {}): AsyncIterable<readonly (LocalDocument & { readonly id: string })[]> {
    const { locals, local, localIdOf } = this.keys;
    for await (const entries of this.#services.store.range(keyRange(range, locals, local))) {
      yield entries.map(({ key, value }) => ({ id: localIdOf(key), ...decodeLocal(value) }));
    }
  }

  // Settings

  security(): SecurityObject {
    return this.#record.security;
  }

  setSecurity(security: SecurityObject): Promise<void> {
    return this.#changeRecord({ security });
  }

  revsLimit(): number {
    return this.#record.revsLimit;
  }

  setRevsLimit(revsLimit: number): Promise<void> {
    return this.#changeRecord({ revsLimit });
  }

  // Life

  get compacting(): boolean {
    return this.#compacting !== undefined;
  }

  /** Gives back what only old revisions and dropped attachments hold. A second call joins the first. */
  compact(): Promise<void> {
    this.#mustExist();
    const { store, commit, blobs } = this.#services;
    const target = { number: this.number, keys: this.keys, log: this.log, taken: this.#taken, store, commit, blobs };
    this.#compacting ??= compact(target).finally(() => {
      this.#compacting = undefined;
    });
    return this.#compacting;
  }

  /** The database is gone: writes are refused from now on, feeds end. */
  markDeleted(): void {
    this.#deleted = true;
    this.log.end();
    this.#services.followed.delete(this);
  }

  #changeRecord(change: Partial<DirectoryRecord>): Promise<void> {
    this.#mustExist();
    return this.#services.commit.write((batch) => this.#putRecord(batch, change), { aborted: () => this.#reloadRecord() });
  }

  /** Takes effect at once, for writers and readers: a member who was removed must not read on while the disk is busy. */
  #putRecord(batch: WriteBatch, change: Partial<DirectoryRecord>): void {
    this.#record = { ...this.#record, ...change };
    batch.put(directoryKey(this.name), encodeDirectoryRecord(this.#record));
  }

  /** The first write in a new epoch notes where it begins here. */
  #enterEpoch(batch: WriteBatch): void {
    const epochs = this.#epochs(this.log.pendingSeq + 1);
    if (epochs !== this.#record.epochs) this.#putRecord(batch, { epochs });
  }

  /** The epochs with the one in force: a database that was not written in it yet gives out its sequences all the same. */
  #epochs(first: number): readonly EpochStart[] {
    const { epochs } = this.#record;
    const { epoch } = this.#services;
    return epochs.at(-1)?.epoch === epoch ? epochs : [...epochs, { epoch, first }];
  }

  /** A change of the directory record was lost: back to what is on disk. */
  #reloadRecord(): void {
    const bytes = this.#services.store.get(directoryKey(this.name));
    if (bytes && !this.#deleted) this.#record = decodeDirectoryRecord(bytes);
  }

  #validation(): ValidationContext | undefined | Promise<ValidationContext | undefined> {
    if (this.#validators) return this.#validationContext(this.#validators);
    return this.#loadValidators().then((functions) => this.#validationContext(functions));
  }

  #validationContext(functions: readonly ValidationFunction[]): ValidationContext | undefined {
    if (functions.length === 0) return undefined;
    return {
      database: this.name,
      functions,
      security: this.#record.security,
      validate: this.#services.validate,
      read: (id, record, index) => this.value({ id: id as DocId, record }, index),
    };
  }

  async #loadValidators(): Promise<readonly ValidationFunction[]> {
    const version = this.#designVersion;
    const functions = await findValidationFunctions(this, this.#services.shareKeyOf);
    // A design document that was written meanwhile makes what was read stale; the next write reads again.
    if (version === this.#designVersion) this.#validators = functions;
    return functions;
  }

  #designDocumentsChanged(): void {
    this.#designVersion++;
    this.#validators = undefined;
  }

  #mustExist(): void {
    if (this.#deleted) throw new CouchError("not_found", "Database does not exist.");
  }
}

function keyRange({ from, to, descending = false, step }: IdRange, all: KeyRange, keyOf: (id: string) => Key): KeyRange {
  return {
    from: from === undefined ? all.from : keyOf(from),
    to: to === undefined ? all.to : keyOf(to),
    reverse: descending,
    ...(step ? { step } : {}),
  };
}
