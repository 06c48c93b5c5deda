/** Names an account's password, whatever its roles: what ends with the password is not to end with a role. */
import type { Principal } from "../principals.js";
import type { Fingerprints } from "../sessions/fingerprints.js";

export function passwordFingerprint(
  fingerprints: Fingerprints,
  { name, password, salt }: Pick<Principal, "name" | "password" | "salt">,
): string {
  return fingerprints.of({ name, roles: [], password, salt });
}
