/** `_security` of a database, and who is asking. Shapes as in CouchDB 3.5. */
import { CouchError } from "./errors.js";
import type { UserName } from "./ids.js";

export interface SecurityList {
  readonly names?: readonly string[];
  readonly roles?: readonly string[];
}

/** Free members beside `admins` and `members` are kept as they are. */
export interface SecurityObject {
  readonly admins?: SecurityList;
  readonly members?: SecurityList;
  readonly [other: string]: unknown;
}

/** CouchDB 3's default: only administrators, until somebody says otherwise. */
export const defaultSecurity: SecurityObject = {
  members: { roles: ["_admin"] },
  admins: { roles: ["_admin"] },
};

/** Lists of names and roles are lists of texts, or a member would be let in or shut out by accident. @throws CouchError bad_request */
export function parseSecurity(value: Readonly<Record<string, unknown>>): SecurityObject {
  for (const list of ["admins", "members", "readers"]) {
    const people = value[list];
    if (people === undefined) continue;
    if (typeof people !== "object" || people === null || Array.isArray(people)) throw badSecurity(list);
    for (const kind of ["names", "roles"]) {
      const texts = (people as Record<string, unknown>)[kind];
      const good = texts === undefined || (Array.isArray(texts) && texts.every((text) => typeof text === "string"));
      if (!good) throw badSecurity(`${list}.${kind}`);
    }
  }
  return value as SecurityObject;
}

function badSecurity(member: string): CouchError {
  const shape = member.includes(".") ? "an array of strings" : "an object with names and roles";
  return new CouchError("bad_request", `\`${member}\` must be ${shape}.`);
}

/** How a caller proved who they are. */
export type AuthenticationMethod = "anonymous" | "cookie" | "default" | "jwt" | "proxy";

/** Who is asking. `name` is null for a guest. Role `_admin` is a server administrator. */
export interface Identity {
  readonly name: UserName | null;
  readonly roles: readonly string[];
  readonly method: AuthenticationMethod;
}

export const anonymous: Identity = { name: null, roles: [], method: "anonymous" };

/** Who has this role may read measurements: what collects them need not be an administrator. */
export const metricsRole = "_metrics";

/** Who has this role looks after accounts without being a server administrator. */
export const userManagerRole = "user-manager";

export function isServerAdmin(identity: Identity): boolean {
  return identity.roles.includes("_admin");
}

/** What `validate_doc_update` and filters are told of the caller. */
export interface UserContext {
  readonly db: string;
  readonly name: string | null;
  readonly roles: readonly string[];
}
