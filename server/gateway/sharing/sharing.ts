/** What users do with their databases: make them, share them, give them away, leave and delete them. */
import { CouchError } from "../../../protocol/errors.js";
import type { DatabaseName, UserName } from "../../../protocol/ids.js";
import { type Identity, isServerAdmin } from "../../../protocol/security.js";
import type { DatabaseDescription, DatabaseRole, NewDatabaseRequest } from "../../../protocol/sharing.js";
import type { Accounts } from "../accounts.js";
import { isOpen, type ManagedDatabase, membersOf, ownersOf, roleOf } from "../databases/managed-database.js";
import type { DatabaseRegistry, RegistryChange } from "../databases/registry.js";
import { userTemplate } from "../provisioning.js";
import type { Alignments } from "./alignments.js";
import type { DatabaseMaker } from "./database-maker.js";
import { type Memberships, withDatabase } from "./memberships.js";
import type { Trash } from "./trash.js";

export interface SharingParts {
  readonly registry: DatabaseRegistry;
  readonly accounts: Accounts;
  readonly alignments: Alignments;
  readonly memberships: Memberships;
  readonly maker: DatabaseMaker;
  readonly trash: Trash;
  /** Names of templates that there are. */
  readonly templates: () => readonly string[];
  /** Those that users may make databases from; undefined: all but the one of users' own databases. */
  readonly allowedTemplates: readonly string[] | undefined;
  /** @throws CouchError insufficient_storage when the account may not take on the database */
  readonly admitTransfer: (to: UserName, database: DatabaseName) => Promise<void>;
}

/** People in one database. */
const mostMembers = 1000;

export class Sharing {
  readonly #parts: SharingParts;

  constructor(parts: SharingParts) {
    this.#parts = parts;
  }

  /** @throws CouchError unauthorized, bad_request, insufficient_storage */
  async make(identity: Identity, request: NewDatabaseRequest): Promise<DatabaseDescription> {
    const user = nameOf(identity);
    if (!this.#mayUse(request.template)) {
      const reason = "There is no such template.";
      throw new CouchError("bad_request", reason, { detail: { fields: { template: reason } } });
    }
    return described(await this.#parts.maker.make(user, request), identity);
  }

  /** @throws CouchError not_found */
  async describe(identity: Identity, name: DatabaseName): Promise<DatabaseDescription> {
    return described(visible(await this.#parts.registry.find(name), identity), identity);
  }

  /** @throws CouchError not_found, forbidden, conflict */
  async grant(
    identity: Identity,
    name: DatabaseName,
    user: UserName,
    role: DatabaseRole,
  ): Promise<DatabaseDescription> {
    await this.#mustOwn(identity, name);
    if (!(await this.#parts.accounts.find(user))) throw new CouchError("not_found", "There is no such user.");
    return await this.#change(identity, name, (entry) => {
      mustOwn(entry, identity);
      if (user === entry.owner && role !== "owner") throw isTheirs(user);
      return withMember(entry, user, role);
    });
  }

  /** Of oneself: leaving. @throws CouchError not_found, forbidden, conflict */
  async revoke(identity: Identity, name: DatabaseName, user: UserName): Promise<void> {
    await this.#parts.alignments.change(name, (entry) => {
      visible(entry, identity);
      if (user !== identity.name) mustOwn(entry, identity);
      mustBeShared(entry);
      if (roleOf(entry, user) === undefined) throw new CouchError("not_found", "There is no such member.");
      if (user !== entry.owner) return withoutMember(entry, user);
      if (user !== identity.name) throw isTheirs(user);
      const next = heirOf(entry);
      if (next === undefined) {
        throw new CouchError("conflict", "You are the last owner: transfer the database, or delete it.");
      }
      return { ...withoutMember(entry, user), owner: next };
    });
  }

  /** @throws CouchError not_found, forbidden, insufficient_storage */
  async transfer(identity: Identity, name: DatabaseName, to: UserName): Promise<DatabaseDescription> {
    const { memberships, admitTransfer, registry } = this.#parts;
    const check = (entry: ManagedDatabase): void => {
      mustHold(entry, identity);
      mustBeShared(entry);
      if (roleOf(entry, to) === undefined) throw new CouchError("not_found", "There is no such member.");
    };
    const before = visible(await registry.find(name), identity);
    check(before);
    if (before.owner === to) return described(before, identity);
    await admitTransfer(to, name);
    // Counted as theirs before it is, so that of several at once only as many pass as they may have.
    await memberships.change(to, (lists) => {
      const listed = lists.databases.find((each) => each.name === name);
      return listed ? withDatabase(lists, { ...listed, owned: true }) : lists;
    });
    try {
      return await this.#change(identity, name, (entry) => {
        check(entry);
        return { owner: to, members: { ...membersOf(entry), [to]: "owner" } };
      });
    } catch (error) {
      const now = await registry.find(name);
      if (now) await memberships.align(to, now);
      throw error;
    }
  }

  /** @throws CouchError not_found, forbidden */
  setPublic(identity: Identity, name: DatabaseName, read: boolean): Promise<DatabaseDescription> {
    return this.#change(identity, name, (entry) => {
      mustOwn(entry, identity);
      mustBeShared(entry);
      return { public_read: read || undefined };
    });
  }

  /** @throws CouchError not_found, forbidden */
  setTitle(identity: Identity, name: DatabaseName, title: string): Promise<DatabaseDescription> {
    return this.#change(identity, name, (entry) => {
      mustOwn(entry, identity);
      return { title };
    });
  }

  /** Closed at once, erased after the grace. @throws CouchError not_found, forbidden */
  async remove(identity: Identity, name: DatabaseName): Promise<void> {
    const entry = visible(await this.#parts.registry.find(name), identity);
    mustHold(entry, identity);
    if (entry.kind === "own") {
      throw new CouchError("forbidden", "A user's own database goes when the account is deleted.");
    }
    await this.#parts.trash.put(name, "database", (now) => mustHold(visible(now, identity), identity));
  }

  /** Of an account that goes: it is a member of nothing any more, and what was its alone is closed and erased after the grace. */
  async removeAccountDatabases(user: UserName, own: DatabaseName): Promise<void> {
    const { accounts, alignments, registry, trash } = this.#parts;
    const account = await accounts.find(user);
    const names = new Set([...(account?.databases ?? []).map(({ name }) => name), own]);
    for (const name of names) {
      const entry = await registry.find(name);
      if (!entry || !isOpen(entry) || roleOf(entry, user) === undefined) continue;
      if (entry.owner === user && heirOf(entry) === undefined) await trash.put(name, "account");
      else await alignments.change(name, (now) => gone(now, user));
    }
  }

  async #change(
    identity: Identity,
    name: DatabaseName,
    change: (entry: ManagedDatabase) => RegistryChange,
  ): Promise<DatabaseDescription> {
    const after = await this.#parts.alignments.change(name, (entry) => {
      visible(entry, identity);
      return change(entry);
    });
    return described(after, identity);
  }

  async #mustOwn(identity: Identity, name: DatabaseName): Promise<void> {
    mustOwn(visible(await this.#parts.registry.find(name), identity), identity);
  }

  #mayUse(template: string): boolean {
    const { templates, allowedTemplates } = this.#parts;
    const isAllowed = allowedTemplates ? allowedTemplates.includes(template) : template !== userTemplate;
    return isAllowed && templates().includes(template);
  }
}

