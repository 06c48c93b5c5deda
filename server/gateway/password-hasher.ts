/** Makes and checks password hashes, a few at a time. */
import { randomBytes } from "node:crypto";
import { CouchError } from "../../protocol/errors.js";
import { derivedKeyOf, maxIterations, type Pbkdf2Password, passwordMatches, type StoredPassword } from "./passwords.js";

/** CouchDB 3.5's default, and OWASP's advice for PBKDF2 with SHA-256. */
export const defaultIterations = 600_000;
/** Two of the thread pool's four threads: log-ins must not keep file I/O waiting. */
const atOnce = 2;
/** At a tenth of a second each, the last of these waits about five seconds. */
const maxWaiting = 100;
/** What the hash of nobody is made with. */
const nobodysSalt = "00000000000000000000000000000000";

export class PasswordHasher {
  #iterations: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(iterations: number = defaultIterations) {
    this.#iterations = checkedIterations(iterations);
  }

  /** Of new passwords. */
  get iterations(): number {
    return this.#iterations;
  }

  set iterations(iterations: number) {
    this.#iterations = checkedIterations(iterations);
  }

  /** Hashes that wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** A new hash, with a new salt unless one is given. @throws CouchError service_unavailable when too many wait */
  async hash(password: string, salt = randomBytes(16).toString("hex")): Promise<Pbkdf2Password> {
    const { iterations } = this;
    const derivedKey = await this.#inTurn(() => derivedKeyOf(password, salt, iterations, "sha256"));
    return { scheme: "pbkdf2", prf: "sha256", derivedKey, salt, iterations };
  }

  /**
   * False for a user who has no hash (`stored` undefined) too, after the same work as for one who has: the time that a
   * refusal takes must not tell which names exist. @throws CouchError service_unavailable when too many wait
   */
  verify(password: string, stored: StoredPassword | undefined): Promise<boolean> {
    return this.#inTurn(async () => {
      if (stored && (await passwordMatches(password, stored))) return true;
      const spent = stored?.scheme === "pbkdf2" ? stored.iterations : 0;
      // Hashes from older servers are cheap to check; the rest of the usual price is paid here.
      if (spent < this.iterations) await derivedKeyOf(password, nobodysSalt, this.iterations - spent, "sha256");
      return false;
    });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < atOnce) {
      this.#running++;
    } else {
      if (this.#waiting.length >= maxWaiting) {
        throw new CouchError("service_unavailable", "Too many log-ins at once. Try again later.");
      }
      // Whoever finishes hands its place on, so `#running` stays as it is.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}

/** @throws RangeError */
function checkedIterations(iterations: number): number {
  if (Number.isInteger(iterations) && iterations >= 1 && iterations <= maxIterations) return iterations;
  throw new RangeError(`Password iterations must be a whole number from 1 to ${maxIterations}.`);
}
