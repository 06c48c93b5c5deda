/** Builds what accounts and the checking of their passwords are made of, starts it and closes it. */
import type { UserName } from "../../../protocol/ids.js";
import type { Backend } from "../../backend/backend.js";
import type { Accounts } from "../accounts.js";
import type { CompleteGatewayOptions } from "../gateway-options.js";
import { PasswordCheck } from "../password-check.js";
import type { PasswordHasher } from "../password-hasher.js";
import type { Principal, Principals } from "../principals.js";
import type { Provisioning } from "../provisioning.js";
import type { Fingerprints } from "../sessions/fingerprints.js";
import { keyFor } from "../sessions/sessions-part.js";
import type { Throttle } from "../throttle.js";
import { VerifiedPasswords } from "../verified-passwords.js";
import { defaultAccountOptions } from "./account-options.js";
import { AccountServices } from "./account-services.js";
import { Emails } from "./emails.js";

export interface PeoplePartOptions {
  readonly backend: Backend;
  readonly accounts: Accounts;
  readonly principals: Principals;
  readonly hasher: PasswordHasher;
  readonly throttle: Throttle;
  readonly fingerprints: Fingerprints;
  readonly provisioning: Provisioning;
  /** Of an account that is removed. */
  readonly removeDatabases: (user: UserName) => Promise<void>;
  readonly options: CompleteGatewayOptions;
}

export class PeoplePart {
  readonly passwordCheck: PasswordCheck;
  readonly services: AccountServices;
  readonly #emails: Emails;
  readonly #principals: Principals;
  readonly #onError: (error: unknown) => void;

  constructor({ throttle, options, ...parts }: PeoplePartOptions) {
    const { now, secret, onError, mail } = options;
    this.#principals = parts.principals;
    this.#onError = onError;
    this.#emails = new Emails(parts.backend, parts.accounts, now);
    this.passwordCheck = new PasswordCheck({
      principals: parts.principals,
      hasher: parts.hasher,
      verified: new VerifiedPasswords({ life: options.verifiedPasswordSeconds * 1000, now }),
      throttle,
      ownerOfEmail: (text) => this.#emails.ownerOf(text),
      onChecked: (principal, { password, address }, isRight) => this.#checked(principal, password, address, isRight),
    });
    this.services = new AccountServices({
      ...parts,
      emails: this.#emails,
      passwordCheck: this.passwordCheck,
      options: { ...defaultAccountOptions, ...options.accounts },
      mail,
      keyFor: (purpose) => keyFor(purpose, secret),
      now,
      onError,
    });
  }

  start(): void {
    this.#emails.start();
  }

  close(): void {
    this.#emails.close();
    this.services.close();
  }

  /** Refuses who lacks a second factor that the account has. @throws CouchError unauthorized, forbidden */
  readonly checkSecondFactor = (principal: Principal, code: string | undefined, address: string): Promise<void> =>
    this.services.secondFactors.check(principal, code, address);

  /** To be told of each log-in. */
  readonly loggedIn = async ({ name }: Principal, address: string): Promise<void> => {
    if (!this.#principals.isAdmin(name)) await this.services.activity.record(name, "logged_in", address);
  };

  /** In the background: neither an answer nor the time that it takes tells of it. */
  #checked({ name, password: stored }: Principal, password: string, address: string, isRight: boolean): void {
    if (this.#principals.isAdmin(name)) return;
    const { activity, passwords } = this.services;
    if (!isRight) void activity.record(name, "log_in_failed", address);
    else if (stored) passwords.rehash(name, password, stored).catch(this.#onError);
  }
}
