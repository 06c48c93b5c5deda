import type { GroupCommit } from "../storage/group-commit.js";
import type { Store } from "../storage/store.js";
import type { ActiveTasks } from "./active-tasks.js";
import type { BlobStore } from "./attachments/blob-store.js";
import type { Compression } from "./attachments/compression.js";
import type { Database } from "./database.js";
import type { DatabaseUpdates } from "./database-updates.js";
import type { StoreCounts } from "./store-counts.js";
import type { Validate } from "./validate.js";

/** What every database of a data directory shares. */
export interface DatabaseServices {
  readonly store: Store;
  readonly commit: GroupCommit;
  readonly blobs: BlobStore;
  /** Databases that somebody listens to: they must not be forgotten and opened a second time, which the listener would not hear. */
  readonly followed: Set<Database>;
  readonly epoch: string;
  /** Hears of every write, for `_db_updates`. */
  readonly updates: DatabaseUpdates;
  readonly tasks: ActiveTasks;
  readonly counts: StoreCounts;
  readonly validate: Validate;
  /** In force now. */
  readonly compression: () => Compression;
  /** Names the realm that a validation function may share with other databases: the operator's own code. */
  readonly shareKeyOf?: (source: string) => string | undefined;
  /** Told after every write. */
  readonly wrote?: (database: Database) => void;
  /** Told after every change of design documents. */
  readonly designed?: (database: Database) => void;
}
