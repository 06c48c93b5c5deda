/** How CouchDB spells numbers: integers keep every digit, all others are doubles and always show a point or exponent. */

const smallestNormal = 2.2250738585072014e-308;

/**
 * The canonical spelling of a number that has a fraction or an exponent, e.g. `1e2` to `100.0`.
 * Undefined when it is too large for a double, which CouchDB refuses.
 */
export function canonicalDouble(spelling: string): string | undefined {
  const value = Number(spelling);
  if (!Number.isFinite(value)) return undefined;
  // Erlang reads what would lose precision below the normal doubles as zero, and its zero has no sign in JSON.
  if (Math.abs(value) < smallestNormal) return "0.0";
  const shortest = String(value);
  return /[.e]/.test(shortest) ? shortest : `${shortest}.0`;
}
