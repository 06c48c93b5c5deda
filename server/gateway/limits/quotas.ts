/**
 * What users may keep: documents, bytes and databases, summed over all databases that count as theirs. Sizes are the databases' own
 * counters, read once for each owner and then told by every write; a write asks two look-ups and two additions.
 */
import { LRUCache } from "lru-cache";
import { CouchError } from "../../../protocol/errors.js";
import type { DatabaseName, UserName } from "../../../protocol/ids.js";
import type { QuotaUse } from "../../../protocol/sharing.js";
import type { Backend } from "../../backend/backend.js";
import { type Account, type Accounts, userDocumentPrefix } from "../accounts.js";
import { isUserDatabaseName, userDatabaseName } from "../database-names.js";
import { type ManagedDatabase, stateOf } from "../databases/managed-database.js";
import type { DatabaseRegistry } from "../databases/registry.js";
import { registryDatabase, usersDatabase } from "../system-databases.js";
import { OwnerUse, type Sizes } from "./owner-use.js";
import { type Limits, limitsOf, noLimits, type QuotaOptions } from "./quota-options.js";

export interface QuotasParts {
  readonly backend: Backend;
  readonly registry: DatabaseRegistry;
  readonly accounts: Accounts;
  readonly isAdmin: (name: string) => boolean;
  readonly options: QuotaOptions;
  readonly now: () => number;
}

/** Owners whose sizes are in memory, about 1 KB each. */
const maxOwners = 10_000;
/** Milliseconds. Writes here are told at once; this is for those that went past another gateway. */
const life = 5 * 60_000;

