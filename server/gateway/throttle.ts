/**
 * The lock-out on guessing, as CouchDB 3.4 and later have it: five failures of one name from one address within five
 * minutes, and that pair is refused, the right password included, until the five minutes are over.
 */
import { LRUCache } from "lru-cache";
import { CouchError } from "../../protocol/errors.js";

const maxPairs = 10_000;

export interface ThrottleOptions {
  /** Failures after which a pair is locked out. */
  readonly failures: number;
  /** Milliseconds in which they count, and after which they are forgotten. */
  readonly window: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

interface Failures {
  count: number;
  readonly since: number;
}

export class Throttle {
  readonly #pairs = new LRUCache<string, Failures>({ max: maxPairs });
  readonly #options: ThrottleOptions;

  constructor(options: ThrottleOptions) {
    this.#options = options;
  }

  /** @throws CouchError forbidden when the pair is locked out */
  check(name: string, address: string): void {
    if (this.#pairs.size === 0) return;
    const failures = this.#current(name, address);
    if (failures !== undefined && failures.count >= this.#options.failures) {
      throw new CouchError("forbidden", "Account is temporarily locked due to multiple authentication failures");
    }
  }

  /**
   * Counts an attempt as failed, to be called before the password is looked at: a hundred guesses sent at once are
   * then a hundred failures, and not a hundred that were all let in before the first one failed.
   */
  attempt(name: string, address: string): void {
    const failures = this.#current(name, address);
    if (failures) failures.count++;
    else this.#pairs.set(pairOf(name, address), { count: 1, since: this.#options.now() });
  }

  /** The attempt was never looked at: it does not count. */
  withdraw(name: string, address: string): void {
    const failures = this.#current(name, address);
    if (failures && failures.count > 0) failures.count--;
  }

  /** The password was right: earlier failures are forgotten. */
  succeeded(name: string, address: string): void {
    if (this.#pairs.size > 0) this.#pairs.delete(pairOf(name, address));
  }

  #current(name: string, address: string): Failures | undefined {
    const pair = pairOf(name, address);
    const failures = this.#pairs.get(pair);
    if (!failures || failures.since + this.#options.window > this.#options.now()) return failures;
    this.#pairs.delete(pair);
    return undefined;
  }
}

/** Addresses hold no spaces, so two pairs cannot share a key. Names are cut: a guess must not fill the memory. */
function pairOf(name: string, address: string): string {
  return `${address} ${name.slice(0, 256)}`;
}
