/**
 * Ties what was handed out to what its user was then: a session carries its user's fingerprint, and once the password or
 * the roles change (or the user is gone) the fingerprints differ and the session is worth nothing.
 */
import { createHmac } from "node:crypto";
import { type Principal, saltOf } from "../principals.js";

/** 64 bits: it is compared with one value and never looked up, so accidents are all there is to fear. */
const hexDigits = 16;

export class Fingerprints {
  readonly #key: Buffer;
  /** Principals are objects that stay the same until their document changes. */
  readonly #known = new WeakMap<Principal, string>();

  /** @param key keyed, because tokens are readable: without it they would let their holder test guesses */
  constructor(key: Buffer) {
    this.#key = key;
  }

  /** The salt stands for the password: every new one has a new salt, and a stronger hash of the same one may keep it. */
  of(principal: Principal): string {
    const known = this.#known.get(principal);
    if (known !== undefined) return known;
    const parts = JSON.stringify([principal.name, saltOf(principal), [...principal.roles].sort()]);
    const fingerprint = createHmac("sha256", this.#key).update(parts).digest("hex").slice(0, hexDigits);
    this.#known.set(principal, fingerprint);
    return fingerprint;
  }
}
