/** A database over a store in memory whose commits the test decides. */
import { join } from "node:path";
import { type DatabaseName, parseDatabaseName } from "../../protocol/ids.js";
import { ActiveTasks } from "../../server/documents/active-tasks.js";
import { BlobStore } from "../../server/documents/attachments/blob-store.js";
import { defaultCompression } from "../../server/documents/attachments/compression.js";
import { Database } from "../../server/documents/database.js";
import { DatabaseUpdates } from "../../server/documents/database-updates.js";
import {
  decodeDirectoryRecord,
  encodeDirectoryRecord,
  newDirectoryRecord,
} from "../../server/documents/directory-record.js";
import { noCounters } from "../../server/documents/sequence-entry.js";
import { newStoreCounts } from "../../server/documents/store-counts.js";
import { readProgress } from "../../server/documents/stored-counters.js";
import type { Progress } from "../../server/documents/update-log.js";
import type { Validate } from "../../server/documents/validate.js";
import { GroupCommit } from "../../server/storage/group-commit.js";
import { databaseKeys, directoryKey } from "../../server/storage/keys.js";
import type { Key } from "../../server/storage/store.js";
import { HeldStore } from "./held-store.js";
import { type Cleanup, nothingToValidate, temporaryDirectory } from "./temp-store.js";

export const heldName: DatabaseName = parseDatabaseName("notes");

export interface HeldDatabase {
  readonly store: HeldStore;
  readonly commit: GroupCommit;
  readonly database: Database;
  /** To be opened before attachments are taken that are large. */
  readonly blobs: BlobStore;
}

interface Options {
  readonly epoch?: string;
  readonly validate?: Validate;
}

/** The database was made in epoch `first`; `epoch` is the one in force. */
export function openHeldDatabase(t: Cleanup, options: Options = {}): HeldDatabase {
  const store = new HeldStore();
  const record = newDirectoryRecord(1, { partitioned: false, epoch: "first", created: 0 });
  store.contents.set(directoryKey(heldName), encodeDirectoryRecord(record));
  return heldDatabase(t, store, { seq: 0, counters: noCounters }, options);
}

/** What a start finds when the one before it ended with these contents. */
export async function reopenHeldDatabase(
  t: Cleanup,
  contents: ReadonlyMap<Key, Buffer>,
  options: Options = {},
): Promise<HeldDatabase> {
  const store = new HeldStore();
  for (const [key, value] of contents) store.contents.set(key, value);
  return heldDatabase(t, store, await readProgress(store, databaseKeys(1)), options);
}

function heldDatabase(
  t: Cleanup,
  store: HeldStore,
  progress: Progress,
  { epoch = "first", validate = nothingToValidate }: Options,
): HeldDatabase {
  const commit = new GroupCommit(store);
  const blobs = new BlobStore(join(temporaryDirectory(t), "blobs"));
  const services = {
    store,
    commit,
    blobs,
    followed: new Set<Database>(),
    epoch,
    updates: new DatabaseUpdates(store, commit, epoch, 0),
    tasks: new ActiveTasks(),
    counts: newStoreCounts(),
    validate,
    compression: () => defaultCompression,
  };
  const record = decodeDirectoryRecord(store.get(directoryKey(heldName)) as Buffer);
  return { store, commit, blobs, database: new Database(services, heldName, record, progress) };
}
