/**
 * Ties what was handed out to the password it was handed out for: a token carries its user's fingerprint, and once the
 * stored hash changes (or the user is gone) the fingerprints differ and the token is worth nothing.
 */
import { createHmac } from "node:crypto";
import type { StoredPassword } from "./passwords.js";
import type { Principal } from "./principals.js";

/** 64 bits: it is compared with one value and never looked up, so accidents are all there is to fear. */
const hexDigits = 16;

export class Fingerprints {
  readonly #key: Buffer;
  /** Principals are objects that stay the same until their document changes. */
  readonly #known = new WeakMap<StoredPassword, string>();

  /** @param key keyed, because tokens are readable: without it they would let their holder test guesses */
  constructor(key: Buffer) {
    this.#key = key;
  }

  of({ name, password }: Principal): string {
    const known = password && this.#known.get(password);
    if (known !== undefined) return known;
    const parts = JSON.stringify([name, password?.scheme, password?.derivedKey, password?.salt]);
    const fingerprint = createHmac("sha256", this.#key).update(parts).digest("hex").slice(0, hexDigits);
    if (password) this.#known.set(password, fingerprint);
    return fingerprint;
  }
}
