/** The backend over the databases of this process's own data directory. */
import { CouchError } from "../../protocol/errors.js";
import { type DatabaseName, type DocId, parseDocId, type RevId } from "../../protocol/ids.js";
import type { SecurityObject } from "../../protocol/security.js";
import type { Database, StoredDocument } from "../documents/database.js";
import type { Databases } from "../documents/databases.js";
import { documentText } from "../documents/document-text.js";
import { scanDocument } from "../documents/json/json-text.js";
import { editOrigin, parseDocument, toRevision } from "../documents/parse-document.js";
import { type RevisionNode, revOf } from "../documents/revisions/tree.js";
import { decodeSequenceEntry } from "../documents/sequence-entry.js";
import type { Indexes } from "../query/indexes/indexes.js";
import type { DesignViews } from "../query/views/design-views.js";
import type { DesignBody } from "../query/views/view-group.js";
import type { Backend, ChangeNotice, DatabaseInfo, JsonDocument } from "./backend.js";

const defaultLimit = 1000;

/** Documents of a database whose indexes are built when somebody asks: that takes no time that anybody would notice. */
const fewDocuments = 1000;

export interface Indexing {
  readonly indexes: Pick<Indexes, "open" | "pin">;
  readonly designViews: Pick<DesignViews, "parse">;
}

export class EmbeddedBackend implements Backend {
  readonly #databases: Databases;
  readonly #indexing: Indexing | undefined;

  /** Without `indexing` design documents are deployed without their indexes. */
  constructor(databases: Databases, indexing?: Indexing) {
    this.#databases = databases;
    this.#indexing = indexing;
  }

  async createDatabase(name: DatabaseName): Promise<"created" | "exists"> {
    try {
      await this.#databases.create(name);
      return "created";
    } catch (error) {
      if (error instanceof CouchError && error.error === "file_exists") return "exists";
      throw error;
    }
  }

  async databaseExists(name: DatabaseName): Promise<boolean> {
    return this.#databases.exists(name);
  }

  async databaseInfo(name: DatabaseName): Promise<DatabaseInfo | undefined> {
    if (!this.#databases.exists(name)) return undefined;
    const database = await this.#databases.open(name);
    let [localDocuments, localBytes] = [0, 0];
    for await (const locals of database.locals()) {
      localDocuments += locals.length;
      for (const { body } of locals) localBytes += body.length;
    }
    const { documents, externalBytes: bytes } = database.log.committed.counters;
    const updateSeq = database.seqText(database.updateSeq);
    return {
      documents,
      bytes,
      localDocuments,
      localBytes,
      updateSeq,
      lastChange: this.#databases.updates.lastChange(name),
    };
  }

  async deleteDatabase(name: DatabaseName): Promise<"deleted" | "missing"> {
    try {
      await this.#databases.delete(name);
      return "deleted";
    } catch (error) {
      if (error instanceof CouchError && error.error === "not_found") return "missing";
      throw error;
    }
  }

  async getSecurity(name: DatabaseName): Promise<SecurityObject> {
    return (await this.#databases.open(name)).security();
  }

  async putSecurity(name: DatabaseName, security: SecurityObject): Promise<void> {
    await (await this.#databases.open(name)).setSecurity(security);
  }

  async getDocument<T extends JsonDocument>(name: DatabaseName, id: DocId): Promise<T | undefined> {
    const database = await this.#databases.open(name);
    const document = database.find(id);
    return document && winnerOf<T>(database, document);
  }

  async putDocument(name: DatabaseName, document: JsonDocument): Promise<RevId> {
    const database = await this.#databases.open(name);
    const parsed = parseDocument(scanDocument(Buffer.from(JSON.stringify(document))));
    const revision = toRevision(parsed, parseDocId(document._id), editOrigin(parsed), new Map());
    const [outcome] = await database.write([revision], "trusted");
    if (outcome?.error) throw outcome.error;
    return outcome?.rev as RevId;
  }

  async listDocuments<T extends JsonDocument>(
    name: DatabaseName,
    { from, to, limit = defaultLimit }: { readonly from?: string; readonly to?: string; readonly limit?: number },
  ): Promise<readonly T[]> {
    const database = await this.#databases.open(name);
    const found: T[] = [];
    const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    for await (const documents of database.documents({ ...range, step: Math.min(limit, 500) })) {
      for (const document of documents) {
        const winner = winnerOf<T>(database, document);
        if (winner) found.push(winner);
        if (found.length >= limit) return found;
      }
    }
    return found;
  }

  async prepareDesignDocument(name: DatabaseName, { _id, _rev, ...body }: JsonDocument): Promise<() => void> {
    const database = await this.#databases.open(name);
    if (!this.#indexing || database.log.committed.counters.documents <= fewDocuments) return () => undefined;
    const { indexes, designViews } = this.#indexing;
    const { views, definition } = designViews.parse(database, _id, body as DesignBody);
    if (views.size === 0) return () => undefined;
    const unpin = indexes.pin(database, definition);
    try {
      await (await indexes.open(database, definition)).bringUpToDate();
      return unpin;
    } catch (error) {
      unpin();
      throw error;
    }
  }

  subscribe(name: DatabaseName, listener: (change: ChangeNotice) => void): () => void {
    let stop: (() => void) | undefined;
    let stopped = false;
    const follow = (database: Database): void => {
      if (stopped) return;
      stop = database.subscribe({
        changed: (changes) => {
          for (const { id, seq, entry } of changes) listener({ id, deleted: decodeSequenceEntry(seq, entry).deleted });
        },
        purged: (ids) => {
          for (const id of ids) listener({ id, deleted: true });
        },
      });
    };
    const opened = this.#databases.opened(name);
    if (opened) follow(opened);
    else void this.#databases.open(name).then(follow);
    return () => {
      stopped = true;
      stop?.();
    };
  }
}

function winnerOf<T extends JsonDocument>(database: Database, document: StoredDocument): T | undefined {
  const { tree, winner } = document.record;
  const node = tree[winner] as RevisionNode;
  const value = node.deleted ? undefined : database.value(document, winner);
  if (!value) return undefined;
  return JSON.parse(documentText({ id: document.id, rev: revOf(node), deleted: false, value }).toString()) as T;
}
