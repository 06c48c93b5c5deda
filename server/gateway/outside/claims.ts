/** Members of a token's claims, by the names that issuers give them. */
import { isOrdinaryRole } from "../accounts.js";

type Claims = Readonly<Record<string, unknown>>;

export interface RoleRules {
  /** Where roles stand, e.g. `realm_access.roles`. */
  readonly claim: string;
  /** Their role to ours. Absent: all are taken as they are, but for those of the system. */
  readonly map?: Readonly<Record<string, string>> | undefined;
}

/** A name with dots is a path, unless there is a claim of just that name: `_couchdb.roles` is one. */
export function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const part of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Claims)[part];
  }
  return value;
}

export function textAt(claims: Claims, path: string): string | undefined {
  const value = claimAt(claims, path);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A system role is given by the map alone: an issuer does not make administrators by choosing a word. */
export function rolesOf(claims: Claims, { claim, map }: RoleRules): readonly string[] {
  const value = claimAt(claims, claim);
  const given = (Array.isArray(value) ? value : []).filter((role) => typeof role === "string");
  const roles = map
    ? given.flatMap((role) => (Object.hasOwn(map, role) ? (map[role] ?? []) : []))
    : given.filter(isOrdinaryRole);
  return [...new Set(roles)];
}
