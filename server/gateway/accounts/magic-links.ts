/** Logging in by a mailed link, without a password. */
import { CouchError } from "../../../protocol/errors.js";
import type { Principal, Principals } from "../principals.js";
import type { AccountOptions } from "./account-options.js";
import type { MailedTokens } from "./mailed-tokens.js";
import type { Mails } from "./mails.js";
import type { SecondFactors } from "./second-factors.js";
import type { Asker } from "./sign-ups.js";

export interface MagicLinksParts {
  readonly principals: Principals;
  readonly tokens: MailedTokens;
  readonly mails: Mails;
  readonly secondFactors: SecondFactors;
  readonly options: AccountOptions;
}

export class MagicLinks {
  readonly #parts: MagicLinksParts;

  constructor(parts: MagicLinksParts) {
    this.#parts = parts;
  }

  /** One write, whether the address is known or not. @throws CouchError forbidden when there are no such links here */
  async send(address: string, asker: Asker): Promise<void> {
    this.#mustBeOn();
    await this.#parts.mails.magicLink(address, asker);
  }

  /** Who may be logged in now. @throws CouchError forbidden, unauthorized when the second factor is missing or wrong */
  async use(token: string, code: string | undefined): Promise<Principal> {
    this.#mustBeOn();
    const { tokens, principals, secondFactors } = this.#parts;
    const { account } = await tokens.read(token, "magic-link");
    // Before the token is used up: whoever forgot the code may try again.
    await secondFactors.check(account, code);
    await tokens.redeem(token, "magic-link");
    const principal = await principals.find(account.name);
    // An administrator of the same name is somebody else.
    if (!principal || principals.isAdmin(account.name))
      throw new CouchError("forbidden", "Nobody can log in with this link.");
    return principal;
  }

  #mustBeOn(): void {
    if (!this.#parts.options.magicLinks) throw new CouchError("forbidden", "There is no log-in by link here.");
  }
}
