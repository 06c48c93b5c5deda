/**
 * CouchDB's proxy authentication: somebody in front of us who shares a secret has already found out who is asking, and
 * says so in `X-Auth-CouchDB-UserName`, `-Roles` and `-Token` (HMAC of the name, hexadecimal).
 */
import { createHmac } from "node:crypto";
import { CouchError } from "../../protocol/errors.js";
import { parseUserName } from "../../protocol/ids.js";
import type { Identity } from "../../protocol/security.js";
import { isOrdinaryRole } from "./accounts.js";
import { sameSecret } from "./constant-time.js";

export interface ProxyHeaders {
  readonly userName?: string | undefined;
  readonly roles?: string | undefined;
  readonly token?: string | undefined;
}

/** What CouchDB 3.5 accepts; SHA-1 for proxies that were written for older ones. */
const algorithms = ["sha256", "sha1"];

/**
 * Undefined when the headers prove nothing: CouchDB goes on as if they were not there.
 * @param isAdmin the token signs the name alone, so that whether it is an administrator's is not for the headers to say
 */
export function proxyIdentity(
  { userName, roles, token }: ProxyHeaders,
  secret: string,
  isAdmin: (name: string) => boolean,
): Identity | undefined {
  if (!userName || !token) return undefined;
  const given = token.toLowerCase();
  const isGenuine = algorithms
    .map((algorithm) => sameSecret(given, createHmac(algorithm, secret).update(userName).digest("hex")))
    .includes(true);
  if (!isGenuine) return undefined;
  try {
    const name = parseUserName(userName);
    const ordinary = (roles ?? "").split(",").filter((role) => role !== "" && isOrdinaryRole(role));
    return { name, roles: isAdmin(name) ? ["_admin", ...ordinary] : ordinary, method: "proxy" };
  } catch (error) {
    if (error instanceof CouchError) return undefined;
    throw error;
  }
}
