/** The one way in which secrets are compared. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const key = randomBytes(32);

/**
 * True when both are the same bytes. Both sides are hashed under a random key first, so that neither the first
 * differing byte nor the length shows in the time that the answer takes.
 */
export function sameSecret(given: string | Buffer, expected: string | Buffer): boolean {
  return timingSafeEqual(blind(given), blind(expected));
}

function blind(value: string | Buffer): Buffer {
  return createHmac("sha256", key).update(value).digest();
}
