/**
 * What the gateway needs of a store, and no more: accounts, databases, security, design documents, single documents and
 * a changes feed. `embedded.ts` answers from the data directory, `couchdb.ts` from an Apache CouchDB cluster.
 * Every method is safe to repeat after a crash half way through its caller.
 */
import type { DatabaseName, DocId, RevId } from "../../protocol/ids.js";
import type { SecurityObject } from "../../protocol/security.js";

/** A document as plain JSON, with its id and revision. */
export interface JsonDocument {
  readonly _id: string;
  readonly _rev?: string;
  readonly _deleted?: boolean;
  readonly [member: string]: unknown;
}

export interface ChangeNotice {
  readonly id: DocId;
  readonly deleted: boolean;
}

/** What a database holds; bytes as readers get them, attachments included. */
export interface DatabaseInfo {
  readonly documents: number;
  readonly bytes: number;
  readonly localDocuments: number;
  readonly localBytes: number;
  readonly updateSeq: string;
  /** When something was written last, in milliseconds since 1970, to a minute; undefined where the store does not know. */
  readonly lastChange: number | undefined;
}

export interface Backend {
  /** Creates the database; "exists" when it was there already, which is as good. */
  createDatabase(name: DatabaseName): Promise<"created" | "exists">;
  databaseExists(name: DatabaseName): Promise<boolean>;
  /** Undefined when there is no such database. */
  databaseInfo(name: DatabaseName): Promise<DatabaseInfo | undefined>;
  /** "missing" when it was not there, which is as good. */
  deleteDatabase(name: DatabaseName): Promise<"deleted" | "missing">;
  /** @throws CouchError not_found when the database does not exist */
  getSecurity(name: DatabaseName): Promise<SecurityObject>;
  /** Durable when it resolves. */
  putSecurity(name: DatabaseName, security: SecurityObject): Promise<void>;
  /** The winning revision, or undefined when there is none or it is deleted. */
  getDocument<T extends JsonDocument>(database: DatabaseName, id: DocId): Promise<T | undefined>;
  /**
   * Writes one revision on top of `document._rev` (none: a new document), past `validate_doc_update`: the gateway's own
   * writes are trusted. Durable when it resolves. @throws CouchError conflict
   */
  putDocument(database: DatabaseName, document: JsonDocument): Promise<RevId>;
  /** Winning, undeleted documents whose ids lie in [from, to), in id order, at most `limit` (default 1,000). */
  listDocuments<T extends JsonDocument>(
    database: DatabaseName,
    range: { readonly from?: string; readonly to?: string; readonly limit?: number },
  ): Promise<readonly T[]>;
  /**
   * Builds the indexes that a design document defines before it is deployed, where that takes time. The result lets go of them, and
   * is to be called when the document is there, or when it will not be. @throws CouchError when it does not compile
   */
  prepareDesignDocument(database: DatabaseName, document: JsonDocument): Promise<() => void>;
  /** Calls `listener` after every commit to the database, from now on. The result stops it. */
  subscribe(database: DatabaseName, listener: (change: ChangeNotice) => void): () => void;
}
