/** `GET /_settee/me`: who one is, and the databases that one is a member of. */
import { CouchError } from "../../../protocol/errors.js";
import type { DatabaseName, UserName } from "../../../protocol/ids.js";
import type { Identity } from "../../../protocol/security.js";
import type { Me, MyDatabase } from "../../../protocol/sharing.js";
import type { Backend } from "../../backend/backend.js";
import type { Account, Accounts } from "../accounts.js";
import { isOpen, roleOf } from "../databases/managed-database.js";
import type { DatabaseRegistry } from "../databases/registry.js";
import type { Quotas } from "../limits/quotas.js";
import { type Memberships, mostLeft, noLog } from "./memberships.js";

export interface MyDatabasesParts {
  readonly backend: Backend;
  readonly accounts: Accounts;
  readonly registry: DatabaseRegistry;
  readonly memberships: Memberships;
  readonly quotas: Quotas;
}

/** A user's databases at one moment. */
export interface DatabaseSet {
  /** Number of the last change of the set. */
  readonly n: number;
  readonly names: ReadonlySet<DatabaseName>;
  /** What changed behind a number, oldest first; undefined when that is not known any more. */
  since(n: number): readonly SetChange[] | undefined;
}

export interface SetChange {
  readonly name: DatabaseName;
  readonly n: number;
  readonly type: "granted" | "revoked" | "deleted";
}

/** Databases asked about at once. */
const atOnce = 16;

export class MyDatabases {
  readonly #parts: MyDatabasesParts;

  constructor(parts: MyDatabasesParts) {
    this.#parts = parts;
  }

  /** @throws CouchError unauthorized when the account is gone */
  async describe({ name, roles }: Identity): Promise<Me> {
    const user = name as UserName;
    const account = await this.#account(user);
    const names = account.databases.flatMap((each) => (each.state === "ready" ? [each.name] : []));
    const databases: MyDatabase[] = [];
    for (let i = 0; i < names.length; i += atOnce) {
      const some = names.slice(i, i + atOnce).map((database) => this.#describe(database, user));
      databases.push(...(await Promise.all(some)).filter((each) => each !== undefined));
    }
    const { displayName, verifiedEmail } = account;
    return {
      name: user,
      roles: [...roles],
      ...(displayName !== undefined && { display_name: displayName }),
      ...(verifiedEmail !== undefined && { email: verifiedEmail }),
      databases,
      quota: await this.#parts.quotas.describe(user),
    };
  }

  /** @throws CouchError unauthorized when the account is gone */
  async set(user: UserName): Promise<DatabaseSet> {
    const account = await this.#account(user);
    const databases = [];
    for (const database of account.databases) {
      const entry = database.state === "ready" && (await this.#parts.registry.known(database.name));
      // The list is where to look; the registry knows.
      if (entry && isOpen(entry) && roleOf(entry, user) !== undefined) databases.push(database);
    }
    return setOf({ ...account, databases });
  }

  /** Calls back when the set may have changed; the result takes that back. */
  watch(user: UserName, changed: () => void): () => void {
    return this.#parts.memberships.watch(user, changed);
  }

  async #account(user: UserName): Promise<Account> {
    const account = await this.#parts.accounts.find(user);
    if (!account) throw new CouchError("unauthorized");
    return account;
  }

  async #describe(name: DatabaseName, user: UserName): Promise<MyDatabase | undefined> {
    const { registry, backend } = this.#parts;
    const entry = await registry.known(name);
    const role = entry && isOpen(entry) ? roleOf(entry, user) : undefined;
    const info = role && (await backend.databaseInfo(name));
    if (!entry || !role || !info) return undefined;
    const { kind, template, title, owner, public_read = false } = entry;
    return {
      ...{ name, kind, template, owner, role, public_read },
      ...(title !== undefined && { title }),
      documents: info.documents,
      size: info.bytes,
      update_seq: info.updateSeq,
      last_change: info.lastChange === undefined ? null : new Date(info.lastChange).toISOString(),
    };
  }
}

function setOf({ databases: ready, databaseLog = noLog }: Account): DatabaseSet {
  const { n, left } = databaseLog;
  return {
    n,
    names: new Set(ready.map((each) => each.name)),
    since(since) {
      // Of those that went only the last are remembered; a number from before an account was made anew is none of ours.
      const forgotten = (left[0]?.n ?? 1) - 1;
      if (since > n || (since < forgotten && left.length >= mostLeft)) return undefined;
      const came = ready.flatMap((each) => (each.n !== undefined && each.n > since ? [{ ...each, n: each.n }] : []));
      const changes: SetChange[] = came.map((each) => ({ name: each.name, n: each.n, type: "granted" }));
      for (const each of left) if (each.n > since) changes.push({ name: each.name, n: each.n, type: each.why });
      return changes.sort((a, b) => a.n - b.n);
    },
  };
}
