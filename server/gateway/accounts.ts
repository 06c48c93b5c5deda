/** Accounts are CouchDB user documents in `_users`, with a few members of our own. */
import { LRUCache } from "lru-cache";
import { CouchError } from "../../protocol/errors.js";
import { type DatabaseName, type DocId, parseDocId, parseUserName, type UserName } from "../../protocol/ids.js";
import { metricsRole } from "../../protocol/security.js";
import type { Backend, JsonDocument } from "../backend/backend.js";
import { type Pbkdf2Password, passwordMembers, readStoredPassword, type StoredPassword } from "./passwords.js";
import { retryConflicts } from "./retry-conflicts.js";
import { usersDatabase } from "./system-databases.js";

/** A database that belongs to an account: `wanted` until everything it needs has been written. */
export interface AccountDatabase {
  readonly name: DatabaseName;
  /** Folder of `design-docs/` whose design documents it gets. */
  readonly template: string;
  readonly state: "wanted" | "ready";
  /** Absent: the user's own. */
  readonly kind?: "private" | "shared";
  /** Whether it counts for this account's quota. */
  readonly owned?: true;
  /** Of one that is still wanted. */
  readonly title?: string;
  /** Number of the change that brought it here; see `DatabaseLog`. */
  readonly n?: number;
}

/** What came to an account's list of databases and what went, for whoever was away meanwhile. */
export interface DatabaseLog {
  /** Number of the last change. */
  readonly n: number;
  /** Those that went, the last ones only. */
  readonly left: readonly { readonly name: DatabaseName; readonly n: number; readonly why: "revoked" | "deleted" }[];
}

/** What an account is given instead of the general limits; null: no limit. */
export interface QuotaLimits {
  readonly documents?: number | null | undefined;
  readonly bytes?: number | null | undefined;
  readonly databases?: number | null | undefined;
}

/** Somebody whom an outside issuer vouches for. */
export interface LinkedIdentity {
  readonly issuer: string;
  /** The issuer's own name for them, which it gives to nobody else. */
  readonly subject: string;
  /** As the settings call it. */
  readonly provider: string;
  readonly email?: string;
  /** ISO 8601. */
  readonly linked_at: string;
}

export interface UserDocument extends JsonDocument {
  readonly name: string;
  readonly type: "user";
  readonly roles: readonly string[];
  readonly email?: string;
  readonly databases?: readonly AccountDatabase[];
}

/** What the gateway knows of a user, read from their document. */
export interface Account {
  readonly name: UserName;
  /** Without any that starts with an underscore: no document makes anybody an administrator. */
  readonly roles: readonly string[];
  readonly password: StoredPassword | undefined;
  /** Of an account without a password; see `Principal`. */
  readonly salt?: string | undefined;
  /** Outside identities that log in as this user. */
  readonly identities?: readonly LinkedIdentity[];
  readonly databases: readonly AccountDatabase[];
  readonly databaseLog?: DatabaseLog;
  readonly quota?: QuotaLimits;
  /** As the user gave it; nobody knows yet whether it is theirs. */
  readonly email?: string;
  /** An address that is theirs: what a log-in by e-mail goes by, and where mails about the account go. */
  readonly verifiedEmail?: string;
  /** The next one, once it is verified. */
  readonly pendingEmail?: string;
  readonly displayName?: string;
  /** Language of mails, e.g. `de-AT`. */
  readonly locale?: string;
  /** Why nobody can log in: an administrator's decision, an address that is to be verified first, or the user's farewell. */
  readonly closed?: "disabled" | "unverified" | "removed";
  readonly isAnonymous?: true;
  readonly secondFactor?: StoredSecondFactor;
}

/** What a log-in needs beside the password, as it is kept in a user document. */
export interface StoredSecondFactor {
  /** Base32, as CouchDB keeps it, in documents that come from there. */
  readonly key?: string;
  /** The same, sealed: what is written here. */
  readonly sealed?: string;
  readonly algorithm?: string;
  /** Time steps up to this one were used. */
  readonly last_step?: number;
  /** Hashes of recovery codes that were not used. */
  readonly recovery?: readonly string[];
}

export interface NewAccount {
  readonly name: UserName;
  /** None for a user whom something outside vouches for. */
  readonly password?: Pbkdf2Password;
  readonly databases: readonly AccountDatabase[];
  /** Further members of the document. */
  readonly members?: Readonly<Record<string, unknown>>;
}

