/**
 * Invitations to shared databases: for a user by name, for whoever has an address, for whoever has a link.
 *
 * Accepting notes the user in the invitation first, which is where of many at once only as many pass as it has uses; then the member
 * is entered in the registry; then the invitation says that this is done. After a crash in between the same user accepts again, and
 * goes on there. Who was a member by an invitation and no longer is one does not come back by it.
 */
import { createHash } from "node:crypto";
import { normalEmail } from "../../../protocol/email.js";
import { CouchError } from "../../../protocol/errors.js";
import type { DatabaseName, UserName } from "../../../protocol/ids.js";
import { type Identity, isServerAdmin } from "../../../protocol/security.js";
import type { DatabaseRole, Invitation, InvitationRequest, NewInvitation } from "../../../protocol/sharing.js";
import { databaseRoles } from "../../../protocol/sharing.js";
import type { Accounts } from "../accounts.js";
import { sameSecret } from "../constant-time.js";
import { isOpen, type ManagedDatabase, roleOf } from "../databases/managed-database.js";
import type { DatabaseRegistry } from "../databases/registry.js";
import type { Alignments } from "./alignments.js";
import { databaseOf, type InvitationStore, publicId, type StoredInvitation } from "./invitation-store.js";
import { randomText } from "./random-text.js";
import { mustOwn, withMember } from "./sharing.js";

/** Sends a mail of a kind, or sees to it that it is sent. */
export interface Mailer {
  send(kind: "database-invitation", to: string, data: InvitationMail): Promise<void>;
}

export interface InvitationMail {
  /** Accepts the invitation; to be shown to nobody else. */
  readonly token: string;
  readonly database: string;
  readonly title: string;
  readonly role: DatabaseRole;
  readonly invited_by: string;
  readonly expires_at: string;
}

export interface InvitationsParts {
  readonly store: InvitationStore;
  readonly registry: DatabaseRegistry;
  readonly accounts: Accounts;
  readonly alignments: Alignments;
  /** Undefined: nobody is mailed, and invitations for addresses are refused. */
  readonly mailer: Mailer | undefined;
  /** Milliseconds for which an invitation holds that does not say. */
  readonly life: number;
  readonly now: () => number;
}

/** That a database has, or that somebody has been sent. */
const mostOpen = 500;

export class Invitations {
  readonly #parts: InvitationsParts;

  constructor(parts: InvitationsParts) {
    this.#parts = parts;
  }

  /** @throws CouchError not_found, forbidden, bad_request */
  async invite(identity: Identity, database: DatabaseName, request: InvitationRequest): Promise<NewInvitation> {
    const { store, mailer, life, now } = this.#parts;
    const entry = await this.#owned(identity, database);
    const { role, name, email, link, expires_in, uses = 1 } = request;
    if (link === undefined && uses > 1) throw new CouchError("bad_request", "Only a link is used several times.");
    if (email !== undefined && !mailer) throw new CouchError("bad_request", "This server sends no mail.");
    if ((await store.of(database, mostOpen)).length >= mostOpen) {
      throw new CouchError("forbidden", `A database has at most ${mostOpen} invitations.`);
    }
    const secret = name === undefined ? randomText(32) : undefined;
    const document = {
      role,
      ...(name !== undefined && { name }),
      ...(email !== undefined && { email }),
      ...(secret !== undefined && { token_hash: hashOf(secret) }),
      invited_by: identity.name as UserName,
      ...(roleOf(entry, identity.name as UserName) === undefined && { by_admin: true as const }),
      created_at: new Date(now()).toISOString(),
      expires_at: new Date(now() + (expires_in === undefined ? life : expires_in * 1000)).toISOString(),
      uses,
    };
    const id = await store.add(database, document);
    const token = `${id}-${secret}`;
    if (email !== undefined) {
      const { invited_by, expires_at } = document;
      const title = entry.title ?? database;
      await mailer?.send("database-invitation", email, { token, database, title, role, invited_by, expires_at });
    }
    const stored = await store.find(id);
    if (!stored) throw new CouchError("not_found", "There is no such invitation.");
    return { ...shownToOwner(stored, entry), ...(link && { token }) };
  }

  /** @throws CouchError not_found, forbidden */
  async list(identity: Identity, database: DatabaseName): Promise<readonly Invitation[]> {
    const entry = await this.#owned(identity, database);
    const found = await this.#parts.store.of(database, mostOpen);
    return found.map((each) => shownToOwner(each, entry));
  }

  /** @throws CouchError not_found, forbidden */
  async withdraw(identity: Identity, database: DatabaseName, id: string): Promise<void> {
    await this.#owned(identity, database);
    const { store } = this.#parts;
    if (databaseOf(id) !== database || !(await store.find(id))) {
      throw new CouchError("not_found", "There is no such invitation.");
    }
    await store.remove(id);
  }

