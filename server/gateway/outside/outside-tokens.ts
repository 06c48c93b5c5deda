/** JWTs of outside issuers: checked with their keys, for an account here. */
import { createHash } from "node:crypto";
import {
  type CryptoKey,
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  errors,
  importJWK,
  importSPKI,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from "jose";
import { LRUCache } from "lru-cache";
import { CouchError } from "../../../protocol/errors.js";
import { boundedFetch } from "./bounded-fetch.js";
import { type RoleRules, rolesOf, textAt } from "./claims.js";
import type { OutsideIdentity } from "./outside-accounts.js";

/** With a secret that both know, whoever can check a token can make one: such a key stands in the settings or nowhere. */
export interface IssuerKey {
  readonly kid?: string | undefined;
  readonly algorithm: string;
  /** One of the two: a public key, or any key. */
  readonly pem?: string | undefined;
  readonly jwk?: Readonly<Record<string, unknown>> | undefined;
}

export interface JwtIssuer {
  /** `iss`, to the letter. */
  readonly issuer: string;
  readonly audience: string | readonly string[];
  readonly jwksUrl?: string | undefined;
  readonly keys?: readonly IssuerKey[] | undefined;
  /** Of keys behind `jwksUrl`. */
  readonly algorithms: readonly string[];
  /** Whose name it is here: the account that the identity is linked with, or the one that the claim names. */
  readonly accounts: "linked" | "named";
  readonly nameClaim: string;
  readonly roles: RoleRules;
  /** For whom there is no account yet one is made. */
  readonly createAccounts: boolean;
  /** Seconds by which clocks may differ. */
  readonly clockTolerance: number;
}

/** What a genuine token says. */
export interface OutsideClaims extends OutsideIdentity {
  readonly source: JwtIssuer;
  readonly roles: readonly string[];
  /** Milliseconds since 1970. */
  readonly until: number;
}

interface PinnedKey {
  readonly kid: string | undefined;
  readonly algorithm: string;
  readonly key: CryptoKey | Uint8Array;
}

type Checker = (token: string) => Promise<JWTPayload>;

/** About 500 bytes each. */
const maxVerified = 20_000;
const maxLength = 16_384;
/** Milliseconds. Keys that are not known are asked for at most so often, and after a failure too. */
const cooldown = 30_000;
const keysLife = 10 * 60_000;

export class OutsideTokens {
  readonly #issuers: ReadonlyMap<string, JwtIssuer>;
  readonly #now: () => number;
  readonly #checkers = new Map<string, Promise<Checker>>();
  readonly #verified = new LRUCache<string, OutsideClaims>({ max: maxVerified });

  /** @param now milliseconds since 1970 */
  constructor(issuers: readonly JwtIssuer[], now: () => number) {
    this.#issuers = new Map(issuers.map((issuer) => [issuer.issuer, issuer]));
    this.#now = now;
  }

  /**
   * Undefined unless the token is of one of the issuers, and good. At once when it was seen before.
   * Rejects with CouchError service_unavailable when the issuer's keys cannot be had.
   */
  verify(token: string): OutsideClaims | undefined | Promise<OutsideClaims | undefined> {
    if (this.#issuers.size === 0 || token.length > maxLength) return undefined;
    const hash = createHash("sha256").update(token).digest("base64");
    const known = this.#verified.get(hash);
    if (known) return known.until > this.#now() ? known : undefined;
    const issuer = this.#issuerOf(token);
    return issuer && this.#check(token, hash, issuer);
  }

  /** By what the token says of itself, which only chooses by whose keys it is checked. */
  #issuerOf(token: string): JwtIssuer | undefined {
    try {
      return this.#issuers.get(decodeJwt(token).iss ?? "");
    } catch {
      return undefined;
    }
  }

  async #check(token: string, hash: string, source: JwtIssuer): Promise<OutsideClaims | undefined> {
    let checker = this.#checkers.get(source.issuer);
    if (!checker) {
      checker = checkerOf(source, this.#now);
      this.#checkers.set(source.issuer, checker);
    }
    const payload = await checker
      .then((check) => check(token))
      .catch((error: unknown) => {
        if (error instanceof CouchError) throw error;
        if (error instanceof errors.JOSEError) return undefined;
        throw error;
      });
    const claims = payload && claimsOf(payload, source);
    if (claims) this.#verified.set(hash, claims);
    return claims;
  }
}

function claimsOf(payload: JWTPayload, source: JwtIssuer): OutsideClaims | undefined {
  const { sub, exp } = payload;
  const nameHint = textAt(payload, source.nameClaim);
  if (typeof sub !== "string" || sub === "" || typeof exp !== "number") return undefined;
  if (source.accounts === "named" && nameHint === undefined) return undefined;
  return {
    issuer: source.issuer,
    subject: sub,
    provider: URL.canParse(source.issuer) ? new URL(source.issuer).host : source.issuer,
    nameHint,
    source,
    roles: rolesOf(payload, source.roles),
    until: (exp + source.clockTolerance) * 1000,
  };
}

async function checkerOf(source: JwtIssuer, now: () => number): Promise<Checker> {
  const { issuer, audience, clockTolerance, jwksUrl } = source;
  const options = () => ({
    issuer,
    audience: typeof audience === "string" ? audience : [...audience],
    clockTolerance,
    currentDate: new Date(now()),
    requiredClaims: ["sub", "exp"],
  });
  if (jwksUrl !== undefined) {
    const getKey = remoteKeys(jwksUrl);
    return async (token) =>
      (await jwtVerify(token, getKey, { ...options(), algorithms: [...source.algorithms] })).payload;
  }
  const keys = await Promise.all((source.keys ?? []).map(pinned));
  return async (token) => {
    const getKey: JWTVerifyGetKey = ({ kid, alg }) => {
      // The key says by which algorithm it is used: the header must not turn a public key into a shared secret.
      const key = keys.find((each) => each.algorithm === alg && (each.kid === undefined || each.kid === kid));
      if (!key) throw new errors.JWKSNoMatchingKey();
      return key.key;
    };
    const algorithms = [...new Set(keys.map(({ algorithm }) => algorithm))];
    return (await jwtVerify(token, getKey, { ...options(), algorithms })).payload;
  };
}

/** @throws Error for what is no key of its algorithm */
export async function pinned({ kid, algorithm, pem, jwk }: IssuerKey): Promise<PinnedKey> {
  const key = pem === undefined ? await importJWK({ ...jwk }, algorithm) : await importSPKI(pem, algorithm);
  return { kid, algorithm, key };
}

function remoteKeys(url: string): JWTVerifyGetKey {
  let failedAt = Number.NEGATIVE_INFINITY;
  const fetchKeys = async (address: string, init: RequestInit): Promise<Response> => {
    if (performance.now() - failedAt < cooldown) throw unreachable();
    try {
      const response = await boundedFetch(address, init);
      if (!response.ok) throw new Error(`${address} answered ${response.status}.`);
      await response.clone().json();
      return response;
    } catch (error) {
      failedAt = performance.now();
      throw unreachable(error);
    }
  };
  return createRemoteJWKSet(new URL(url), {
    [customFetch]: fetchKeys,
    cooldownDuration: cooldown,
    cacheMaxAge: keysLife,
  });
}

function unreachable(cause?: unknown): CouchError {
  return new CouchError("service_unavailable", "The keys of the token's issuer cannot be had now.", { cause });
}
