/** Who the bearer of an outside issuer's token is here. */
import { maxUserNameBytes } from "../../../protocol/account.js";
import { CouchError } from "../../../protocol/errors.js";
import { parseUserName, type UserName } from "../../../protocol/ids.js";
import type { Principal, Principals } from "../principals.js";
import type { OutsideAccounts } from "./outside-accounts.js";
import type { OutsideClaims } from "./outside-tokens.js";

export class OutsidePrincipals {
  readonly #accounts: OutsideAccounts;
  readonly #principals: Principals;
  /** Claims are objects that stay the same for as long as their token is remembered. */
  readonly #names = new WeakMap<OutsideClaims, UserName>();

  constructor(accounts: OutsideAccounts, principals: Principals) {
    this.#accounts = accounts;
    this.#principals = principals;
  }

  /** Undefined when there is no account and none is to be made. At once when all is in memory. */
  of(claims: OutsideClaims): Principal | undefined | Promise<Principal | undefined> {
    const name = this.#names.get(claims);
    if (name === undefined) return this.#resolve(claims);
    const principal = this.#again(claims, name);
    if (principal instanceof Promise) return principal.then((found) => found ?? this.#resolve(claims));
    return principal ?? this.#resolve(claims);
  }

  #again(claims: OutsideClaims, name: UserName): Principal | undefined | Promise<Principal | undefined> {
    if (claims.source.accounts === "linked") return this.#accounts.principalNamed(name, claims);
    return this.#principals.isAdmin(name) ? undefined : this.#principals.find(name);
  }

  async #resolve(claims: OutsideClaims): Promise<Principal | undefined> {
    const { accounts, createAccounts } = claims.source;
    const principal =
      accounts === "linked"
        ? await this.#accounts.principalOf(claims, createAccounts)
        : await this.#named(claims, createAccounts);
    if (principal) this.#names.set(claims, principal.name);
    return principal;
  }

  /** The issuer is the authority on names, as it is to CouchDB, but for those of server administrators. */
  async #named({ nameHint }: OutsideClaims, makes: boolean): Promise<Principal | undefined> {
    const name = userNameOf(nameHint ?? "");
    if (name === undefined || this.#principals.isAdmin(name)) return undefined;
    if (makes) await this.#accounts.makeNamed(name);
    return this.#principals.find(name);
  }
}

function userNameOf(text: string): UserName | undefined {
  try {
    const name = parseUserName(text);
    return Buffer.byteLength(name) <= maxUserNameBytes ? name : undefined;
  } catch (error) {
    if (error instanceof CouchError) return undefined;
    throw error;
  }
}
