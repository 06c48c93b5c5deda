/** `/_settee/identities`: the outside identities that log in as a user. */
import { CouchError } from "../../../protocol/errors.js";
import type { UserName } from "../../../protocol/ids.js";
import type { IdentityEntry } from "../../../protocol/outside.js";
import type { Accounts } from "../accounts.js";
import type { OneTimeCodes } from "./one-time-codes.js";
import { identityIdOf, type OutsideAccounts } from "./outside-accounts.js";

export interface LinkedIdentitiesParts {
  readonly accounts: Accounts;
  readonly codes: OneTimeCodes;
  readonly outsideAccounts: OutsideAccounts;
}

export class LinkedIdentities {
  readonly #parts: LinkedIdentitiesParts;

  constructor(parts: LinkedIdentitiesParts) {
    this.#parts = parts;
  }

  async list(user: UserName): Promise<IdentityEntry[]> {
    const account = await this.#parts.accounts.find(user);
    return (account?.identities ?? []).map(({ provider, issuer, subject, email, linked_at }) => {
      const id = identityIdOf({ issuer, subject });
      return { id, provider, issuer, ...(email === undefined ? {} : { email }), linked_at };
    });
  }

  /**
   * Links whom the code is for. By a code of the app's own, and not by the browser's way back: a link that somebody was
   * lured to would otherwise tie their identity to another's account.
   * @throws CouchError bad_request, conflict, forbidden
   */
  async link(user: UserName, code: string, verifier: string): Promise<void> {
    const vouched = await this.#parts.codes.take(code, verifier);
    if (!vouched) throw new CouchError("bad_request", "The code is not valid any more. Begin again.");
    await this.#parts.outsideAccounts.link(user, vouched.identity);
  }

  /** @throws CouchError not_found, forbidden when it is the only way in */
  unlink(user: UserName, id: string): Promise<void> {
    return this.#parts.outsideAccounts.unlink(user, id);
  }
}