export class Quotas {
  readonly #parts: QuotasParts;
  readonly #uses = new LRUCache<UserName, OwnerUse>({
    max: maxOwners,
    dispose: (use) => {
      for (const database of use.databases)
        if (this.#byDatabase.get(database) === use) this.#byDatabase.delete(database);
    },
  });
  readonly #byDatabase = new Map<DatabaseName, OwnerUse>();
  readonly #loading = new Map<UserName, Promise<OwnerUse>>();
  /** Accounts are new objects whenever they change. */
  readonly #limits = new WeakMap<Account, Limits>();
  #unsubscribe: readonly (() => void)[] = [];

  constructor(parts: QuotasParts) {
    this.#parts = parts;
  }

  /** The system's databases must exist by now. */
  start(): void {
    const { backend } = this.#parts;
    const outdated = (use: OwnerUse | undefined): void => {
      if (use) use.until = 0;
    };
    this.#unsubscribe = [
      backend.subscribe(registryDatabase, ({ id }) => outdated(this.#byDatabase.get(id as string as DatabaseName))),
      backend.subscribe(usersDatabase, ({ id }) =>
        outdated(this.#uses.get(id.slice(userDocumentPrefix.length) as UserName)),
      ),
    ];
  }

  close(): void {
    for (const stop of this.#unsubscribe) stop();
  }

  /** Told by the store after every write: what the database holds now. */
  wrote(database: DatabaseName, { documents, bytes }: Sizes): void {
    const use = this.#byDatabase.get(database);
    const before = use?.sizesOf(database);
    if (before) use?.set(database, { ...before, documents, bytes });
  }

  /** A local document came, went or changed its size. */
  wroteLocal(database: DatabaseName, more: Sizes): void {
    const use = this.#byDatabase.get(database);
    const before = use?.sizesOf(database);
    if (!before) return;
    const { localDocuments, localBytes } = before;
    use?.set(database, {
      ...before,
      localDocuments: localDocuments + more.documents,
      localBytes: localBytes + more.bytes,
    });
  }

  /** What a write to the database counts against; undefined when there is no limit. At once when it is in memory. */
  of(database: DatabaseName): OwnerUse | undefined | Promise<OwnerUse | undefined> {
    const entry = this.#parts.registry.known(database);
    return entry instanceof Promise ? entry.then((read) => read && this.#ofOwner(read)) : entry && this.#ofOwner(entry);
  }

  /** Before an account is given one more. @throws CouchError insufficient_storage */
  admitDatabase(account: Account): void {
    const limit = this.#limitsOf(account).databases;
    const used = databasesOf(account);
    if (used < limit) return;
    const reason = `The quota of ${account.name} is ${limit} databases, and ${used} are there.`;
    throw new CouchError("insufficient_storage", reason, { detail: { quota: { databases: { used, limit } } } });
  }

  /** Before an account takes on a database of somebody else's. @throws CouchError not_found, insufficient_storage */
  async admitTransfer(to: UserName, database: DatabaseName): Promise<void> {
    const { accounts, backend } = this.#parts;
    const account = await accounts.find(to);
    if (!account) throw new CouchError("not_found", "There is no such user.");
    this.admitDatabase(account);
    const info = await backend.databaseInfo(database);
    if (!info) return;
    const more = { documents: info.documents + info.localDocuments, bytes: info.bytes + info.localBytes };
    (await this.#use(account)).admit(more, () => more)();
  }

  /** For `GET /_settee/me`. */
  async describe(user: UserName): Promise<QuotaUse> {
    const account = await this.#parts.accounts.find(user);
    if (!account) throw new CouchError("unauthorized");
    const use = await this.#use(account);
    const shown = (used: number, limit: number) => ({ used, limit: Number.isFinite(limit) ? limit : null });
    return {
      databases: shown(databasesOf(account), use.limits.databases),
      documents: shown(use.documents, use.limits.documents),
      bytes: shown(use.bytes, use.limits.bytes),
    };
  }

  #ofOwner({ owner }: ManagedDatabase): OwnerUse | undefined | Promise<OwnerUse | undefined> {
    const account = this.#parts.accounts.find(owner);
    return account instanceof Promise ? account.then((read) => this.#limited(read)) : this.#limited(account);
  }

  #limited(account: Account | undefined): OwnerUse | undefined | Promise<OwnerUse> {
    if (!account) return undefined;
    const { documents, bytes } = this.#limitsOf(account);
    if (documents === Number.POSITIVE_INFINITY && bytes === Number.POSITIVE_INFINITY) return undefined;
    return this.#use(account);
  }

  #use(account: Account): OwnerUse | Promise<OwnerUse> {
    const use = this.#uses.get(account.name);
    if (use && use.until > this.#parts.now()) return use;
    const loading = this.#loading.get(account.name);
    if (loading) return loading;
    const load = this.#load(account).finally(() => this.#loading.delete(account.name));
    this.#loading.set(account.name, load);
    return load;
  }

  async #load(account: Account): Promise<OwnerUse> {
    const { now } = this.#parts;
    const use = this.#uses.get(account.name) ?? new OwnerUse(account.name, this.#limitsOf(account));
    this.#uses.set(account.name, use);
    // Before reading: a change meanwhile must have it read again.
    use.until = now() + life;
    use.limits = this.#limitsOf(account);
    try {
      await this.#readSizes(use, account);
    } catch (error) {
      use.until = 0;
      throw error;
    }
    return use;
  }

  async #readSizes(use: OwnerUse, account: Account): Promise<void> {
    const theirs = await this.#databasesOf(account);
    for (const database of [...use.databases]) if (!theirs.has(database)) this.#forget(use, database);
    for (const database of theirs) {
      const info = await this.#parts.backend.databaseInfo(database);
      if (!info) {
        this.#forget(use, database);
        continue;
      }
      // Should a write fall in between, the next one tells of both.
      const { documents, bytes, localDocuments, localBytes } = info;
      use.set(database, { documents, bytes, localDocuments, localBytes });
      this.#byDatabase.set(database, use);
    }
  }

  /** Also those in the trash: their bytes are on disk until their grace is over. */
  async #databasesOf({ name, databases, databaseLog }: Account): Promise<Set<DatabaseName>> {
    const theirs = new Set(databases.filter(isTheirs).map((database) => database.name));
    theirs.add(userDatabaseName(name));
    for (const { name: left, why } of databaseLog?.left ?? []) {
      if (why !== "deleted") continue;
      const entry = await this.#parts.registry.known(left);
      if (entry && stateOf(entry) === "trashed" && entry.owner === name) theirs.add(left);
    }
    return theirs;
  }

  #forget(use: OwnerUse, database: DatabaseName): void {
    use.forget(database);
    if (this.#byDatabase.get(database) === use) this.#byDatabase.delete(database);
  }

  #limitsOf(account: Account): Limits {
    const known = this.#limits.get(account);
    if (known) return known;
    const limits = this.#parts.isAdmin(account.name) ? noLimits : limitsOf(account, this.#parts.options);
    this.#limits.set(account, limits);
    return limits;
  }
}

function isTheirs({ name, owned }: Account["databases"][number]): boolean {
  return owned === true || isUserDatabaseName(name);
}

function databasesOf({ databases }: Account): number {
  return databases.filter(isTheirs).length;
}
