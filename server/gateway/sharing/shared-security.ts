/**
 * What `_security` says of sharing, in a free member of its own that CouchDB keeps as it is:
 *
 *   members.names           all members
 *   settee.readers          those of them who only read
 *   settee.public_read      anybody may read
 *   settee.trashed          nobody but server administrators; `settee.before`: what was said instead
 */
import type { Identity, SecurityList, SecurityObject } from "../../../protocol/security.js";
import { isOpen, type ManagedDatabase, type Members, membersOf } from "../databases/managed-database.js";

interface Kept {
  readonly admins?: SecurityList;
  readonly names: readonly string[];
  readonly roles: readonly string[];
}

export interface SharingRules {
  readonly readers?: readonly string[];
  readonly public_read?: boolean;
  readonly trashed?: boolean;
  readonly before?: Kept;
}

/** Nothing for a database that is not shared. Whoever may write `_security` may write anything here: what is no rule is none. */
export function sharingRules({ settee }: SecurityObject): SharingRules {
  return typeof settee === "object" && settee !== null ? (settee as SharingRules) : {};
}

export function isReaderOnly({ name }: Identity, { readers }: SharingRules): boolean {
  return name !== null && Array.isArray(readers) && readers.includes(name);
}

const nobody = ["_admin"];

/**
 * `before` as the entry wants it: names are the entry's to say, roles and whatever else the operator's. Members are no
 * administrators, since then they could write design documents and so undo the rules that the operator deploys.
 */
export function securityOf(entry: ManagedDatabase, before: SecurityObject): SecurityObject {
  const { settee: _, admins, members, ...others } = before;
  const rules = sharingRules(before);
  const { names: formerNames = [], roles: formerRoles = [] } = members ?? {};
  const kept: Kept = (rules.trashed && rules.before) || {
    admins: admins ?? {},
    names: formerNames,
    roles: formerRoles,
  };
  if (!isOpen(entry)) {
    const closed = { names: [], roles: nobody };
    return { ...others, admins: closed, members: closed, settee: { trashed: true, before: kept } };
  }
  const everybody = everyMember(entry, kept);
  const names = Object.keys(everybody).sort();
  const readers = names.filter((name) => everybody[name] === "reader");
  // A new database is closed with the members' role `_admin`; administrators need no mention to get in.
  const roles = kept.roles.filter((role) => role !== "_admin");
  const adminRoles = (kept.admins?.roles ?? []).filter((role) => role !== "_admin");
  const adminNames = (kept.admins?.names ?? []).filter((name) => !Object.hasOwn(everybody, name));
  return {
    ...others,
    admins: { ...(adminNames.length > 0 && { names: adminNames }), roles: [...nobody, ...adminRoles] },
    // To CouchDB an empty list of members is everybody.
    members: { names, roles: names.length + roles.length === 0 ? nobody : roles },
    ...(entry.kind === "shared" && { settee: { readers, ...(entry.public_read && { public_read: true }) } }),
  };
}

/** A user's own database may have members whom the operator let in, as couch_peruser's have. */
function everyMember(entry: ManagedDatabase, { names }: Kept): Members {
  const members = membersOf(entry);
  if (entry.kind !== "own") return members;
  return { ...Object.fromEntries(names.map((name) => [name, "writer" as const])), ...members };
}