export const userDocumentPrefix = "org.couchdb.user:";
/** About 1 KB each. */
const maxCached = 10_000;
/** Milliseconds. Changes are announced; this bounds the harm when the announcements of a cluster fall behind. */
const cacheLife = 60_000;

/**
 * Invariants of the cache:
 * 1. what `find` answers was read after the last announced change of that document: a change forgets both the record
 *    and any reading under way (`#forget`);
 * 2. only accounts that exist are kept, so that guessed names cannot push out real ones.
 */
export class Accounts {
  readonly #backend: Backend;
  readonly #now: () => number;
  readonly #cache = new LRUCache<string, { readonly account: Account; readonly until: number }>({ max: maxCached });
  readonly #reading = new Map<string, Promise<Account | undefined>>();
  #unsubscribe: (() => void) | undefined;

  constructor(backend: Backend, now: () => number) {
    this.#backend = backend;
    this.#now = now;
  }

  /** The database `_users` must exist by now. */
  start(): void {
    this.#unsubscribe = this.#backend.subscribe(usersDatabase, ({ id }) => {
      if (id.startsWith(userDocumentPrefix)) this.#forget(id.slice(userDocumentPrefix.length));
    });
  }

  close(): void {
    this.#unsubscribe?.();
  }

  /** At once when it is in memory. Any text may be asked for; most is nobody's name. */
  find(name: string): Account | undefined | Promise<Account | undefined> {
    const cached = this.#cache.get(name);
    if (cached && cached.until > this.#now()) return cached.account;
    return this.#reading.get(name) ?? this.#read(name);
  }

  /** @throws CouchError conflict when the name is taken */
  async create({ name, password, databases, members }: NewAccount): Promise<void> {
    const document: UserDocument = {
      _id: userDocumentId(name),
      name,
      type: "user",
      roles: [],
      ...(password && passwordMembers(password)),
      ...members,
      databases,
    };
    await this.#write(name, document);
  }

  /**
   * Rewrites the account's list of databases with `change`, which may be called several times; nothing is written when
   * it gives back what it got. Undefined when there is no such account.
   */
  async changeDatabases(
    name: UserName,
    change: (databases: readonly AccountDatabase[]) => readonly AccountDatabase[],
  ): Promise<Account | undefined> {
    return this.change(name, (account) => {
      const databases = change(account.databases);
      return databases === account.databases ? undefined : { databases };
    });
  }

  /**
   * Sets members of the user document to what `change` gives (undefined takes one away); nothing is written when it gives
   * undefined. It may be called several times, and what it throws is thrown. Undefined when there is no such account.
   */
  async change(
    name: UserName,
    change: (account: Account, document: JsonDocument) => Readonly<Record<string, unknown>> | undefined,
  ): Promise<Account | undefined> {
    return retryConflicts(async () => {
      const document = await this.#backend.getDocument(usersDatabase, userDocumentId(name));
      const account = document && accountOf(document);
      if (!account) return undefined;
      const members = change(account, document);
      if (!members) return account;
      const changed = JSON.parse(JSON.stringify({ ...document, ...members })) as JsonDocument;
      await this.#write(name, changed);
      return accountOf(changed);
    });
  }

  /** The document itself; of those who are not there, and of what is no account, undefined. */
  async document(name: string): Promise<JsonDocument | undefined> {
    const id = nameToDocumentId(name);
    const document = id && (await this.#backend.getDocument(usersDatabase, id));
    return document && accountOf(document) ? document : undefined;
  }

  /** Undeleted accounts' documents in the order of names. @param after a name: those behind it */
  async list({ prefix, after, limit }: { readonly prefix: string; readonly after?: string; readonly limit: number }) {
    const first = userDocumentPrefix + prefix;
    const from = after === undefined ? first : `${userDocumentPrefix}${after}\0`;
    const range = { from: from > first ? from : first, to: `${first}\u{10ffff}`, limit };
    return this.#backend.listDocuments<UserDocument>(usersDatabase, range);
  }

  /** Takes the document away; nothing of the account is left in it. */
  async remove(name: UserName): Promise<void> {
    await retryConflicts(async () => {
      const document = await this.#backend.getDocument(usersDatabase, userDocumentId(name));
      if (document) await this.#write(name, { _id: document._id, _rev: document._rev as string, _deleted: true });
    });
  }

  async #write(name: UserName, document: JsonDocument): Promise<void> {
    try {
      await this.#backend.putDocument(usersDatabase, document);
    } finally {
      // The announcement may come later than the answer, and our own caller reads at once.
      this.#forget(name);
    }
  }

  #read(name: string): Promise<Account | undefined> | undefined {
    const id = nameToDocumentId(name);
    if (id === undefined) return undefined;
    // No longer in `#reading`: the document changed meanwhile, and what was read may be what it was before.
    const isCurrent = (): boolean => this.#reading.get(name) === reading;
    const reading: Promise<Account | undefined> = this.#backend
      .getDocument(usersDatabase, id)
      .then((document) => {
        const account = document && accountOf(document);
        if (account && isCurrent()) this.#cache.set(name, { account, until: this.#now() + cacheLife });
        return account;
      })
      .finally(() => {
        if (isCurrent()) this.#reading.delete(name);
      });
    this.#reading.set(name, reading);
    return reading;
  }

  #forget(name: string): void {
    this.#cache.delete(name);
    this.#reading.delete(name);
  }
}

