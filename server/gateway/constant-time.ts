/** The one way in which secrets are compared. */
import { timingSafeEqual } from "node:crypto";

/**
 * True when both are the same bytes, in a time that does not tell how many of the first are. Lengths do show: what is
 * expected here is always a digest, and everybody knows how long those are.
 */
export function sameSecret(given: string | Buffer, expected: string | Buffer): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
