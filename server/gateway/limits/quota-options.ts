import type { Account, QuotaLimits } from "../accounts.js";

export interface QuotaOptions extends QuotaLimits {
  /** Role to limits of its own. */
  readonly byRole: Readonly<Record<string, QuotaLimits>>;
}

/** Infinity: none. */
export interface Limits {
  readonly documents: number;
  readonly bytes: number;
  readonly databases: number;
}

export const noLimits: Limits = { documents: Infinity, bytes: Infinity, databases: Infinity };

const kinds = ["documents", "bytes", "databases"] as const;

/** The account's own word first; else the most generous that its roles have; else the general one. */
export function limitsOf({ roles, quota = {} }: Pick<Account, "roles" | "quota">, options: QuotaOptions): Limits {
  const limits = kinds.map((kind) => {
    if (quota[kind] !== undefined) return [kind, numberOf(quota[kind])];
    const ofRoles = roles.flatMap((role) => {
      const limit = Object.hasOwn(options.byRole, role) ? options.byRole[role]?.[kind] : undefined;
      return limit === undefined ? [] : [numberOf(limit)];
    });
    return [kind, ofRoles.length > 0 ? Math.max(...ofRoles) : numberOf(options[kind])];
  });
  return Object.fromEntries(limits) as unknown as Limits;
}

function numberOf(limit: number | null | undefined): number {
  return limit ?? Number.POSITIVE_INFINITY;
}
