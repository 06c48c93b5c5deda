/** From the intention to mail to the mail: whether it is still wanted, who gets it, the token and the link in it. */
import { normalEmail } from "../../../protocol/email.js";
import type { Account, Accounts } from "../accounts.js";
import type { MailIntent, QueuedMail } from "../mail/mail-queue.js";
import type { MailTemplates, MailText } from "../mail/mail-templates.js";
import type { Fingerprints } from "../sessions/fingerprints.js";
import type { AccountOptions, LinkKind } from "./account-options.js";
import type { Emails } from "./emails.js";
import type { Invitations } from "./invitations.js";
import { addressToVerify, type MailedTokens, type TokenPurpose } from "./mailed-tokens.js";
import { passwordFingerprint } from "./password-fingerprint.js";

export interface ComposedMail extends MailText {
  readonly to: string;
}

/** `later`: what it is about is being written just now. `never`: nobody is to be mailed (any more). */
export type Composed = ComposedMail | "later" | "never";

export interface AccountMailsParts {
  readonly accounts: Accounts;
  readonly emails: Emails;
  readonly tokens: MailedTokens;
  readonly fingerprints: Fingerprints;
  readonly invitations: Invitations;
  readonly templates: MailTemplates;
  readonly options: AccountOptions;
  /** Of this server, without a slash at the end. */
  readonly publicUrl: () => string;
  readonly now: () => number;
}

/** Milliseconds in which an account whose mail is queued has certainly been written, or never will be. */
const accountGrace = 10 * 60_000;

export class AccountMails {
  readonly #parts: AccountMailsParts;

  constructor(parts: AccountMailsParts) {
    this.#parts = parts;
  }

  /** Makes a new token for each attempt, so that none waits anywhere. */
  async compose(mail: QueuedMail): Promise<Composed> {
    switch (mail.kind) {
      case "verify-email":
        return this.#verification(mail);
      case "reset-password":
        return this.#withToken(mail, "reset-password");
      case "magic-link":
        return this.#withToken(mail, "magic-link");
      case "password-changed":
        return this.#notice(mail, (account) => [
          account.verifiedEmail,
          passwordFingerprint(this.#parts.fingerprints, account) === mail.data?.fingerprint,
        ]);
      case "email-changed":
        return this.#notice(mail, (account) => [mail.address, account.verifiedEmail === mail.data?.new_address]);
      case "invitation":
        return this.#invitation(mail);
      case "already-registered":
        return mail.address === undefined ? "never" : this.#render(mail, mail.address, undefined, {});
    }
  }

  async #verification(mail: QueuedMail): Promise<Composed> {
    const { accounts, emails, tokens, now } = this.#parts;
    const account = mail.user === undefined ? undefined : await accounts.find(mail.user);
    if (!account) return mail.createdAt + accountGrace > now() ? "later" : "never";
    const address = addressToVerify(account);
    if (address === undefined || normalEmail(address) !== normalEmail(mail.address ?? address)) return "never";
    if (account.closed === "disabled" || account.closed === "removed") return "never";
    const owner = await emails.ownerOf(address);
    // Told to the owner of the address and to nobody else: whoever typed it in must not learn that it is known.
    if (owner !== undefined && owner !== account.name) {
      return this.#render({ ...mail, kind: "already-registered" }, address, undefined, {});
    }
    const token = await tokens.issue(account, "verify-email", address);
    return this.#render(mail, address, account, this.#tokenValues("verify-email", token));
  }

  /** `user` or `address` is what somebody typed in. */
  async #withToken(mail: QueuedMail, purpose: "reset-password" | "magic-link"): Promise<Composed> {
    const { accounts, emails, tokens } = this.#parts;
    const name = mail.address === undefined ? mail.user : await emails.ownerOf(mail.address);
    const account = name === undefined ? undefined : await accounts.find(name);
    if (account?.verifiedEmail === undefined || account.closed !== undefined) return "never";
    const token = await tokens.issue(account, purpose, account.verifiedEmail);
    return this.#render(mail, account.verifiedEmail, account, this.#tokenValues(purpose, token));
  }

  /** @param look where the mail goes, and whether what it tells of has happened */
  async #notice(
    mail: QueuedMail,
    look: (account: Account) => readonly [string | undefined, boolean],
  ): Promise<Composed> {
    const { accounts, now } = this.#parts;
    const account = mail.user === undefined ? undefined : await accounts.find(mail.user);
    if (!account) return "never";
    const [to, happened] = look(account);
    if (!happened) return mail.createdAt + accountGrace > now() ? "later" : "never";
    return to === undefined ? "never" : this.#render(mail, to, account, {});
  }

  async #invitation(mail: QueuedMail): Promise<Composed> {
    const { invitations } = this.#parts;
    const id = mail.data?.invitation;
    if (id === undefined || mail.address === undefined || !(await invitations.isOpen(id))) return "never";
    const code = invitations.codeOf(id);
    return this.#render(mail, mail.address, undefined, { token: code, link: this.#link("invitation", code) });
  }

  #tokenValues(purpose: TokenPurpose, token: string): Record<string, string> {
    const minutes = this.#parts.options.tokenLives[purpose] / 60_000;
    const life = { minutes: String(Math.round(minutes)), hours: String(Math.round(minutes / 60)) };
    return { token, link: this.#link(purpose, token), ...life };
  }

  #link(kind: LinkKind, token: string): string {
    const { options, publicUrl } = this.#parts;
    const template = options.links[kind] ?? `${publicUrl()}/_settee/pages/${kind}?token={token}`;
    return template.replaceAll("{token}", encodeURIComponent(token));
  }

  #render(
    { kind, locale, data }: MailIntent,
    to: string,
    account: Account | undefined,
    values: Readonly<Record<string, string>>,
  ): ComposedMail {
    const { templates, publicUrl } = this.#parts;
    const general = {
      server: new URL(publicUrl()).host,
      address: to,
      name: account?.displayName ?? account?.name ?? "",
    };
    const text = templates.render(kind, account?.locale ?? locale, { ...data, ...general, ...values });
    return { to, ...text };
  }
}
