/**
 * Remembers which passwords were right, so that HTTP Basic does not cost a tenth of a second on every request. What is
 * kept is a keyed hash over the user, the stored hash and the password: never the password, and a changed user document
 * can never match again.
 */
import { createHmac, randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { StoredPassword } from "./passwords.js";

/** About 150 bytes each. */
const maxEntries = 10_000;

export interface VerifiedPasswordsOptions {
  /** Milliseconds for which a verified password is remembered. */
  readonly life: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class VerifiedPasswords {
  readonly #key = randomBytes(32);
  /** Fingerprint to the time at which it is forgotten. */
  readonly #until = new LRUCache<string, number>({ max: maxEntries });
  readonly #options: VerifiedPasswordsOptions;

  constructor(options: VerifiedPasswordsOptions) {
    this.#options = options;
  }

  /** Names this password for this user and stored hash; good as a key in memory, useless outside of this process. */
  fingerprint(name: string, password: string, stored: StoredPassword | undefined): string {
    const parts = JSON.stringify([name, stored?.derivedKey, stored?.salt, password]);
    return createHmac("sha256", this.#key).update(parts).digest("base64");
  }

  has(fingerprint: string): boolean {
    const until = this.#until.get(fingerprint);
    return until !== undefined && until > this.#options.now();
  }

  add(fingerprint: string): void {
    this.#until.set(fingerprint, this.#options.now() + this.#options.life);
  }
}
