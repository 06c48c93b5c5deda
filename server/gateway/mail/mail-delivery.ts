/** One queued mail, from the queue to the next server. */
import { emailAddress } from "../../../protocol/email.js";
import type { Composed, ComposedMail } from "../accounts/account-mails.js";
import type { AccountHooks } from "../accounts/hooks.js";
import { ask } from "../accounts/hooks.js";
import type { MailQueue, QueuedMail } from "./mail-queue.js";
import type { MailTransport } from "./mail-transport.js";

export interface MailDeliveryParts {
  readonly queue: MailQueue;
  readonly compose: (mail: QueuedMail) => Promise<Composed>;
  readonly transport: MailTransport;
  readonly hooks: AccountHooks;
  /** `Settee <settee@example.org>` */
  readonly from: string;
  /** Told of each failure; the mail is tried again. */
  readonly onError: (error: unknown, mail: QueuedMail) => void;
}

export class MailDelivery {
  readonly #parts: MailDeliveryParts;

  constructor(parts: MailDeliveryParts) {
    this.#parts = parts;
  }

  /**
   * Sends it, unless another process does or it is not due; once is meant, twice may happen after a crash.
   * @returns "early" when what it is about is being written just now: look again soon
   */
  async deliver(queued: QueuedMail): Promise<"early" | "looked at"> {
    const { queue, compose, onError } = this.#parts;
    if (!queue.isDue(queued)) return "looked at";
    try {
      // Before it is taken: what is early costs no write, however often it is looked at.
      const composed = await compose(queued);
      if (composed === "later") return "early";
      const mail = await queue.take(queued);
      if (!mail) return "looked at";
      if (composed !== "never") await this.#send(mail, composed);
      await queue.remove(mail);
    } catch (error) {
      onError(error, queued);
      if (!(await queue.putOff(queued)))
        onError(new Error("A mail could not be sent for days and was dropped."), queued);
    }
    return "looked at";
  }

  async #send(mail: QueuedMail, { to, ...text }: ComposedMail): Promise<void> {
    const { transport, hooks, from } = this.#parts;
    // A user document may hold anything where an address belongs: a list, a group, a line break.
    if (!emailAddress.safeParse(to).success) return;
    const other = await ask(hooks.beforeMail, { kind: mail.kind, to, ...text });
    // As in `Subject: ...` of a template: what a hook gives is one line as well.
    const { subject = text.subject, text: plain = text.text, html = text.html } = other ?? {};
    const messageId = `<${mail._id}@${domainOf(from)}>`;
    await transport.send({ from, to, subject: subject.replace(/\p{Cc}+/gu, " "), text: plain, html, messageId });
  }
}

function domainOf(from: string): string {
  return /@([\w.-]+)/.exec(from)?.[1] ?? "localhost";
}
