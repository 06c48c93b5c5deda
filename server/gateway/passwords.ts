/**
 * Password hashes as CouchDB 3.5 keeps them: in `_users` documents (`password_scheme`, `derived_key`, ...) and, for
 * server administrators, in one line `-pbkdf2:sha256-DERIVED_KEY,SALT,ITERATIONS`. The salt is hexadecimal text that is
 * used as that text, not decoded: so does CouchDB.
 */
import { createHash, pbkdf2 } from "node:crypto";
import { promisify } from "node:util";
import { sameSecret } from "./constant-time.js";

/** CouchDB's names of the pseudo-random functions; `sha` is SHA-1, which is all that documents before 3.4 have. */
export type Prf = "sha" | "sha224" | "sha256" | "sha384" | "sha512";

export interface Pbkdf2Password {
  readonly scheme: "pbkdf2";
  readonly prf: Prf;
  /** Hexadecimal. */
  readonly derivedKey: string;
  readonly salt: string;
  readonly iterations: number;
}

/** Salted SHA-1, from the days before CouchDB 1.3. */
export interface SimplePassword {
  readonly scheme: "simple";
  /** Hexadecimal SHA-1 of password and salt. */
  readonly derivedKey: string;
  readonly salt: string;
}

export type StoredPassword = Pbkdf2Password | SimplePassword;

/** What a document may ask of us: without an upper bound, one document could keep a processor busy for hours. */
export const maxIterations = 10_000_000;

const digests: Record<Prf, { readonly node: string; readonly bytes: number }> = {
  sha: { node: "sha1", bytes: 20 },
  sha224: { node: "sha224", bytes: 28 },
  sha256: { node: "sha256", bytes: 32 },
  sha384: { node: "sha384", bytes: 48 },
  sha512: { node: "sha512", bytes: 64 },
};

const derive = promisify(pbkdf2);

/** Hexadecimal derived key. Runs in the thread pool. */
export async function derivedKeyOf(password: string, salt: string, iterations: number, prf: Prf): Promise<string> {
  const { node, bytes } = digests[prf];
  return (await derive(password, salt, iterations, bytes, node)).toString("hex");
}

export async function passwordMatches(password: string, stored: StoredPassword): Promise<boolean> {
  const derived =
    stored.scheme === "simple"
      ? createHash("sha1").update(password).update(stored.salt).digest("hex")
      : await derivedKeyOf(password, stored.salt, stored.iterations, stored.prf);
  return sameSecret(derived, stored.derivedKey.toLowerCase());
}

/** The hash in a user document; undefined when there is none that could ever match (such a user cannot log in). */
export function readStoredPassword(document: Readonly<Record<string, unknown>>): StoredPassword | undefined {
  const { password_scheme: scheme, salt, derived_key: derivedKey, password_sha: sha } = document;
  if (typeof salt !== "string") return undefined;
  if (scheme === "simple" || (scheme === undefined && sha !== undefined)) {
    return typeof sha === "string" && sha !== "" ? { scheme: "simple", derivedKey: sha, salt } : undefined;
  }
  if (scheme !== "pbkdf2" || typeof derivedKey !== "string") return undefined;
  return pbkdf2Password(document.pbkdf2_prf ?? "sha", derivedKey, salt, document.iterations);
}

/** The members of a user document that hold the hash. */
export function passwordMembers(password: Pbkdf2Password): Readonly<Record<string, string | number>> {
  return {
    password_scheme: "pbkdf2",
    pbkdf2_prf: password.prf,
    derived_key: password.derivedKey,
    salt: password.salt,
    iterations: password.iterations,
  };
}

/** Every member that has to do with a hash, whatever the scheme. */
export const passwordMemberNames = [
  "password_scheme",
  "pbkdf2_prf",
  "derived_key",
  "salt",
  "iterations",
  "password_sha",
] as const;

export function formatAdminPassword({ prf, derivedKey, salt, iterations }: Pbkdf2Password): string {
  const name = prf === "sha" ? "-pbkdf2-" : `-pbkdf2:${prf}-`;
  return `${name}${derivedKey},${salt},${iterations}`;
}

const adminPassword = /^-pbkdf2(?::([a-z0-9]+))?-([0-9a-fA-F]+),([^,]+),([0-9]+)$/;

/** Undefined when the line is not of that form. */
export function parseAdminPassword(line: string): Pbkdf2Password | undefined {
  const match = adminPassword.exec(line);
  if (!match) return undefined;
  const [, prf = "sha", derivedKey = "", salt = "", iterations] = match;
  return pbkdf2Password(prf, derivedKey, salt, Number(iterations));
}

function pbkdf2Password(
  prf: unknown,
  derivedKey: string,
  salt: string,
  iterations: unknown,
): Pbkdf2Password | undefined {
  if (typeof prf !== "string" || !Object.hasOwn(digests, prf)) return undefined;
  if (typeof iterations !== "number" || !Number.isInteger(iterations)) return undefined;
  if (iterations < 1 || iterations > maxIterations) return undefined;
  // A key of another length would never match; an empty one must not be able to.
  if (derivedKey.length !== digests[prf as Prf].bytes * 2) return undefined;
  return { scheme: "pbkdf2", prf: prf as Prf, derivedKey, salt, iterations };
}
