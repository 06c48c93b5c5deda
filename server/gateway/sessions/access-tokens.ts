/**
 * Access tokens: JWTs with the claims that CouchDB's own JWT handler reads (`sub`, `_couchdb.roles`). Who the caller is
 * comes from the token; what they may do comes from their account as it is now, and whether the token is still worth
 * anything from its session.
 */
import { createHash } from "node:crypto";
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { LRUCache } from "lru-cache";
import type { KeyRing } from "../keys/key-ring.js";
import type { SigningKey } from "../keys/signing-key.js";
import type { Principal } from "../principals.js";
import { sessionIdForm } from "./session-record.js";

export interface AccessTokenOptions {
  readonly issuer: string;
  readonly audience: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What a genuine token says. */
export interface AccessClaims {
  readonly name: string;
  readonly sessionId: string;
  /** Seconds since 1970. */
  readonly expires: number;
  /** Names the key that signed it. */
  readonly kid: string;
}

/** About 300 bytes each. */
const maxVerified = 20_000;
/** Longer ones are not ours; hashing megabytes for a stranger is not either. */
const maxLength = 8_192;
const compactForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

/** Whether the text could be a JWT at all. */
export function looksLikeToken(text: string): boolean {
  return compactForm.test(text);
}

export class AccessTokens {
  readonly #options: AccessTokenOptions;
  readonly #keys: KeyRing;
  readonly #verified = new LRUCache<string, AccessClaims>({ max: maxVerified });

  constructor(options: AccessTokenOptions, keys: KeyRing) {
    this.#options = options;
    this.#keys = keys;
  }

  issue(principal: Principal, sessionId: string, seconds: number): Promise<string> {
    const { issuer, audience } = this.#options;
    const { kid, algorithm, secret } = this.#keys.signing;
    const issuedAt = this.#seconds();
    return new SignJWT({ "_couchdb.roles": principal.roles, sid: sessionId })
      .setProtectedHeader({ alg: algorithm, typ: "JWT", kid })
      .setSubject(principal.name)
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + seconds)
      .sign(secret);
  }

  /** Undefined unless the token is one of ours and its time is not over. At once when it was seen before. */
  verify(token: string): AccessClaims | undefined | Promise<AccessClaims | undefined> {
    if (token.length > maxLength) return undefined;
    const known = this.#verified.get(hashOf(token));
    return known ? this.#current(known) : this.#read(token);
  }

  /** What `verify` answers at once. */
  remembered(token: string): AccessClaims | undefined {
    const known = token.length > maxLength ? undefined : this.#verified.get(hashOf(token));
    return known && this.#current(known);
  }

  #current(claims: AccessClaims): AccessClaims | undefined {
    return claims.expires > this.#seconds() && this.#keys.find(claims.kid) ? claims : undefined;
  }

  async #read(token: string): Promise<AccessClaims | undefined> {
    const key = await this.#keyOf(token);
    const payload = key && (await this.#payload(token, key));
    if (!payload) return undefined;
    const { sub, exp, sid } = payload;
    if (typeof sub !== "string" || typeof exp !== "number") return undefined;
    if (typeof sid !== "string" || !sessionIdForm.test(sid)) return undefined;
    const claims = { name: sub, sessionId: sid, expires: exp, kid: key.kid };
    this.#verified.set(hashOf(token), claims);
    return claims;
  }

  /** The name of a key is looked up among ours and nowhere else: it is no path, no URL and no query. */
  async #keyOf(token: string): Promise<SigningKey | undefined> {
    try {
      const { kid } = decodeProtectedHeader(token);
      if (typeof kid !== "string") return undefined;
      return this.#keys.find(kid) ?? (await this.#keys.look(kid));
    } catch (error) {
      if (error instanceof TypeError) return undefined;
      throw error;
    }
  }

  async #payload(token: string, { algorithm, verifier }: SigningKey): Promise<JWTPayload | undefined> {
    const { issuer, audience, now } = this.#options;
    try {
      const { payload } = await jwtVerify(token, verifier, {
        // The key's own: the header is the sender's and must not choose how it is checked.
        algorithms: [algorithm],
        issuer,
        audience,
        currentDate: new Date(now()),
        requiredClaims: ["sub", "exp", "iat"],
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  #seconds(): number {
    return Math.floor(this.#options.now() / 1000);
  }
}

/** In place of the token itself, which is ten times as long. */
function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
