/** Addresses of accounts: verified by a mailed token, changed by one that goes to the new address. */
import { normalEmail } from "../../../protocol/email.js";
import { CouchError } from "../../../protocol/errors.js";
import type { UserName } from "../../../protocol/ids.js";
import type { Account, Accounts } from "../accounts.js";
import { userDatabaseName } from "../database-names.js";
import { addWanted, type Provisioning } from "../provisioning.js";
import type { ActivityLog } from "./activity-log.js";
import type { Emails } from "./emails.js";
import { addressToVerify, type MailedTokens } from "./mailed-tokens.js";
import type { Mails } from "./mails.js";
import type { Asker } from "./sign-ups.js";

export interface AccountEmailsParts {
  readonly accounts: Accounts;
  readonly emails: Emails;
  readonly tokens: MailedTokens;
  readonly mails: Mails;
  readonly provisioning: Provisioning;
  readonly activity: ActivityLog;
}

export class AccountEmails {
  readonly #parts: AccountEmailsParts;

  constructor(parts: AccountEmailsParts) {
    this.#parts = parts;
  }

  /** Mails the token once more. @throws CouchError conflict when there is nothing to verify */
  async sendVerification(name: UserName, asker: Asker): Promise<void> {
    const account = await this.#parts.accounts.find(name);
    const address = account && addressToVerify(account);
    if (address === undefined) throw new CouchError("conflict", "There is no address that waits to be verified.");
    await this.#parts.mails.verifyEmail(name, address, asker);
  }

  /** For who cannot log in before: one write, whether there is such an account or not. */
  async resendVerification(name: UserName, asker: Asker): Promise<void> {
    await this.#parts.mails.verifyAgain(name, asker);
  }

  /** The address stays until the new one is verified. Whether that is somebody else's is told to nobody but them. */
  async change(name: UserName, email: string, asker: Asker): Promise<void> {
    const { accounts, mails, activity } = this.#parts;
    await mails.verifyEmail(name, email, asker);
    await accounts.change(name, () => ({ pending_email: email }));
    await activity.record(name, "email_change_asked", asker.address);
  }

  /** @throws CouchError forbidden for a token that is worth nothing, conflict when the address is another account's */
  async verify(token: string, asker: Asker): Promise<UserName> {
    const { account, address } = await this.#parts.tokens.redeem(token, "verify-email");
    await this.giveAddress(account.name, address, asker);
    await this.#parts.activity.record(account.name, "email_verified", asker.address);
    return account.name;
  }

  /** Makes `address` the account's verified one. @throws CouchError conflict when it is another account's */
  async giveAddress(name: UserName, address: string, asker: Asker): Promise<void> {
    const { accounts, emails, mails, provisioning } = this.#parts;
    if (!(await emails.claim(address, name))) {
      throw new CouchError("conflict", "The address belongs to another account.");
    }
    const former = (await accounts.find(name))?.verifiedEmail;
    const isAnother = former !== undefined && normalEmail(former) !== normalEmail(address);
    if (isAnother) await mails.emailChanged(name, former, address, asker);
    await accounts.change(name, (account) => verified(account, address));
    if (isAnother) await emails.release(former, name);
    await provisioning.finish(name);
  }
}

function verified(account: Account, address: string): Readonly<Record<string, unknown>> {
  const { name, closed, databases, pendingEmail } = account;
  return {
    email: address,
    verified_email: address,
    // Perhaps yet another one was asked for meanwhile.
    ...(pendingEmail !== undefined &&
      normalEmail(pendingEmail) === normalEmail(address) && { pending_email: undefined }),
    awaits_email: undefined,
    ...(closed === "unverified" && { databases: addWanted(databases, userDatabaseName(name)) }),
  };
}
