/** A small store in memory for tests of what stands above `Backend`: databases, revisions, conflicts, changes. */
import { createHash } from "node:crypto";
import { CouchError } from "../../protocol/errors.js";
import { type DatabaseName, type DocId, parseDocId, type RevId, revIdOf } from "../../protocol/ids.js";
import { defaultSecurity, type SecurityObject } from "../../protocol/security.js";
import type { Backend, ChangeNotice, DatabaseInfo, JsonDocument } from "../../server/backend/backend.js";

interface MemoryDatabase {
  security: SecurityObject;
  readonly documents: Map<string, JsonDocument>;
}

export class MemoryBackend implements Backend {
  readonly #databases = new Map<string, MemoryDatabase>();
  readonly #listeners = new Map<string, Set<(change: ChangeNotice) => void>>();
  /** How often each method was called. */
  readonly calls = new Map<keyof Backend, number>();

  async createDatabase(name: DatabaseName): Promise<"created" | "exists"> {
    this.#count("createDatabase");
    if (this.#databases.has(name)) return "exists";
    this.#databases.set(name, { security: defaultSecurity, documents: new Map() });
    return "created";
  }

  async databaseExists(name: DatabaseName): Promise<boolean> {
    this.#count("databaseExists");
    return this.#databases.has(name);
  }

  async databaseInfo(name: DatabaseName): Promise<DatabaseInfo | undefined> {
    this.#count("databaseInfo");
    const database = this.#databases.get(name);
    if (!database) return undefined;
    const documents = [...database.documents.values()].filter(({ _deleted }) => !_deleted);
    const bytes = documents.reduce((sum, document) => sum + JSON.stringify(document).length, 0);
    const updateSeq = String(database.documents.size);
    return { documents: documents.length, bytes, localDocuments: 0, localBytes: 0, updateSeq, lastChange: undefined };
  }

  async deleteDatabase(name: DatabaseName): Promise<"deleted" | "missing"> {
    this.#count("deleteDatabase");
    return this.#databases.delete(name) ? "deleted" : "missing";
  }

  async getSecurity(name: DatabaseName): Promise<SecurityObject> {
    this.#count("getSecurity");
    return structuredClone(this.#database(name).security);
  }

  async putSecurity(name: DatabaseName, security: SecurityObject): Promise<void> {
    this.#count("putSecurity");
    this.#database(name).security = structuredClone(security);
  }

  async getDocument<T extends JsonDocument>(database: DatabaseName, id: DocId): Promise<T | undefined> {
    this.#count("getDocument");
    const document = this.#database(database).documents.get(id);
    return document && !document._deleted ? (structuredClone(document) as T) : undefined;
  }

  async putDocument(database: DatabaseName, document: JsonDocument): Promise<RevId> {
    this.#count("putDocument");
    const { documents } = this.#database(database);
    const id = parseDocId(document._id);
    const stored = documents.get(id);
    const isOnTop = document._rev === undefined ? !stored || stored._deleted === true : document._rev === stored?._rev;
    if (!isOnTop) throw new CouchError("conflict");
    const generation = Number.parseInt(stored?._rev ?? "0", 10) + 1;
    const content = structuredClone(document);
    const hash = createHash("md5")
      .update(`${stored?._rev} ${JSON.stringify(content)}`)
      .digest("hex");
    const revision = revIdOf(generation, hash);
    documents.set(id, { ...content, _rev: revision });
    for (const listener of this.#listeners.get(database) ?? []) {
      listener({ id, deleted: document._deleted === true });
    }
    return revision;
  }

  async listDocuments<T extends JsonDocument>(
    database: DatabaseName,
    { from = "", to, limit = 1000 }: { readonly from?: string; readonly to?: string; readonly limit?: number },
  ): Promise<readonly T[]> {
    this.#count("listDocuments");
    return [...this.#database(database).documents.values()]
      .filter(({ _id, _deleted }) => !_deleted && _id >= from && (to === undefined || _id < to))
      .sort((a, b) => (a._id < b._id ? -1 : 1))
      .slice(0, limit)
      .map((document) => structuredClone(document) as T);
  }

  async prepareDesignDocument(database: DatabaseName): Promise<() => void> {
    this.#count("prepareDesignDocument");
    this.#database(database);
    return () => undefined;
  }

  subscribe(database: DatabaseName, listener: (change: ChangeNotice) => void): () => void {
    const listeners = this.#listeners.get(database) ?? new Set();
    this.#listeners.set(database, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** How many listeners are left, for tests of `close`. */
  get listenerCount(): number {
    return [...this.#listeners.values()].reduce((sum, { size }) => sum + size, 0);
  }

  #database(name: DatabaseName): MemoryDatabase {
    const database = this.#databases.get(name);
    if (!database) throw new CouchError("not_found", "Database does not exist.");
    return database;
  }

  #count(method: keyof Backend): void {
    this.calls.set(method, (this.calls.get(method) ?? 0) + 1);
  }
}

/** What a store that failed says. */
export class InjectedFault extends Error {}

/**
 * `backend`, of which the n-th call (from 1) and every later one fails: the process is as good as dead. `after`: the
 * n-th call's work is done before it fails, as when the answer got lost. Calls count while `isArmed`.
 */
export function failingFrom(
  backend: Backend,
  n: number,
  moment: "before" | "after",
  isArmed: () => boolean = () => true,
): Backend {
  let calls = 0;
  return new Proxy(backend, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== "function" || property === "subscribe") {
        return typeof member === "function" ? member.bind(target) : member;
      }
      return async (...parameters: unknown[]) => {
        if (isArmed()) calls++;
        if (calls < n) return member.apply(target, parameters);
        if (calls === n && moment === "after") await member.apply(target, parameters);
        throw new InjectedFault(`call ${calls}: ${String(property)}`);
      };
    },
  });
}
