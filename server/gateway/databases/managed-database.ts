/** A database that the gateway made, as the registry knows it. What is not shared has no `members`: its owner is the only one. */
import type { DatabaseName, RevId, UserName } from "../../../protocol/ids.js";
import type { DatabaseRole } from "../../../protocol/sharing.js";
import type { JsonDocument } from "../../backend/backend.js";

/** `own`: the one that `/_me` stands for. `private`: another of a user's. `shared`: with members. */
export type DatabaseKind = "own" | "private" | "shared";

/** `making`: not all of it is there yet. `trashed`: closed, and to be restored or erased. `erasing`: the latter has begun. */
export type DatabaseState = "making" | "ready" | "trashed" | "erasing";

export type Members = Readonly<Record<string, DatabaseRole>>;

export interface Trashed {
  readonly because: "account" | "database";
  /** ISO 8601, both. */
  readonly deleted_at: string;
  readonly erase_at: string;
}

/** Somebody who brings `_security` and the accounts' lists into line, and has not said yet that this is done. */
export interface Alignment {
  /** Whose lists. */
  readonly users: readonly string[];
  /** ISO 8601. */
  readonly since: string;
}

export interface ManagedDatabase {
  readonly name: DatabaseName;
  readonly kind: DatabaseKind;
  /** Whose quota it counts for. */
  readonly owner: UserName;
  /** Folder of `design-docs/`. */
  readonly template: string;
  /** Of the template whose design documents are here; the empty text: none yet. */
  readonly version: string;
  /** ISO 8601. */
  readonly created_at: string;
  readonly title?: string;
  /** Absent: ready. */
  readonly state?: DatabaseState;
  readonly members?: Members;
  /** Anybody may read, guests too. */
  readonly public_read?: boolean;
  readonly trashed?: Trashed;
  /** Users to the invitation by which they came last: nobody comes twice by one. */
  readonly came_by?: Readonly<Record<string, string>>;
  /** By a random name for each. */
  readonly aligning?: Readonly<Record<string, Alignment>>;
  /** Of the registry's document. */
  readonly revision?: RevId;
}

export interface RegistryDocument extends JsonDocument, Omit<ManagedDatabase, "name" | "revision"> {}

export function entryOf({ _id, _rev, ...entry }: RegistryDocument): ManagedDatabase {
  return {
    ...(entry as Omit<ManagedDatabase, "name">),
    name: _id as DatabaseName,
    ...(_rev && { revision: _rev as RevId }),
  };
}

export function stateOf({ state = "ready" }: Pick<ManagedDatabase, "state">): DatabaseState {
  return state;
}

export function isOpen(entry: ManagedDatabase): boolean {
  return stateOf(entry) === "ready" || stateOf(entry) === "making";
}

/** Also of a database without members: its owner is one. */
export function membersOf({ members, owner }: Pick<ManagedDatabase, "members" | "owner">): Members {
  return members ?? { [owner]: "owner" };
}

export function roleOf(entry: ManagedDatabase, user: string): DatabaseRole | undefined {
  const members = membersOf(entry);
  return Object.hasOwn(members, user) ? members[user] : undefined;
}

export function ownersOf(entry: ManagedDatabase): readonly string[] {
  const members = membersOf(entry);
  return Object.keys(members).filter((name) => members[name] === "owner");
}
