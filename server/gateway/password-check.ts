/** Name and password to an identity: for HTTP Basic, `POST /_session` and the password grant alike. */
import { CouchError } from "../../protocol/errors.js";
import type { PasswordHasher } from "./password-hasher.js";
import type { Principal, Principals } from "./principals.js";
import type { Throttle } from "./throttle.js";
import type { VerifiedPasswords } from "./verified-passwords.js";

export interface PasswordCheckParts {
  readonly principals: Principals;
  readonly hasher: PasswordHasher;
  readonly verified: VerifiedPasswords;
  readonly throttle: Throttle;
}

export interface PasswordAttempt {
  readonly name: string;
  readonly password: string;
  /** Where the request came from, for the lock-out. */
  readonly address: string;
}

export function wrongCredentials(): CouchError {
  return new CouchError("unauthorized", "Name or password is incorrect.");
}

export class PasswordCheck {
  readonly #parts: PasswordCheckParts;
  /** Verifications under way: a client that opens ten connections at once is one attempt, not ten. */
  readonly #running = new Map<string, Promise<boolean>>();

  constructor(parts: PasswordCheckParts) {
    this.#parts = parts;
  }

  /**
   * At once (no promise) when this password was found right before.
   * @throws CouchError unauthorized, or forbidden when locked out; rejects with the same
   */
  authenticate(attempt: PasswordAttempt): Principal | Promise<Principal> {
    const found = this.#parts.principals.find(attempt.name);
    return found instanceof Promise
      ? found.then((principal) => this.#check(attempt, principal))
      : this.#check(attempt, found);
  }

  #check(attempt: PasswordAttempt, principal: Principal | undefined): Principal | Promise<Principal> {
    const { verified, throttle } = this.#parts;
    // Before the memory of right passwords too: a locked-out guesser must not learn that a guess was right.
    throttle.check(attempt, principal);
    const fingerprint = verified.fingerprint(attempt.name, attempt.password, principal?.password);
    if (!principal || !verified.has(fingerprint)) return this.#verify(attempt, principal, fingerprint);
    throttle.succeeded(attempt, principal);
    return principal;
  }

  async #verify(attempt: PasswordAttempt, principal: Principal | undefined, fingerprint: string): Promise<Principal> {
    const key = `${attempt.address} ${fingerprint}`;
    let running = this.#running.get(key);
    if (!running) {
      running = this.#hash(attempt, principal, fingerprint).finally(() => this.#running.delete(key));
      this.#running.set(key, running);
    }
    const isRight = await running;
    if (!principal || !isRight) throw wrongCredentials();
    return principal;
  }

  async #hash(attempt: PasswordAttempt, principal: Principal | undefined, fingerprint: string): Promise<boolean> {
    const { hasher, throttle, verified } = this.#parts;
    throttle.check(attempt, principal);
    throttle.attempt(attempt, principal);
    // A user who does not exist costs the same as a wrong password.
    const isRight = await hasher.verify(attempt.password, principal?.password).catch((error: unknown) => {
      // Too busy to look: that was no guess.
      throttle.withdraw(attempt, principal);
      throw error;
    });
    if (isRight) {
      throttle.succeeded(attempt, principal);
      verified.add(fingerprint);
    }
    return isRight;
  }
}
