/** The only door: an identity, a database and a need go in; a database to work with, or a refusal, comes out. */
import { CouchError } from "../../protocol/errors.js";
import { type DatabaseName, isDesignDocId, isLocalDocId } from "../../protocol/ids.js";
import {
  type Identity,
  isServerAdmin,
  metricsRole,
  type SecurityList,
  type SecurityObject,
  userManagerRole,
} from "../../protocol/security.js";
import type { DatabaseKind } from "../documents/database-kind.js";
import { isUserDatabaseName, userOfDatabase } from "./database-names.js";
import { isReaderOnly, sharingRules } from "./sharing/shared-security.js";
import { isInternalDatabase, usersDatabase } from "./system-databases.js";
import { refusalToReadUserDocument } from "./user-documents.js";

/**
 * What a route asks of its caller. `read` of one database anybody has where it is open to the public; `member` is for what belongs
 * to its members even there: their names, and their replications' checkpoints, which readers may also write.
 */
export type Need =
  | "public"
  | "user"
  | "metrics"
  | "user-manager"
  | "server-admin"
  | "read"
  | "member"
  | "write"
  | "database-admin";
/** The needs that are about no database. */
export type ServerNeed = "public" | "user" | "metrics" | "user-manager" | "server-admin";
/** The needs that are about one database. */
export type DatabaseNeed = Exclude<Need, "public" | "user" | "metrics" | "user-manager">;

/** The caller's own database, by a name that every client can hard-code. */
export const ownDatabaseAlias = "_me";

/**
 * What a route is to somebody who is no server administrator, in a database of user documents; none: closed.
 * `own-document`: of theirs alone. `new-document`: theirs, or a guest's who registers; `user-documents.ts` decides on writing.
 * `listing`: for server administrators, whatever `_security` says. `about`: as `_security` says.
 */
export type UsersAspect = "own-document" | "new-document" | "listing" | "about";

export interface UsersQuestion {
  readonly aspect?: UsersAspect | undefined;
  /** The document's id. */
  readonly document?: string | undefined;
}

export interface SecuredDatabase {
  readonly name: DatabaseName;
  readonly kind?: DatabaseKind;
  security(): SecurityObject;
}

export interface Opened<D> {
  readonly database: D;
  readonly identity: Identity;
}

/**
 * Pure. One deliberate difference from CouchDB: an empty list of members means nobody but administrators, never
 * everybody. In CouchDB a `_security` that was written half, or emptied, silently publishes the database.
 */
export function decide(identity: Identity, security: SecurityObject, need: Need): "allowed" | CouchError {
  if (need === "public" || isServerAdmin(identity)) return "allowed";
  if (need === "server-admin") return notAServerAdmin();
  if (need === "user") {
    return identity.name === null ? new CouchError("unauthorized", "Authentication required.") : "allowed";
  }
  if (need === "metrics") {
    if (identity.roles.includes(metricsRole)) return "allowed";
    return new CouchError("unauthorized", "You are not a server admin or read-only metrics user");
  }
  if (need === "user-manager") {
    if (identity.roles.includes(userManagerRole)) return "allowed";
    return new CouchError("unauthorized", "You are not a server admin or user manager.");
  }
  const rules = sharingRules(security);
  if (rules.trashed === true) return notAMember(identity);
  if (isDatabaseAdmin(identity, security)) return "allowed";
  if (!isListed(identity, membersOf(security))) {
    return need === "read" && rules.public_read === true ? "allowed" : notAMember(identity);
  }
  if (need === "write" && isReaderOnly(identity, rules)) return readsOnly();
  return need === "database-admin" ? new CouchError("unauthorized", "You are not a server or db admin.") : "allowed";
}

export function isDatabaseAdmin(identity: Identity, security: SecurityObject): boolean {
  return isServerAdmin(identity) || isListed(identity, security.admins);
}

/** What a member who is no administrator is told who writes a design document, `_security` or `_revs_limit`. */
export function notADatabaseAdmin(identity: Identity): CouchError {
  const error = identity.name === null ? "unauthorized" : "forbidden";
  return new CouchError(error, "You are not a db or server admin.");
}

/** What a reader is told who writes. */
function readsOnly(): CouchError {
  return new CouchError("forbidden", "You may read this db, but not write to it.");
}

function notAMember(identity: Identity): CouchError {
  return identity.name === null
    ? new CouchError("unauthorized", "You are not authorized to access this db.")
    : new CouchError("forbidden", "You are not allowed to access this db.");
}

