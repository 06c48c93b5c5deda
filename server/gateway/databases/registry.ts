/**
 * The databases that the gateway made: a document for each in `settee_databases`, under the database's own name. It says what no
 * name can: which template a database was made from, how far that has come there, and whose it is.
 */
import { type DatabaseName, type DocId, parseDocId, type UserName } from "../../../protocol/ids.js";
import type { Backend, JsonDocument } from "../../backend/backend.js";
import { retryConflicts } from "../retry-conflicts.js";
import { registryDatabase } from "../system-databases.js";

/** `own`: the one that `/_me` stands for. */
export type DatabaseKind = "own" | "private" | "shared";

export interface ManagedDatabase {
  readonly name: DatabaseName;
  readonly kind: DatabaseKind;
  readonly owner: UserName;
  /** Folder of `design-docs/`. */
  readonly template: string;
  /** Of the template whose design documents are here; the empty text: none yet. */
  readonly version: string;
  /** ISO 8601. */
  readonly created_at: string;
}

interface RegistryDocument extends JsonDocument, Omit<ManagedDatabase, "name"> {}

/** What is changed of an entry; what is not named stays. */
export type RegistryChange = Partial<Omit<ManagedDatabase, "name" | "created_at">>;

export class DatabaseRegistry {
  readonly #backend: Backend;
  readonly #now: () => number;

  constructor(backend: Backend, now: () => number) {
    this.#backend = backend;
    this.#now = now;
  }

  async find(name: DatabaseName): Promise<ManagedDatabase | undefined> {
    const document = await this.#read(name);
    return document && entryOf(document);
  }

  /** Makes the entry, or brings it up to what is given; nothing is written when it says so already. */
  async enter(name: DatabaseName, given: Omit<ManagedDatabase, "name" | "created_at">): Promise<void> {
    await retryConflicts(async () => {
      const before = await this.#read(name);
      const created_at = before?.created_at ?? new Date(this.#now()).toISOString();
      await this.#write(name, before, { ...before, ...given, _id: name, created_at });
    });
  }

  /** Undefined when there is no entry: what is not entered is not changed. */
  async change(name: DatabaseName, change: RegistryChange): Promise<ManagedDatabase | undefined> {
    return await retryConflicts(async () => {
      const before = await this.#read(name);
      if (!before) return undefined;
      const after = { ...before, ...change };
      await this.#write(name, before, after);
      return entryOf(after);
    });
  }

  async remove(name: DatabaseName): Promise<void> {
    await retryConflicts(async () => {
      const before = await this.#read(name);
      if (!before) return;
      const { _rev } = before;
      await this.#backend.putDocument(registryDatabase, { _id: name, ...(_rev && { _rev }), _deleted: true });
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

  async #write(name: DatabaseName, before: RegistryDocument | undefined, after: RegistryDocument): Promise<void> {
    if (before && sameMembers(before, after)) return;
    await this.#backend.putDocument(registryDatabase, { ...after, _id: name });
  }
}

function idOf(name: DatabaseName): DocId {
  return parseDocId(name);
}

function entryOf({ _id, kind, owner, template, version, created_at }: RegistryDocument): ManagedDatabase {
  return { name: _id as DatabaseName, kind, owner, template, version, created_at };
}

/** Members are texts. */
function sameMembers(a: RegistryDocument, b: RegistryDocument): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => a[name] === b[name]);
}
