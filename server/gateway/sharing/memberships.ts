/**
 * The accounts' lists of databases: where a user's databases are looked up, and what went from the list lately. Made of what the
 * registry says; an entry that is `wanted` is a promise of the account's own (`database-maker.ts`).
 */
import type { DatabaseName, UserName } from "../../../protocol/ids.js";
import type { Backend } from "../../backend/backend.js";
import {
  type Account,
  type AccountDatabase,
  type Accounts,
  type DatabaseLog,
  userDocumentPrefix,
} from "../accounts.js";
import { isOpen, type ManagedDatabase, roleOf, stateOf } from "../databases/managed-database.js";
import { isConflict } from "../retry-conflicts.js";
import { usersDatabase } from "../system-databases.js";
import { Turns } from "../turns.js";

/** Databases that went which are remembered; who was away while more did is told of all that are there. */
export const mostLeft = 100;
/** Several gateways may write an account at once. */
const rounds = 10;

export const noLog: DatabaseLog = { n: 0, left: [] };

/** What an account's lists are changed to. */
export interface Lists {
  readonly databases: readonly AccountDatabase[];
  readonly databaseLog: DatabaseLog;
}

export class Memberships {
  readonly #backend: Backend;
  readonly #accounts: Accounts;
  readonly #turns = new Turns<UserName>();
  readonly #watchers = new Map<string, Set<() => void>>();
  #unsubscribe: (() => void) | undefined;

  constructor(backend: Backend, accounts: Accounts) {
    this.#backend = backend;
    this.#accounts = accounts;
  }

  start(): void {
    this.#unsubscribe = this.#backend.subscribe(usersDatabase, ({ id }) => {
      if (!id.startsWith(userDocumentPrefix)) return;
      for (const changed of this.#watchers.get(id.slice(userDocumentPrefix.length)) ?? []) changed();
    });
  }

  close(): void {
    this.#unsubscribe?.();
  }

  /** Calls back when the account changed; the result takes that back. */
  watch(user: UserName, changed: () => void): () => void {
    const watchers = this.#watchers.get(user) ?? new Set();
    this.#watchers.set(user, watchers.add(changed));
    return () => {
      watchers.delete(changed);
      if (watchers.size === 0 && this.#watchers.get(user) === watchers) this.#watchers.delete(user);
    };
  }

  /** Brings the user's list to what the entry says; nothing is written when it says so already. */
  async align(user: UserName, entry: ManagedDatabase): Promise<void> {
    await this.change(user, (lists) => aligned(lists, entry, user));
  }

  /** A database of which nothing is known any more. */
  async drop(user: UserName, database: DatabaseName): Promise<void> {
    await this.change(user, (lists) => without(lists, database, "deleted"));
  }

  /** `change` may be called several times; what it throws is thrown. Undefined when there is no such account. */
  change(user: UserName, change: (lists: Lists, account: Account) => Lists): Promise<Account | undefined> {
    return this.#turns.take(user, async () => {
      for (let round = 1; ; round++) {
        try {
          return await this.#accounts.change(user, (account) => {
            const before = { databases: account.databases, databaseLog: account.databaseLog ?? noLog };
            const after = change(before, account);
            if (after === before) return undefined;
            return { databases: after.databases, database_log: after.databaseLog };
          });
        } catch (error) {
          if (!isConflict(error) || round === rounds) throw error;
        }
      }
    });
  }
}

function aligned(lists: Lists, entry: ManagedDatabase, user: UserName): Lists {
  // Provisioning's own.
  if (entry.kind === "own" && isOpen(entry)) return lists;
  if (!isOpen(entry) || roleOf(entry, user) === undefined) {
    return without(lists, entry.name, isOpen(entry) ? "revoked" : "deleted");
  }
  // Until all of it is there the account says `wanted`.
  if (stateOf(entry) === "making") return lists;
  return withDatabase(lists, {
    name: entry.name,
    template: entry.template,
    state: "ready",
    kind: entry.kind as "private" | "shared",
    ...(entry.owner === user && { owned: true as const }),
  });
}

/** In place of one of the same name, if any. */
export function withDatabase(lists: Lists, { n: _, ...wanted }: AccountDatabase): Lists {
  const { databases, databaseLog } = lists;
  const index = databases.findIndex(({ name }) => name === wanted.name);
  const before = databases[index];
  if (before && isSame(before, wanted)) return lists;
  // A change of what is there is nothing new to whoever follows the list.
  const isNew = before?.state !== wanted.state;
  const n = isNew ? databaseLog.n + 1 : before?.n;
  const now = { ...wanted, ...(n !== undefined && { n }) };
  const left = databaseLog.left.filter(({ name }) => name !== wanted.name);
  return {
    databases: before ? databases.with(index, now) : [...databases, now],
    databaseLog: { n: Math.max(databaseLog.n, n ?? 0), left },
  };
}

export function without(lists: Lists, database: DatabaseName, why: "revoked" | "deleted"): Lists {
  const { databases, databaseLog } = lists;
  if (!databases.some(({ name }) => name === database)) return lists;
  const n = databaseLog.n + 1;
  const left = [...databaseLog.left.filter(({ name }) => name !== database), { name: database, n, why }];
  return {
    databases: databases.filter(({ name }) => name !== database),
    databaseLog: { n, left: left.slice(-mostLeft) },
  };
}

function isSame({ n: _, ...before }: AccountDatabase, wanted: AccountDatabase): boolean {
  const names = new Set([...Object.keys(before), ...Object.keys(wanted)]) as Set<keyof AccountDatabase>;
  return [...names].every((name) => (before as AccountDatabase)[name] === wanted[name]);
}
