import type { DatabaseName } from "../../protocol/ids.js";
import type { GroupCommit } from "../storage/group-commit.js";
import { directoryKey } from "../storage/keys.js";
import type { Store, WriteBatch } from "../storage/store.js";
import { type DirectoryRecord, decodeDirectoryRecord, encodeDirectoryRecord } from "./directory-record.js";
import type { EpochStart } from "./epochs.js";

export interface DirectoryEntryParts {
  readonly store: Store;
  readonly commit: GroupCommit;
  /** The epoch in force. */
  readonly epoch: string;
}

/** The directory record of one open database, and the changes of it. */
export class DirectoryEntry {
  readonly #parts: DirectoryEntryParts;
  readonly #name: DatabaseName;
  #record: DirectoryRecord;

  constructor(parts: DirectoryEntryParts, name: DatabaseName, record: DirectoryRecord) {
    this.#parts = parts;
    this.#name = name;
    this.#record = record;
  }

  get record(): DirectoryRecord {
    return this.#record;
  }

  change(change: Partial<DirectoryRecord>): Promise<void> {
    return this.#parts.commit.write((batch) => this.#put(batch, change), { aborted: () => this.reload() });
  }

  /** The first write in a new epoch notes where it begins here. */
  enterEpoch(batch: WriteBatch, first: number): void {
    const epochs = this.epochs(first);
    if (epochs !== this.#record.epochs) this.#put(batch, { epochs });
  }

  /** The epochs with the one in force: a database that was not written in it yet gives out its sequences all the same. */
  epochs(first: number): readonly EpochStart[] {
    const { epochs } = this.#record;
    const { epoch } = this.#parts;
    return epochs.at(-1)?.epoch === epoch ? epochs : [...epochs, { epoch, first }];
  }

  /** A change was lost: back to what is on disk, unless the database went from there. */
  reload(): void {
    const bytes = this.#parts.store.get(directoryKey(this.#name));
    const record = bytes && decodeDirectoryRecord(bytes);
    if (record?.number === this.#record.number) this.#record = record;
  }

  /** Takes effect at once, for writers and readers: a member who was removed must not read on while the disk is busy. */
  #put(batch: WriteBatch, change: Partial<DirectoryRecord>): void {
    this.#record = { ...this.#record, ...change };
    batch.put(directoryKey(this.#name), encodeDirectoryRecord(this.#record));
  }
}
