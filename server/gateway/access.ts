/** The only door: an identity, a database and a need go in; a database to work with, or a refusal, comes out. */
import { CouchError } from "../../protocol/errors.js";
import type { DatabaseName } from "../../protocol/ids.js";
import {
  type Identity,
  isServerAdmin,
  metricsRole,
  type SecurityList,
  type SecurityObject,
} from "../../protocol/security.js";
import { isUserDatabaseName, userOfDatabase } from "./database-names.js";
import { isReaderOnly, sharingRules } from "./sharing/shared-security.js";
import { isInternalDatabase } from "./system-databases.js";

/**
 * What a route asks of its caller. `read` of one database anybody has where it is open to the public; `member` is for what belongs
 * to its members even there: their names, and their replications' checkpoints, which readers may also write.
 */
export type Need = "public" | "user" | "metrics" | "server-admin" | "read" | "member" | "write" | "database-admin";
/** The needs that are about no database. */
export type ServerNeed = "public" | "user" | "metrics" | "server-admin";
/** The needs that are about one database. */
export type DatabaseNeed = Exclude<Need, "public" | "user" | "metrics">;

/** The caller's own database, by a name that every client can hard-code. */
export const ownDatabaseAlias = "_me";

export interface SecuredDatabase {
  readonly name: DatabaseName;
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
  if (need === "server-admin") return new CouchError("unauthorized", "You are not a server admin.");
  if (need === "user") {
    return identity.name === null ? new CouchError("unauthorized", "Authentication required.") : "allowed";
  }
  if (need === "metrics") {
    if (identity.roles.includes(metricsRole)) return "allowed";
    return new CouchError("unauthorized", "You are not a server admin or read-only metrics user");
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
  async open(identity: Identity, name: DatabaseName | typeof ownDatabaseAlias, need: DatabaseNeed): Promise<Opened<D>> {
    // Before the database is looked at: whether it exists is no business of those who lack this.
    if (need === "server-admin") this.check(identity, need);
    const target = name === ownDatabaseAlias ? await this.#parts.ownDatabase(identity) : name;
    if (isInternalDatabase(target) && !isServerAdmin(identity)) throw notAMember(identity);

    const settling = this.#parts.settled?.(target);
    if (settling) await settling;
    const database = await this.#openFor(identity, target);
    const decision = decide(identity, database.security(), need);
    if (decision !== "allowed") throw decision;
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
 * CouchDB answers 404 for a missing database to anybody. A per-user database's name tells the name of a user, and so
 * others are told the same whether it exists or not: who is a customer here is not for everybody to find out.
 */
function isSomebodyElses(name: DatabaseName, identity: Identity): boolean {
  if (!isUserDatabaseName(name) || isServerAdmin(identity)) return false;
  return identity.name === null || userOfDatabase(name) !== identity.name;
}
