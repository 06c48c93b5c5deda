/** A server as an end of a migration: its databases with their settings, each of them an end of a replication. */
import type { SecurityObject } from "../../../protocol/security.js";
import type { Source, Target, WantedRevisions } from "../peer.js";
import type { ReplicationOptions } from "../replication.js";

export interface DatabaseSettings {
  readonly partitioned: boolean;
  readonly security: SecurityObject;
  readonly revsLimit: number;
}

export interface DatabaseCounts {
  readonly documents: number;
  readonly deletedDocuments: number;
}

/** Of one leaf: `name`, `digest` and `length` of each attachment, sorted, as text that can be compared. */
export type AttachmentList = string;

export interface ServerEnd {
  readonly url: string;
  /** Names of all databases. @throws CouchError */
  names(signal: AbortSignal): Promise<readonly string[]>;
  settings(name: string, signal: AbortSignal): Promise<DatabaseSettings>;
  counts(name: string, signal: AbortSignal): Promise<DatabaseCounts>;
  /** Makes the database when it is not there, and gives it these settings. */
  prepare(name: string, settings: DatabaseSettings, signal: AbortSignal): Promise<void>;
  source(name: string, options: ReplicationOptions): Source;
  target(name: string, options: ReplicationOptions): Target;
  /** Of leaves that have attachments, by `id\0rev`. */
  attachments(
    name: string,
    wanted: readonly WantedRevisions[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, AttachmentList>>;
}

export function attachmentList(
  attachments: readonly { readonly name: string; readonly digest: string; readonly length: number }[],
): AttachmentList {
  return JSON.stringify(attachments.map(({ name, digest, length }) => [name, digest, length]).sort());
}
