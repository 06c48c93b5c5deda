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
  /** The user whose verified address somebody logs in with; undefined for anything else. */
  readonly ownerOfEmail?: (text: string) => Promise<string | undefined>;
  /** Told of each password that was looked at; of unknown names nothing. */
  readonly onChecked?: (principal: Principal, attempt: PasswordAttempt, isRight: boolean) => void;
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
   * At once (no promise) when this password was found right before. The name may be a verified address.
   * @throws CouchError unauthorized, or forbidden when locked out or not verified yet; rejects with the same
   */
  authenticate(attempt: PasswordAttempt): Principal | Promise<Principal> {
    const { principals } = this.#parts;
    const found = attempt.name.includes("@") ? this.#findByEmail(attempt.name) : principals.find(attempt.name);
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
    return mayLogIn(principal);
  }

  /** The address first: a name that is somebody's address must not stand in their way. */
  async #findByEmail(text: string): Promise<Principal | undefined> {
    const owner = await this.#parts.ownerOfEmail?.(text);
    return this.#parts.principals.find(owner ?? text);
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
    return mayLogIn(principal);
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
    if (principal) this.#parts.onChecked?.(principal, attempt, isRight);
    return isRight;
  }
}

/** Told to nobody but who has the password. */
function mayLogIn(principal: Principal): Principal {
  if (principal.closed !== "unverified") return principal;
  throw new CouchError("forbidden", "Confirm your e-mail address first: look into your mail.");
}
