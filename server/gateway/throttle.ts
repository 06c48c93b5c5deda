/**
 * The lock-out on guessing, as CouchDB 3.4 and later have it: five failures of one name from one address within five
 * minutes, and that pair is refused, the right password included, until the five minutes are over.
 */
import { LRUCache } from "lru-cache";
import { CouchError } from "../../protocol/errors.js";
import { networkOf } from "./network.js";
import { type Principal, saltOf } from "./principals.js";

/** `[chttpd_auth_lockout]`, in CouchDB's words. */
export interface LockOut {
  /** warn: it is told and nothing more. */
  readonly mode: "off" | "warn" | "enforce";
  /** Failures after which a pair is locked out. */
  readonly threshold: number;
  /** Milliseconds in which they count, and after which they are forgotten. */
  readonly maxLifetime: number;
  /** Pairs that are remembered; a flood of others costs the ones that failed least lately. */
  readonly maxObjects: number;
}

export interface ThrottleOptions {
  readonly lockOut: LockOut;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of each attempt of a pair that is, or would be, locked out. */
  readonly onLockedOut: (pair: { readonly name: string; readonly address: string }) => void;
}

export interface Attempt {
  readonly name: string;
  readonly address: string;
}

interface Failures {
  count: number;
  readonly since: number;
}

export class Throttle {
  #pairs: LRUCache<string, Failures>;
  #lockOut: LockOut;
  readonly #options: ThrottleOptions;

  constructor(options: ThrottleOptions) {
    this.#options = options;
    this.#lockOut = options.lockOut;
    this.#pairs = new LRUCache({ max: options.lockOut.maxObjects });
  }

  /** Takes effect at once; what was counted is counted, unless the table has another size. */
  set lockOut(lockOut: LockOut) {
    if (lockOut.maxObjects !== this.#lockOut.maxObjects) {
      const kept = [...this.#pairs.entries()].slice(0, lockOut.maxObjects).reverse();
      this.#pairs = new LRUCache({ max: lockOut.maxObjects });
      for (const [pair, failures] of kept) this.#pairs.set(pair, failures);
    }
    this.#lockOut = lockOut;
  }

  /** @throws CouchError forbidden when the pair is locked out */
  check({ name, address }: Attempt, principal: Principal | undefined): void {
    if (this.#pairs.size === 0 || this.#lockOut.mode === "off") return;
    const failures = this.#current(pairOf(name, address, principal));
    if (failures === undefined || failures.count < this.#lockOut.threshold) return;
    this.#options.onLockedOut({ name, address });
    if (this.#lockOut.mode === "warn") return;
    throw new CouchError("forbidden", "Account is temporarily locked due to multiple authentication failures");
  }

  /**
   * Counts an attempt as failed, to be called before the password is looked at: a hundred guesses sent at once are
   * then a hundred failures, and not a hundred that were all let in before the first one failed.
   */
  attempt({ name, address }: Attempt, principal: Principal | undefined): void {
    if (this.#lockOut.mode === "off") return;
    const pair = pairOf(name, address, principal);
    const failures = this.#current(pair);
    if (failures) failures.count++;
    else this.#pairs.set(pair, { count: 1, since: this.#options.now() });
  }

  /** The attempt was never looked at: it does not count. */
  withdraw({ name, address }: Attempt, principal: Principal | undefined): void {
    const failures = this.#current(pairOf(name, address, principal));
    if (failures && failures.count > 0) failures.count--;
  }

  /** The password was right: earlier failures are forgotten. */
  succeeded({ name, address }: Attempt, principal: Principal | undefined): void {
    if (this.#pairs.size > 0) this.#pairs.delete(pairOf(name, address, principal));
  }

  #current(pair: string): Failures | undefined {
    const failures = this.#pairs.get(pair);
    if (!failures || failures.since + this.#lockOut.maxLifetime > this.#options.now()) return failures;
    this.#pairs.delete(pair);
    return undefined;
  }
}

/**
 * With the salt, as in CouchDB: who got a new password begins anew. Neither networks nor salts hold spaces, so two pairs
 * cannot share a key. Names are cut: a guess must not fill the memory.
 */
function pairOf(name: string, address: string, principal: Principal | undefined): string {
  return `${networkOf(address)} ${principal ? saltOf(principal) : ""} ${name.slice(0, 256)}`;
}
