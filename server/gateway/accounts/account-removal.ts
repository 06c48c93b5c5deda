/**
 * The end of an account. It is marked first, and from then on nobody can log in and no session is worth anything; what
 * follows may be repeated, by the reconciler after a crash, and the document goes last.
 */
import type { UserName } from "../../../protocol/ids.js";
import type { Account, Accounts } from "../accounts.js";
import { passwordMemberNames } from "../passwords.js";
import type { Provisioning } from "../provisioning.js";
import type { ActivityLog } from "./activity-log.js";
import type { Emails } from "./emails.js";

export interface AccountRemovalParts {
  readonly accounts: Accounts;
  readonly emails: Emails;
  readonly activity: ActivityLog;
  readonly provisioning: Provisioning;
  /** Whether the user's databases go as well. */
  readonly deleteDatabases: boolean;
  /** Takes leave of all of a user's databases: what is theirs alone goes, of the rest they are no member any more. Safe to repeat. */
  readonly removeDatabases: (user: UserName) => Promise<void>;
  readonly now: () => number;
}

export class AccountRemoval {
  readonly #parts: AccountRemovalParts;

  constructor(parts: AccountRemovalParts) {
    this.#parts = parts;
  }

  /** @returns false when there is no such account */
  async remove(name: UserName): Promise<boolean> {
    const { accounts, now } = this.#parts;
    const withoutPassword = Object.fromEntries(passwordMemberNames.map((member) => [member, undefined]));
    const marked = await accounts.change(name, ({ closed }) => {
      if (closed === "removed") return undefined;
      return { ...withoutPassword, roles: [], totp: undefined, removed: { at: new Date(now()).toISOString() } };
    });
    if (!marked) return false;
    await this.finish(marked);
    return true;
  }

  /** The rest of what was begun. */
  async finish(account: Account): Promise<void> {
    const { accounts, emails, activity, provisioning, deleteDatabases, removeDatabases } = this.#parts;
    if (account.closed !== "removed") return;
    const { name, verifiedEmail } = account;
    // A run under way would make again what is deleted here.
    await provisioning.finish(name);
    if (verifiedEmail !== undefined) await emails.release(verifiedEmail, name);
    await activity.forget(name);
    // Of a database that stays, or waits in the trash, the name stays taken: nobody else gets it by signing up.
    if (deleteDatabases) await removeDatabases(name);
    await accounts.remove(name);
  }
}