/** `readers` is what CouchDB before 1.2 called them, and still understands. */
function membersOf(security: SecurityObject): SecurityList | undefined {
  return security.members ?? (security.readers as SecurityList | undefined);
}

function isListed(identity: Identity, list: SecurityList | undefined): boolean {
  const { names, roles } = list ?? {};
  // Old databases may hold anything here; what is not a list names nobody.
  if (identity.name !== null && Array.isArray(names) && names.includes(identity.name)) return true;
  return Array.isArray(roles) && identity.roles.some((role) => roles.includes(role));
}

export interface AccessParts<D extends SecuredDatabase> {
  /** @throws CouchError not_found */
  readonly openDatabase: (name: DatabaseName) => Promise<D>;
  /** The caller's own database, made when needed. @throws CouchError unauthorized for a guest */
  readonly ownDatabase: (identity: Identity) => Promise<DatabaseName>;
  /** Ends what was begun with the database and is not done yet; at once (no promise) when there is nothing, as nearly always. */
  readonly settled?: (name: DatabaseName) => Promise<void> | undefined;
  /** Told of every database that somebody was let into. */
  readonly used?: (name: DatabaseName) => void;
}

export class Access<D extends SecuredDatabase> {
  readonly #parts: AccessParts<D>;

  constructor(parts: AccessParts<D>) {
    this.#parts = parts;
  }

  /** For routes that are about no database. @throws CouchError unauthorized */
  check(identity: Identity, need: ServerNeed): void {
    const decision = decide(identity, {}, need);
    if (decision !== "allowed") throw decision;
  }

  /** @throws CouchError unauthorized, forbidden, not_found */
  async open(
    identity: Identity,
    name: DatabaseName | typeof ownDatabaseAlias,
    need: DatabaseNeed,
    users: UsersQuestion = {},
  ): Promise<Opened<D>> {
    // Before the database is looked at: whether it exists is no business of those who lack this.
    if (need === "server-admin") this.check(identity, need);
    const target = name === ownDatabaseAlias ? await this.#parts.ownDatabase(identity) : name;
    if (isInternalDatabase(target) && !isServerAdmin(identity)) throw notAMember(identity);

    const settling = this.#parts.settled?.(target);
    if (settling) await settling;
    const database = await this.#openFor(identity, target);
    if (database.kind === "users" && !isServerAdmin(identity)) mayUseUsers(identity, database, need, users);
    else refuseUnlessAllowed(decide(identity, database.security(), need));
    this.#parts.used?.(database.name);
    return { database, identity };
  }

  async #openFor(identity: Identity, name: DatabaseName): Promise<D> {
    try {
      return await this.#parts.openDatabase(name);
    } catch (error) {
      const isMissing = error instanceof CouchError && error.error === "not_found";
      if (isMissing && isSomebodyElses(name, identity)) throw notAMember(identity);
      throw error;
    }
  }
}

/**
 * Everybody may read, change and delete the document that is their own account, and guests may make one, as in a CouchDB whose
 * `_users` was opened to users; nothing else of it is theirs.
 * @throws CouchError unauthorized, forbidden, not_found
 */
function mayUseUsers(
  identity: Identity,
  database: SecuredDatabase,
  need: DatabaseNeed,
  { aspect, document }: UsersQuestion,
): void {
  if (aspect === "listing") throw notAServerAdmin();
  const isUserDocument = document !== undefined && !isLocalDocId(document) && !isDesignDocId(document);
  if (isUserDocument && (aspect === "own-document" || aspect === "new-document")) {
    if (database.name !== usersDatabase) refuseUnlessAllowed(decide(identity, database.security(), need));
    const refusal = aspect === "own-document" ? refusalToReadUserDocument(identity, document) : undefined;
    if (refusal) throw refusal;
    return;
  }
  refuseUnlessAllowed(decide(identity, database.security(), need));
  if (aspect !== "about") throw notAServerAdmin();
}

function refuseUnlessAllowed(decision: "allowed" | CouchError): void {
  if (decision !== "allowed") throw decision;
}

function notAServerAdmin(): CouchError {
  return new CouchError("unauthorized", "You are not a server admin.");
}

/**
 * CouchDB answers 404 for a missing database to anybody. A per-user database's name tells the name of a user, and so
 * others are told the same whether it exists or not: who is a customer here is not for everybody to find out.
 */
function isSomebodyElses(name: DatabaseName, identity: Identity): boolean {
  if (!isUserDatabaseName(name) || isServerAdmin(identity)) return false;
  return identity.name === null || userOfDatabase(name) !== identity.name;
}
