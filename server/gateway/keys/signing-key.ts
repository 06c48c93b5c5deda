/** Keys that sign access tokens: made, and turned to and from what is stored of them. */
import { randomBytes } from "node:crypto";
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from "jose";
import { seal, unseal } from "./sealed.js";

export const tokenAlgorithms = ["HS256", "RS256", "ES256"] as const;
export type TokenAlgorithm = (typeof tokenAlgorithms)[number];

/** With `kty`, which JWKs always have. */
export type PublicJwk = JWK & { readonly kty: string };

export interface SigningKey {
  readonly kid: string;
  readonly algorithm: TokenAlgorithm;
  /** Signs; with HS256 it verifies as well. */
  readonly secret: CryptoKey | Uint8Array;
  readonly verifier: CryptoKey | Uint8Array;
  /** For `jwks.json`. None with HS256. */
  readonly publicJwk?: PublicJwk;
  /** Milliseconds since 1970, as below. */
  readonly createdAt: number;
  /** What it signed is refused from then on. Absent of the one that signs. */
  readonly retiresAt?: number;
}

export interface StoredKey {
  readonly kid: string;
  readonly alg: TokenAlgorithm;
  /** The private JWK, sealed with a key that is derived from the server's secret. */
  readonly sealed: string;
  readonly createdAt: number;
  readonly retiresAt?: number;
}

const kidBytes = 12;

export async function newStoredKey(algorithm: TokenAlgorithm, sealingKey: Buffer, now: number): Promise<StoredKey> {
  const kid = randomBytes(kidBytes).toString("base64url");
  const jwk = await newPrivateJwk(algorithm);
  return { kid, alg: algorithm, sealed: seal(sealingKey, JSON.stringify(jwk), kid), createdAt: now };
}

async function newPrivateJwk(algorithm: TokenAlgorithm): Promise<JWK> {
  if (algorithm === "HS256") return { kty: "oct", k: randomBytes(32).toString("base64url") };
  return exportJWK((await generateKeyPair(algorithm, { extractable: true })).privateKey);
}

/** Undefined when the server's secret has become another one since. */
export async function openStoredKey(stored: StoredKey, sealingKey: Buffer): Promise<SigningKey | undefined> {
  const { kid, alg: algorithm, createdAt, retiresAt } = stored;
  const text = unseal(sealingKey, stored.sealed, kid);
  if (text === undefined) return undefined;
  const jwk = JSON.parse(text) as JWK;
  const times = { createdAt, ...(retiresAt === undefined ? {} : { retiresAt }) };
  const secret = await importJWK(jwk, algorithm);
  if (algorithm === "HS256") return { kid, algorithm, secret, verifier: secret, ...times };
  const publicJwk = { ...publicPart(jwk), kid, alg: algorithm, use: "sig" };
  return { kid, algorithm, secret, verifier: await importJWK(publicJwk, algorithm), publicJwk, ...times };
}

/** By name: what is not on the list can be private. */
function publicPart({ kty, n, e, crv, x, y }: JWK): PublicJwk {
  return (kty === "RSA" ? { kty, n, e } : { kty, crv, x, y }) as PublicJwk;
}