  /** Those that the user can accept. */
  async mine({ name }: Identity): Promise<readonly Invitation[]> {
    const { store, registry } = this.#parts;
    const user = name as UserName;
    const email = await this.#verifiedEmail(user);
    const found = [...(await store.for({ name: user }, mostOpen))];
    if (email !== undefined) found.push(...(await store.for({ email }, mostOpen)));
    const mine: Invitation[] = [];
    for (const each of found) {
      const entry = await registry.find(databaseOf(publicId(each)));
      if (entry && this.#refusal(each, entry, user) === undefined) mine.push(shownToInvited(each, entry));
    }
    return mine;
  }

  /** @returns the database. @throws CouchError not_found, forbidden */
  async accept(identity: Identity, given: { readonly id?: string | undefined; readonly token?: string | undefined }) {
    const user = identity.name as UserName;
    const { store, registry, alignments, now } = this.#parts;
    const id = given.id ?? tokenParts(given.token as string).id;
    const database = databaseOf(id);
    const found = await store.find(id);
    if (!found || !(await this.#isFor(found, user, given.token))) throw noSuchInvitation();
    const entry = await registry.find(database);
    const noted = await store.change(id, (invitation) => {
      const refusal = this.#refusal(invitation, entry, user);
      if (refusal) throw refusal;
      if (Object.hasOwn(invitation.accepted_by, user)) return undefined;
      return { accepted_by: { ...invitation.accepted_by, [user]: { at: new Date(now()).toISOString() } } };
    });
    if (!noted) throw noSuchInvitation();
    await alignments.change(database, (now) => {
      if (!isOpen(now)) throw noSuchInvitation();
      const before = roleOf(now, user);
      if (before === undefined && now.came_by?.[user] === id) throw usedUp();
      if (!mayInvite(now, noted)) throw noSuchInvitation();
      if (before !== undefined && rank(before) >= rank(noted.role)) return undefined;
      return { ...withMember(now, user, noted.role), came_by: { ...now.came_by, [user]: id } };
    });
    await store.change(id, ({ accepted_by }) => {
      const mine = accepted_by[user];
      if (!mine || mine.entered) return undefined;
      return { accepted_by: { ...accepted_by, [user]: { ...mine, entered: true } } };
    });
    return database;
  }

  /** @throws CouchError not_found */
  async decline(identity: Identity, id: string): Promise<void> {
    const user = identity.name as UserName;
    const { store, now } = this.#parts;
    const found = await store.find(id);
    if (!found || !(await this.#isFor(found, user, undefined))) throw noSuchInvitation();
    await store.change(id, ({ declined_at, accepted_by }) =>
      declined_at === undefined && Object.keys(accepted_by).length === 0
        ? { declined_at: new Date(now()).toISOString() }
        : undefined,
    );
  }

  /** Why the user cannot accept it, all but whether it is for them. */
  #refusal(invitation: StoredInvitation, entry: ManagedDatabase | undefined, user: UserName): CouchError | undefined {
    const { accepted_by, uses, expires_at, declined_at } = invitation;
    if (!entry || !isOpen(entry) || !mayInvite(entry, invitation)) return noSuchInvitation();
    const mine = Object.hasOwn(accepted_by, user) ? accepted_by[user] : undefined;
    if (mine) return mine.entered && roleOf(entry, user) === undefined ? usedUp() : undefined;
    if (declined_at !== undefined) return new CouchError("not_found", "The invitation was declined.");
    if (Date.parse(expires_at) <= this.#parts.now()) return new CouchError("not_found", "The invitation has expired.");
    return Object.keys(accepted_by).length >= uses ? usedUp() : undefined;
  }

  async #isFor(invitation: StoredInvitation, user: UserName, token: string | undefined): Promise<boolean> {
    const { name, email, token_hash } = invitation;
    if (token !== undefined)
      return token_hash !== undefined && sameSecret(hashOf(tokenParts(token).secret), token_hash);
    if (name !== undefined) return name === user;
    const verified = email === undefined ? undefined : await this.#verifiedEmail(user);
    return verified !== undefined && normalEmail(verified) === normalEmail(email as string);
  }

  async #verifiedEmail(user: UserName): Promise<string | undefined> {
    return (await this.#parts.accounts.find(user))?.verifiedEmail;
  }

  async #owned(identity: Identity, database: DatabaseName): Promise<ManagedDatabase> {
    const entry = await this.#parts.registry.find(database);
    const isMember = entry && isOpen(entry) && (isServerAdmin(identity) || roleOf(entry, identity.name ?? ""));
    if (!isMember) throw new CouchError("not_found", "Database does not exist.");
    mustOwn(entry, identity);
    if (entry.kind !== "shared") throw new CouchError("forbidden", "Only a shared database has members.");
    return entry;
  }
}

/** What somebody promised who may not any more is void: an owner who was put out must not come back by a link of their own. */
function mayInvite(entry: ManagedDatabase, { invited_by, by_admin }: StoredInvitation): boolean {
  return by_admin === true || roleOf(entry, invited_by) === "owner";
}

function rank(role: DatabaseRole): number {
  return databaseRoles.indexOf(role);
}

/** The last part is the secret. */
function tokenParts(token: string): { readonly id: string; readonly secret: string } {
  const at = token.lastIndexOf("-");
  return { id: token.slice(0, at), secret: token.slice(at + 1) };
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

function noSuchInvitation(): CouchError {
  return new CouchError("not_found", "There is no such invitation.");
}

function usedUp(): CouchError {
  return new CouchError("not_found", "The invitation has been used.");
}

function shownToInvited(invitation: StoredInvitation, { name: database, title }: ManagedDatabase): Invitation {
  const { role, name, email, invited_by, created_at, expires_at, uses } = invitation;
  return {
    ...{ id: publicId(invitation), database, role, invited_by, created_at, expires_at, uses },
    ...(title !== undefined && { title }),
    ...(name !== undefined && { name }),
    ...(email !== undefined && { email }),
  };
}

function shownToOwner(invitation: StoredInvitation, entry: ManagedDatabase): Invitation {
  return {
    ...shownToInvited(invitation, entry),
    accepted_by: Object.keys(invitation.accepted_by),
    ...(invitation.declined_at !== undefined && { declined: true }),
  };
}
