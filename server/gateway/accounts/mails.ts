/** Asks for mails: each is in the queue, on disk, when the promise resolves. */
import { normalEmail } from "../../../protocol/email.js";
import type { MailLimit } from "../mail/mail-limit.js";
import type { MailIntent, MailQueue } from "../mail/mail-queue.js";

interface To {
  readonly locale?: string | undefined;
}

export class Mails {
  readonly #queue: MailQueue;
  readonly #limit: MailLimit;

  constructor(queue: MailQueue, limit: MailLimit) {
    this.#queue = queue;
    this.#limit = limit;
  }

  verifyEmail(user: string, address: string, to: To): Promise<void> {
    return this.#typedIn(address, { kind: "verify-email", user, address }, to);
  }

  /** To whatever address the account waits for. */
  verifyAgain(user: string, to: To): Promise<void> {
    return this.#typedIn(`user ${user}`, { kind: "verify-email", user }, to);
  }

  /** `address` as somebody typed it in: one write, whether it is known here or not, and nothing looked up. */
  magicLink(address: string, to: To): Promise<void> {
    return this.#typedIn(address, { kind: "magic-link", address }, to);
  }

  /** By address or by user name, as somebody typed it in: one write, as above. */
  resetPassword(who: { readonly address: string } | { readonly user: string }, to: To): Promise<void> {
    const typed = "address" in who ? who.address : `user ${who.user}`;
    return this.#typedIn(typed, { kind: "reset-password", ...who }, to);
  }

  /** @param fingerprint of the new password: the mail is sent when the account has it */
  passwordChanged(user: string, fingerprint: string, to: To): Promise<void> {
    return this.#add({ kind: "password-changed", user, data: { fingerprint } }, to);
  }

  /** To the address before, when the account has the next one. */
  emailChanged(user: string, former: string, next: string, to: To): Promise<void> {
    return this.#add({ kind: "email-changed", user, address: former, data: { new_address: next } }, to);
  }

  invitation(id: string, address: string, to: To): Promise<void> {
    return this.#add({ kind: "invitation", address, data: { invitation: id } }, to);
  }

  async #typedIn(typed: string, intent: MailIntent, to: To): Promise<void> {
    // The answer to whoever asked is the same: too many mails are silently none.
    if (this.#limit.allows(normalEmail(typed))) await this.#add(intent, to);
  }

  #add(intent: MailIntent, { locale }: To): Promise<void> {
    return this.#queue.add(locale === undefined ? intent : { ...intent, locale });
  }
}
