/** How long tokens live: by role where a role says so. */

export interface TokenLife {
  readonly accessSeconds: number;
  readonly refreshSeconds: number;
}

export interface TokenLives extends TokenLife {
  /** Role to what is different for it; of several roles the shortest life counts. */
  readonly byRole: Readonly<Record<string, Partial<TokenLife>>>;
}

export function lifeFor(roles: readonly string[], { byRole, ...usual }: TokenLives): TokenLife {
  const own = roles.flatMap((role) => (Object.hasOwn(byRole, role) ? (byRole[role] ?? []) : []));
  const shortest = (name: keyof TokenLife): number => {
    const lives = own.flatMap((life) => life[name] ?? []);
    return lives.length > 0 ? Math.min(...lives) : usual[name];
  };
  return { accessSeconds: shortest("accessSeconds"), refreshSeconds: shortest("refreshSeconds") };
}

export function longestAccessSeconds({ accessSeconds, byRole }: TokenLives): number {
  return Math.max(accessSeconds, ...Object.values(byRole).flatMap((life) => life.accessSeconds ?? []));
}
