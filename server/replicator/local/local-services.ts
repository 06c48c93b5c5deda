/** What a local end needs of the layers above: whose it is to say who may do what, and what a write must pass. */
import type { Identity } from "../../../protocol/security.js";
import type { Database } from "../../documents/database.js";
import type { IncomingRevision } from "../../documents/incoming-revision.js";
import type { FilterRunner } from "../../query/changes/judged-changes.js";

export interface LocalServices {
  /** A database opened for this caller. @throws CouchError not_found, unauthorized, forbidden */
  open(identity: Identity, name: string, need: "read" | "write"): Promise<Database>;
  /** @throws CouchError unauthorized, file_exists, illegal_database_name */
  create(identity: Identity, name: string, options: { readonly partitioned: boolean }): Promise<void>;
  /** The revision as it may be written. @throws CouchError for one that may not */
  admit(
    database: Database,
    identity: Identity,
    revision: IncomingRevision,
  ): IncomingRevision | Promise<IncomingRevision>;
  readonly sandbox: FilterRunner;
  limits(): { readonly maxAttachmentSize: number; readonly maxDocumentSize: number };
}