export function withMember(entry: ManagedDatabase, user: UserName, role: DatabaseRole): RegistryChange {
  mustBeShared(entry);
  const members = membersOf(entry);
  if (!Object.hasOwn(members, user) && Object.keys(members).length >= mostMembers) {
    throw new CouchError("forbidden", `A database has at most ${mostMembers} members.`);
  }
  return { members: { ...members, [user]: role } };
}

function withoutMember(entry: ManagedDatabase, user: UserName): RegistryChange {
  const { [user]: _, ...members } = membersOf(entry);
  return { members };
}

function gone(entry: ManagedDatabase, user: UserName): RegistryChange | undefined {
  if (!isOpen(entry) || roleOf(entry, user) === undefined) return undefined;
  const owner = entry.owner === user ? heirOf(entry) : entry.owner;
  return owner === undefined ? undefined : { ...withoutMember(entry, user), owner };
}

/** Whose it is when its owner goes. */
function heirOf(entry: ManagedDatabase): UserName | undefined {
  return ownersOf(entry).find((name) => name !== entry.owner) as UserName | undefined;
}

/** Who is not a member is told the same as of a database that is not there. @throws CouchError not_found */
function visible(entry: ManagedDatabase | undefined, identity: Identity): ManagedDatabase {
  const isMember = entry && isOpen(entry) && (isServerAdmin(identity) || roleOf(entry, nameOf(identity)) !== undefined);
  if (!isMember) throw new CouchError("not_found", "Database does not exist.");
  return entry;
}

/** @throws CouchError forbidden */
export function mustOwn(entry: ManagedDatabase, identity: Identity): void {
  if (isServerAdmin(identity) || roleOf(entry, nameOf(identity)) === "owner") return;
  throw new CouchError("forbidden", "Only an owner of the database may do that.");
}

/** @throws CouchError forbidden */
function mustHold(entry: ManagedDatabase, identity: Identity): void {
  if (isServerAdmin(identity) || entry.owner === identity.name) return;
  throw new CouchError("forbidden", `Only ${entry.owner}, whose database it is, may do that.`);
}

function mustBeShared({ kind }: ManagedDatabase): void {
  if (kind !== "shared") throw new CouchError("forbidden", "Only a shared database has members.");
}

function isTheirs(user: UserName): CouchError {
  return new CouchError("conflict", `The database is ${user}'s, until they transfer it.`);
}

function nameOf({ name }: Identity): UserName {
  if (name === null) throw new CouchError("unauthorized", "Authentication required.");
  return name;
}

function described(entry: ManagedDatabase, identity: Identity): DatabaseDescription {
  const { name, kind, template, title, owner, public_read = false, created_at } = entry;
  return {
    ...{ name, kind, template, owner, public_read, created_at },
    ...(title !== undefined && { title }),
    // A server administrator may do what owners may.
    role: roleOf(entry, nameOf(identity)) ?? "owner",
    members: membersOf(entry),
  };
}
