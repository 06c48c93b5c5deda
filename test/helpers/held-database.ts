/** A database over a store in memory whose commits the test decides. */
import { join } from "node:path";
import { type DatabaseName, parseDatabaseName } from "../../protocol/ids.js";
import { ActiveTasks } from "../../server/documents/active-tasks.js";
import { BlobStore } from "../../server/documents/attachments/blob-store.js";
import { Database } from "../../server/documents/database.js";
import { DatabaseUpdates } from "../../server/documents/database-updates.js";
import { encodeDirectoryRecord, newDirectoryRecord } from "../../server/documents/directory-record.js";
import { noCounters } from "../../server/documents/sequence-entry.js";
import { newStoreCounts } from "../../server/documents/store-counts.js";
import type { Validate } from "../../server/documents/validate.js";
import { GroupCommit } from "../../server/storage/group-commit.js";
import { directoryKey } from "../../server/storage/keys.js";
import { HeldStore } from "./held-store.js";
import { type Cleanup, nothingToValidate, temporaryDirectory } from "./temp-store.js";

export const heldName: DatabaseName = parseDatabaseName("notes");

export interface HeldDatabase {
  readonly store: HeldStore;
  readonly database: Database;
}

/** The database was made in epoch `first`; `epoch` is the one in force. */
export function openHeldDatabase(
  t: Cleanup,
  { epoch = "first", validate = nothingToValidate }: { readonly epoch?: string; readonly validate?: Validate } = {},
): HeldDatabase {
  const store = new HeldStore();
  const commit = new GroupCommit(store);
  const record = newDirectoryRecord(1, { partitioned: false, epoch: "first", created: 0 });
  store.contents.set(directoryKey(heldName), encodeDirectoryRecord(record));
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
  };
  return { store, database: new Database(services, heldName, record, { seq: 0, counters: noCounters }) };
}
