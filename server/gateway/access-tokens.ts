/**
 * Access tokens: JWTs with the claims that CouchDB's own JWT handler reads (`sub`, `_couchdb.roles`). Who the caller is
 * comes from the token; what they may do comes from their account as it is now.
 */
import { createHash } from "node:crypto";
import jwt from "jsonwebtoken";
import { LRUCache } from "lru-cache";
import type { Fingerprints } from "./fingerprints.js";
import type { Principal } from "./principals.js";

export interface AccessTokenOptions {
  /** 32 bytes or more. */
  readonly key: Buffer;
  readonly issuer: string;
  /** Life of a token in seconds. */
  readonly seconds: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What a genuine token says. */
export interface AccessClaims {
  readonly name: string;
  readonly fingerprint: string;
  /** Seconds since 1970. */
  readonly expires: number;
}

/** About 200 bytes each. */
const maxVerified = 20_000;
/** Longer ones are not ours; hashing megabytes for a stranger is not either. */
const maxLength = 8_192;
/** Our claim that ties a token to a password; private claims are namespaced by custom. */
const fingerprintClaim = "settee.fingerprint";
const compactForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

/** Whether the text could be a JWT at all. */
export function looksLikeToken(text: string): boolean {
  return compactForm.test(text);
}

export class AccessTokens {
  readonly #options: AccessTokenOptions;
  readonly #fingerprints: Fingerprints;
  readonly #keyId: string;
  readonly #verified = new LRUCache<string, AccessClaims>({ max: maxVerified });

  constructor(options: AccessTokenOptions, fingerprints: Fingerprints) {
    this.#options = options;
    this.#fingerprints = fingerprints;
    this.#keyId = createHash("sha256").update("kid").update(options.key).digest("hex").slice(0, 16);
  }

  /** Seconds for which a new token lives. */
  get life(): number {
    return this.#options.seconds;
  }

  issue(principal: Principal): string {
    const issuedAt = this.#seconds();
    const claims = {
      sub: principal.name,
      "_couchdb.roles": principal.roles,
      [fingerprintClaim]: this.#fingerprints.of(principal),
      iss: this.#options.issuer,
      iat: issuedAt,
      exp: issuedAt + this.#options.seconds,
    };
    return jwt.sign(claims, this.#options.key, { algorithm: "HS256", keyid: this.#keyId });
  }

  /** Undefined unless the token is one of ours and its time is not over. */
  verify(token: string): AccessClaims | undefined {
    if (token.length > maxLength) return undefined;
    const hash = createHash("sha256").update(token).digest("base64");
    const known = this.#verified.get(hash);
    if (known) return known.expires > this.#seconds() ? known : undefined;
    const claims = this.#read(token);
    if (claims) this.#verified.set(hash, claims);
    return claims;
  }

  /** Whether the token was issued to this user, with the password they have now. */
  belongsTo(claims: AccessClaims, principal: Principal): boolean {
    return claims.name === principal.name && claims.fingerprint === this.#fingerprints.of(principal);
  }

  #read(token: string): AccessClaims | undefined {
    try {
      const { header, payload } = jwt.verify(token, this.#options.key, {
        // Pinned: the header is the sender's and must not choose how it is checked.
        algorithms: ["HS256"],
        issuer: this.#options.issuer,
        clockTimestamp: this.#seconds(),
        complete: true,
      });
      if (header.kid !== this.#keyId || typeof payload === "string") return undefined;
      const { sub, exp, [fingerprintClaim]: fingerprint } = payload;
      if (typeof sub !== "string" || typeof exp !== "number" || typeof fingerprint !== "string") return undefined;
      return { name: sub, fingerprint, expires: exp };
    } catch (error) {
      if (error instanceof jwt.JsonWebTokenError) return undefined;
      throw error;
    }
  }

  #seconds(): number {
    return Math.floor(this.#options.now() / 1000);
  }
}
