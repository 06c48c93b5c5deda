/** A new password: with the one before, with a mailed token, or by whoever manages accounts. */
import { CouchError } from "../../../protocol/errors.js";
import type { UserName } from "../../../protocol/ids.js";
import type { Account, Accounts } from "../accounts.js";
import type { PasswordCheck } from "../password-check.js";
import type { PasswordHasher } from "../password-hasher.js";
import { type Pbkdf2Password, passwordMembers, type StoredPassword } from "../passwords.js";
import type { Fingerprints } from "../sessions/fingerprints.js";
import type { AccountOptions } from "./account-options.js";
import type { ActivityKind, ActivityLog } from "./activity-log.js";
import type { MailedTokens } from "./mailed-tokens.js";
import type { Mails } from "./mails.js";
import { passwordFingerprint } from "./password-fingerprint.js";
import { type Asker, checkPassword } from "./sign-ups.js";

export interface AccountPasswordsParts {
  readonly accounts: Accounts;
  readonly hasher: PasswordHasher;
  readonly passwordCheck: PasswordCheck;
  readonly fingerprints: Fingerprints;
  readonly tokens: MailedTokens;
  readonly mails: Mails;
  readonly activity: ActivityLog;
  readonly options: AccountOptions;
}

export class AccountPasswords {
  readonly #parts: AccountPasswordsParts;

  constructor(parts: AccountPasswordsParts) {
    this.#parts = parts;
  }

  /** @throws CouchError forbidden for a wrong password or when locked out */
  async prove(name: UserName, password: string, { address }: Asker): Promise<void> {
    try {
      await this.#parts.passwordCheck.authenticate({ name, password, address });
    } catch (error) {
      // Not 401: the caller is known, and a client would take that for the end of its session.
      const isWrong = error instanceof CouchError && error.error === "unauthorized";
      throw isWrong ? new CouchError("forbidden", "Your password is incorrect.") : error;
    }
  }

  /** Ends every session of the user. @throws CouchError forbidden, bad_request */
  async change(name: UserName, password: string, next: string, asker: Asker): Promise<Account> {
    checkPassword(next, this.#parts.options.minPasswordLength);
    await this.prove(name, password, asker);
    return this.set(name, next, "password_changed", asker);
  }

  /** `POST /_settee/password/forgot`: one write, whoever it is about. */
  async forgot(who: { readonly address: string } | { readonly user: string }, asker: Asker): Promise<void> {
    await this.#parts.mails.resetPassword(who, asker);
  }

  /** @throws CouchError forbidden for a token that is worth nothing, bad_request */
  async reset(token: string, next: string, asker: Asker): Promise<void> {
    const { tokens, hasher, options } = this.#parts;
    checkPassword(next, options.minPasswordLength);
    // Before anything is hashed: guessing at tokens must be cheap for us.
    await tokens.read(token, "reset-password");
    const hash = await hasher.hash(next);
    const { account } = await tokens.redeem(token, "reset-password");
    await this.#write(account.name, hash, "password_reset", asker);
  }

  /** Ends every session of the user. */
  async set(name: UserName, next: string, kind: ActivityKind, asker: Asker, by?: string): Promise<Account> {
    return this.#write(name, await this.#parts.hasher.hash(next), kind, asker, by);
  }

  /** After a log-in: the same password, hashed as passwords are today. Sessions stay, since the salt does. */
  async rehash(name: UserName, password: string, stored: StoredPassword): Promise<void> {
    const { accounts, hasher } = this.#parts;
    if (!isWeaker(stored, hasher.iterations)) return;
    const hash = await hasher.hash(password, stored.salt);
    await accounts.change(name, (account) => {
      // Another password since.
      if (account.password?.derivedKey !== stored.derivedKey) return undefined;
      return { ...passwordMembers(hash), password_sha: undefined };
    });
  }

  async #write(name: UserName, hash: Pbkdf2Password, kind: ActivityKind, asker: Asker, by?: string): Promise<Account> {
    const { accounts, fingerprints, mails, activity } = this.#parts;
    // Before the change: a crash in between must not lose the mail. Without the change it is not sent.
    await mails.passwordChanged(name, passwordFingerprint(fingerprints, { name, password: hash }), asker);
    const changed = await accounts.change(name, () => ({ ...passwordMembers(hash), password_sha: undefined }));
    if (!changed) throw new CouchError("not_found", "There is no such account.");
    await activity.record(name, kind, asker.address, by);
    return changed;
  }
}

function isWeaker(stored: StoredPassword, iterations: number): boolean {
  return stored.scheme === "simple" || stored.prf !== "sha256" || stored.iterations < iterations;
}
