/**
 * The databases that the gateway made: a document for each in `settee_databases`, under the database's own name. It says what no
 * name can: which template a database was made from, how far that has come there, whose it is, and who its members are. What it says
 * is true; `_security` and the accounts' lists follow from it.
 */
import { isDeepStrictEqual } from "node:util";
import { LRUCache } from "lru-cache";
import { type DatabaseName, type DocId, parseDocId } from "../../../protocol/ids.js";
import type { Backend, JsonDocument } from "../../backend/backend.js";
import { retryConflicts } from "../retry-conflicts.js";
import { registryDatabase } from "../system-databases.js";
import { entryOf, type ManagedDatabase, type RegistryDocument } from "./managed-database.js";

export type { DatabaseKind, ManagedDatabase } from "./managed-database.js";

type Given = Omit<ManagedDatabase, "name" | "created_at" | "revision">;

/** What is changed of an entry; what is not named stays, and what is undefined goes. */
export type RegistryChange = Readonly<{ [Member in keyof Given]?: Given[Member] | undefined }>;

/** About 1 KB each. */
const maxCached = 20_000;
/** Milliseconds. Changes are announced; this bounds the harm when the announcements of a cluster fall behind. */
const cacheLife = 60_000;
/** Two gateways take turns for one document; many more attempts than that ever takes. */
const patience = 100;

export class DatabaseRegistry {
  readonly #backend: Backend;
  readonly #now: () => number;
  /** What was read after the last announced change of the document; of what is not there, that. */
  readonly #cache = new LRUCache<string, { readonly entry: ManagedDatabase | undefined; readonly until: number }>({
    max: maxCached,
  });
  readonly #reading = new Map<string, Promise<ManagedDatabase | undefined>>();
  #unsubscribe: (() => void) | undefined;

  constructor(backend: Backend, now: () => number) {
    this.#backend = backend;
    this.#now = now;
  }

  /** The registry's database must exist by now. */
  start(): void {
    this.#unsubscribe = this.#backend.subscribe(registryDatabase, ({ id }) => this.#forget(id));
  }

  close(): void {
    this.#unsubscribe?.();
  }

  /** As it is in the store. */
  async find(name: DatabaseName): Promise<ManagedDatabase | undefined> {
    const document = await this.#read(name);
    return document && entryOf(document);
  }

  /** The same from memory where it is known, which is at once. For every request. */
  known(name: DatabaseName): ManagedDatabase | undefined | Promise<ManagedDatabase | undefined> {
    // The system's are not the gateway's own making.
    if (name.startsWith("_")) return undefined;
    const cached = this.#cache.get(name);
    if (cached && cached.until > this.#now()) return cached.entry;
    return this.#reading.get(name) ?? this.#learn(name);
  }

  /** Makes the entry, or brings it up to what is given; nothing is written when it says so already. */
  async enter(name: DatabaseName, given: Given): Promise<void> {
    await retryConflicts(async () => {
      const before = await this.#read(name);
      const created_at = before?.created_at ?? new Date(this.#now()).toISOString();
      await this.#write(name, before, { ...before, ...given, _id: name, created_at });
    });
  }

  /** Undefined when there is no entry: what is not entered is not changed. */
  async change(name: DatabaseName, change: RegistryChange): Promise<ManagedDatabase | undefined> {
    return await this.revise(name, () => change);
  }

  /**
   * The same by what the entry says: `change` may be asked several times, and what it throws is thrown. Nothing is written when it
   * gives undefined. Undefined when there is no entry.
   */
  async revise(
    name: DatabaseName,
    change: (entry: ManagedDatabase) => RegistryChange | undefined,
  ): Promise<ManagedDatabase | undefined> {
    return await retryConflicts(async () => {
      const before = await this.#read(name);
      if (!before) return undefined;
      const changed = change(entryOf(before));
      if (!changed) return entryOf(before);
      return await this.#write(name, before, { ...before, ...changed } as RegistryDocument);
    }, patience);
  }

  /** Only when the entry is still what was read. @throws CouchError conflict */
  async replace(entry: ManagedDatabase, change: RegistryChange): Promise<ManagedDatabase> {
    const { name, revision, ...members } = entry;
    const before = { ...members, _id: name, ...(revision && { _rev: revision }) } as RegistryDocument;
    return await this.#write(name, before, { ...before, ...change } as RegistryDocument);
  }

  async remove(name: DatabaseName): Promise<void> {
    await retryConflicts(async () => {
      const before = await this.#read(name);
      if (!before) return;
      const { _rev } = before;
      await this.#put(name, { _id: name, ...(_rev && { _rev }), _deleted: true });
    });
  }

  /** Entries by name behind one of them, in pages. */
  async *entries(after = "", pageSize = 500): AsyncIterable<readonly ManagedDatabase[]> {
    for (let from = after === "" ? "" : `${after}\0`; ; ) {
      const range = { ...(from === "" ? {} : { from }), limit: pageSize };
      const page = await this.#backend.listDocuments<RegistryDocument>(registryDatabase, range);
      if (page.length > 0) yield page.map(entryOf);
      const last = page.at(-1);
      if (!last || page.length < pageSize) return;
      from = `${last._id}\0`;
    }
  }

  #read(name: DatabaseName): Promise<RegistryDocument | undefined> {
    return this.#backend.getDocument<RegistryDocument>(registryDatabase, idOf(name));
  }

  #learn(name: DatabaseName): Promise<ManagedDatabase | undefined> {
    // No longer in `#reading`: the document changed meanwhile, and what was read may be what it was before.
    const isCurrent = (): boolean => this.#reading.get(name) === reading;
    const reading: Promise<ManagedDatabase | undefined> = this.find(name)
      .then((entry) => {
        if (isCurrent()) this.#cache.set(name, { entry, until: this.#now() + cacheLife });
        return entry;
      })
      .finally(() => {
        if (isCurrent()) this.#reading.delete(name);
      });
    this.#reading.set(name, reading);
    return reading;
  }

  async #write(
    name: DatabaseName,
    before: RegistryDocument | undefined,
    given: RegistryDocument,
  ): Promise<ManagedDatabase> {
    const after = JSON.parse(JSON.stringify(given)) as RegistryDocument;
    if (before && isDeepStrictEqual(before, after)) return entryOf(before);
    const _rev = await this.#put(name, { ...after, _id: name });
    return entryOf({ ...after, _rev });
  }

  async #put(name: DatabaseName, document: JsonDocument): Promise<string> {
    try {
      return await this.#backend.putDocument(registryDatabase, document);
    } finally {
      // The announcement may come later than the answer, and our own caller reads at once.
      this.#forget(name);
    }
  }

  #forget(name: string): void {
    this.#cache.delete(name);
    this.#reading.delete(name);
  }
}

function idOf(name: DatabaseName): DocId {
  return parseDocId(name);
}