export function userDocumentId(name: UserName): DocId {
  return parseDocId(userDocumentPrefix + name);
}

function nameToDocumentId(name: string): DocId | undefined {
  try {
    return userDocumentId(parseUserName(name));
  } catch (error) {
    if (error instanceof CouchError) return undefined;
    throw error;
  }
}

/** Undefined for a document that is not a user's. Forgives what CouchDB forgives: it may have come from there. */
export function accountOf(document: JsonDocument): Account | undefined {
  const { name, type, roles, databases, salt, identities, database_log: databaseLog, quota, totp } = document;
  if (type !== "user" || typeof name !== "string" || document._id !== userDocumentPrefix + name) return undefined;
  if (nameToDocumentId(name) === undefined) return undefined;
  return {
    name: parseUserName(name),
    roles: Array.isArray(roles) ? roles.filter(isOrdinaryRole) : [],
    password: readStoredPassword(document),
    ...(typeof salt === "string" && { salt }),
    ...(Array.isArray(identities) && { identities: identities.filter(isLinkedIdentity) }),
    databases: Array.isArray(databases) ? databases.filter(isAccountDatabase) : [],
    ...(isDatabaseLog(databaseLog) && { databaseLog }),
    ...(isQuota(quota) && { quota }),
    ...textsOf(document),
    ...(isSecondFactor(totp) && { secondFactor: totp }),
    ...(document.anonymous === true && { isAnonymous: true as const }),
    ...closedOf(document),
  };
}

function textsOf(document: JsonDocument) {
  const {
    email,
    verified_email: verifiedEmail,
    pending_email: pendingEmail,
    display_name: displayName,
    locale,
  } = document;
  const texts = Object.entries({ email, verifiedEmail, pendingEmail, displayName, locale });
  return Object.fromEntries(texts.filter(([, value]) => typeof value === "string" && value !== ""));
}

function closedOf({ removed, disabled, awaits_email: awaitsEmail }: JsonDocument): Pick<Account, "closed"> {
  if (removed !== undefined) return { closed: "removed" };
  if (disabled === true) return { closed: "disabled" };
  return awaitsEmail === true ? { closed: "unverified" } : {};
}

/** Of whom it is not certain that there is none, a code is demanded: a damaged one must not open the account. */
function isSecondFactor(value: unknown): value is StoredSecondFactor {
  return typeof value === "object" && value !== null;
}

function isDatabaseLog(value: unknown): value is DatabaseLog {
  if (typeof value !== "object" || value === null) return false;
  const { n, left } = value as Record<string, unknown>;
  return Number.isSafeInteger(n) && Array.isArray(left);
}

/** A member that is no limit is none: an operator who mistypes one must not shut a user out. */
function isQuota(value: unknown): value is QuotaLimits {
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).every((limit) => limit === null || (Number.isSafeInteger(limit) && limit >= 0));
}

/** One that a user document or a proxy may give. */
export function isOrdinaryRole(role: unknown): role is string {
  return typeof role === "string" && (!role.startsWith("_") || role === metricsRole);
}

function isLinkedIdentity(value: unknown): value is LinkedIdentity {
  if (typeof value !== "object" || value === null) return false;
  const { issuer, subject, provider, linked_at } = value as Record<string, unknown>;
  return [issuer, subject, provider, linked_at].every((member) => typeof member === "string");
}

function isAccountDatabase(value: unknown): value is AccountDatabase {
  if (typeof value !== "object" || value === null) return false;
  const { name, template, state } = value as Record<string, unknown>;
  return typeof name === "string" && typeof template === "string" && (state === "wanted" || state === "ready");
}
