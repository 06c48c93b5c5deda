/** Those who can prove who they are: server administrators first, then accounts. */

import type { UserName } from "../../protocol/ids.js";
import type { AuthenticationMethod, Identity } from "../../protocol/security.js";
import type { Account, Accounts, StoredSecondFactor } from "./accounts.js";
import type { Admins } from "./admins.js";
import type { StoredPassword } from "./passwords.js";

export interface Principal {
  readonly name: UserName;
  /** Only an administrator's hold `_admin`. */
  readonly roles: readonly string[];
  /** Undefined: this one cannot log in with a password. */
  readonly password: StoredPassword | undefined;
  /** Of an account without a password, made when it was: an account of that name that comes later has another one. */
  readonly salt?: string | undefined;
  /** A log-in needs a one-time code as well. */
  readonly secondFactor?: StoredSecondFactor;
  /** `unverified`: a log-in has to wait until the address is verified. */
  readonly closed?: Account["closed"];
}

/** Empty for those who have none: they cannot have a session either. */
export function saltOf({ password, salt }: Principal): string {
  return password?.salt ?? salt ?? "";
}

export class Principals {
  readonly #admins: Admins;
  readonly #accounts: Accounts;

  constructor(admins: Admins, accounts: Accounts) {
    this.#admins = admins;
    this.#accounts = accounts;
  }

  /**
   * As of now: a changed document shows at the next call. At once when it is in memory. An administrator hides an
   * account of the same name, so that nobody becomes one by owning the account or loses it to one who does. Nobody for a
   * closed account.
   */
  find(name: string): Principal | undefined | Promise<Principal | undefined> {
    const admin = this.#admins.find(name);
    if (admin) return admin;
    const account = this.#accounts.find(name);
    return account instanceof Promise ? account.then(unlessClosed) : unlessClosed(account);
  }

  isAdmin(name: string): boolean {
    return this.#admins.find(name) !== undefined;
  }
}

export function identityOf(principal: Principal, method: AuthenticationMethod): Identity {
  return { name: principal.name, roles: principal.roles, method };
}

/** Whose account is closed cannot prove anything: what they hold (cookies, tokens) is worth nothing at once. */
function unlessClosed(account: Account | undefined): Account | undefined {
  return account?.closed === "disabled" || account?.closed === "removed" ? undefined : account;
}
