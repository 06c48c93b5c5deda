/** Everything about people's accounts, wired together. */
import { CouchError } from "../../../protocol/errors.js";
import type { UserName } from "../../../protocol/ids.js";
import type { Backend } from "../../backend/backend.js";
import type { Accounts } from "../accounts.js";
import { MailDelivery } from "../mail/mail-delivery.js";
import { MailLimit } from "../mail/mail-limit.js";
import { MailQueue } from "../mail/mail-queue.js";
import type { MailTemplates } from "../mail/mail-templates.js";
import { type DevelopmentMail, DevelopmentMailbox, type MailTransport } from "../mail/mail-transport.js";
import type { PasswordCheck } from "../password-check.js";
import type { PasswordHasher } from "../password-hasher.js";
import type { Principals } from "../principals.js";
import type { Provisioning } from "../provisioning.js";
import type { Fingerprints } from "../sessions/fingerprints.js";
import { Throttle } from "../throttle.js";
import { AccountEmails } from "./account-emails.js";
import { AccountMails } from "./account-mails.js";
import type { AccountOptions } from "./account-options.js";
import { AccountPasswords } from "./account-passwords.js";
import { AccountRemoval } from "./account-removal.js";
import { ActivityLog } from "./activity-log.js";
import type { Emails } from "./emails.js";
import { Invitations } from "./invitations.js";
import { MagicLinks } from "./magic-links.js";
import { MailedTokens } from "./mailed-tokens.js";
import { Mails } from "./mails.js";
import { ManagedAccounts } from "./managed-accounts.js";
import { OwnAccount } from "./own-account.js";
import { SecondFactors } from "./second-factors.js";
import { type Asker, SignUps } from "./sign-ups.js";
import { WrittenUserDocuments } from "./written-user-documents.js";

export interface MailOptions {
  readonly transport: MailTransport;
  readonly templates: MailTemplates;
  /** `Settee <settee@example.org>` */
  readonly from: string;
  /** Of this server as users reach it, without a slash at the end: where links in mails lead. */
  readonly publicUrl: () => string;
}

export interface AccountServicesParts {
  readonly backend: Backend;
  readonly accounts: Accounts;
  readonly principals: Principals;
  readonly emails: Emails;
  readonly hasher: PasswordHasher;
  readonly passwordCheck: PasswordCheck;
  readonly fingerprints: Fingerprints;
  readonly provisioning: Provisioning;
  /** Of an account that is removed. */
  readonly removeDatabases: (user: UserName) => Promise<void>;
  readonly options: AccountOptions;
  readonly mail: MailOptions;
  /** A key of 32 bytes for each purpose. */
  readonly keyFor: (purpose: string) => Buffer;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

/** A code is short: this is not for a setting to turn off. */
const codeLockOut = { mode: "enforce", threshold: 5, maxLifetime: 300_000, maxObjects: 10_000 } as const;

export class AccountServices {
  readonly signUps: SignUps;
  readonly own: OwnAccount;
  readonly passwords: AccountPasswords;
  readonly emails: AccountEmails;
  readonly magicLinks: MagicLinks;
  readonly secondFactors: SecondFactors;
  readonly managed: ManagedAccounts;
  readonly removal: AccountRemoval;
  readonly activity: ActivityLog;
  readonly invitations: Invitations;
  readonly mails: Mails;
  readonly mailQueue: MailQueue;
  readonly mailDelivery: MailDelivery;
  readonly tokens: MailedTokens;
  readonly userDocuments: WrittenUserDocuments;
  readonly options: AccountOptions;

  readonly #transport: MailTransport;
  readonly #accounts: Accounts;

  constructor(parts: AccountServicesParts) {
    const { backend, accounts, emails, fingerprints, options, mail, now, onError, keyFor } = parts;
    this.options = options;
    this.#accounts = accounts;
    this.mailQueue = new MailQueue(backend, now);
    this.mails = new Mails(this.mailQueue, new MailLimit(options.mailsPerHour, now));
    this.activity = new ActivityLog(backend, now, onError);
    this.tokens = new MailedTokens({ backend, accounts, fingerprints, lives: options.tokenLives, now });
    this.invitations = new Invitations(backend, accounts, keyFor("invitations"), now);
    const { mails, activity, tokens, invitations } = this;
    this.secondFactors = new SecondFactors({
      accounts,
      activity,
      throttle: new Throttle({ lockOut: codeLockOut, now, onLockedOut: () => {} }),
      key: keyFor("second factors"),
      issuer: options.totpIssuer,
      now,
    });
    const common = { ...parts, mails, activity, tokens, invitations, secondFactors: this.secondFactors };
    this.signUps = new SignUps(common);
    this.own = new OwnAccount(common);
    this.userDocuments = new WrittenUserDocuments({ ...common, signUps: this.signUps });
    this.passwords = new AccountPasswords(common);
    this.emails = new AccountEmails(common);
    this.magicLinks = new MagicLinks(common);
    this.removal = new AccountRemoval({ ...common, deleteDatabases: options.deleteDatabases });
    const { passwords, removal, emails: accountEmails } = this;
    this.managed = new ManagedAccounts({ ...common, passwords, removal, accountEmails });
    const { templates, publicUrl, transport, from } = mail;
    this.#transport = transport;
    const composer = new AccountMails({
      accounts,
      emails,
      tokens,
      fingerprints,
      invitations,
      templates,
      options,
      publicUrl,
      now,
    });
    this.mailDelivery = new MailDelivery({
      queue: this.mailQueue,
      compose: (queued) => composer.compose(queued),
      transport,
      hooks: options.hooks,
      from,
      onError,
    });
  }

  /** The latest mails first, where they are not sent; undefined where they are. */
  get developmentMails(): readonly DevelopmentMail[] | undefined {
    return this.#transport instanceof DevelopmentMailbox ? this.#transport.mails : undefined;
  }

  /** Password and, where the account has one, second factor once more. @throws CouchError forbidden */
  async prove(name: UserName, password: string, code: string | undefined, asker: Asker): Promise<void> {
    await this.passwords.prove(name, password, asker);
    const principal = await this.#accounts.find(name);
    try {
      if (principal) await this.secondFactors.check(principal, code, asker.address);
    } catch (error) {
      if (!(error instanceof CouchError) || error.error !== "unauthorized") throw error;
      throw new CouchError("forbidden", error.reason, { detail: { totp: true } });
    }
  }

  close(): void {
    this.#transport.close();
  }
}
