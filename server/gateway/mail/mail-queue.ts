/**
 * Mails that are to be sent: one document of `settee_mail` for each, which goes when the mail has gone. It says which mail is
 * meant and for whom; the text, and the token in it, are made when it is sent, so that nothing secret waits here.
 */
import { randomBytes } from "node:crypto";
import { parseDocId } from "../../../protocol/ids.js";
import type { Backend, JsonDocument } from "../../backend/backend.js";
import { isConflict, retryConflicts } from "../retry-conflicts.js";
import { mailDatabase } from "../system-databases.js";

export const mailKinds = [
  "verify-email",
  "already-registered",
  "reset-password",
  "magic-link",
  "password-changed",
  "email-changed",
  "invitation",
] as const;
export type MailKind = (typeof mailKinds)[number];

export interface MailIntent {
  readonly kind: MailKind;
  /** Whose account it is about. */
  readonly user?: string;
  /** Where it goes, or which address was typed in. */
  readonly address?: string;
  readonly locale?: string;
  readonly data?: Readonly<Record<string, string>>;
}

export interface QueuedMail extends JsonDocument, MailIntent {
  /** Milliseconds since 1970, as is `dueAt`. */
  readonly createdAt: number;
  readonly dueAt: number;
  readonly attempts: number;
}

/** Milliseconds in which whoever took a mail sends it; afterwards another may. */
const lease = 2 * 60_000;
const firstDelay = 30_000;
const longestDelay = 60 * 60_000;
/** Milliseconds after which nobody wants it any more. */
const patience = 3 * 24 * 60 * 60_000;

export class MailQueue {
  readonly #backend: Backend;
  readonly #now: () => number;
  #added = 0;

  constructor(backend: Backend, now: () => number) {
    this.#backend = backend;
    this.#now = now;
  }

  /** On disk when it resolves. */
  async add(intent: MailIntent): Promise<void> {
    const now = this.#now();
    // In the order of time, so that whoever waits longest is first.
    const turn = (this.#added++ % 36 ** 4).toString(36).padStart(4, "0");
    const id = parseDocId(`mail-${now.toString(36).padStart(9, "0")}-${turn}${randomBytes(8).toString("hex")}`);
    const mail: QueuedMail = { _id: id, ...intent, createdAt: now, dueAt: now, attempts: 0 };
    await this.#backend.putDocument(mailDatabase, mail);
  }

  isDue({ dueAt }: QueuedMail): boolean {
    return dueAt <= this.#now();
  }

  /** For this process alone, for a while; undefined when another one has it. */
  async take(mail: QueuedMail): Promise<QueuedMail | undefined> {
    const taken = { ...mail, dueAt: this.#now() + lease, attempts: mail.attempts + 1 };
    try {
      return { ...taken, _rev: await this.#backend.putDocument(mailDatabase, taken) };
    } catch (error) {
      if (isConflict(error)) return undefined;
      throw error;
    }
  }

  async remove({ _id, _rev }: QueuedMail): Promise<void> {
    await this.#backend.putDocument(mailDatabase, { _id, _rev: _rev as string, _deleted: true });
  }

  /** Later, and later each time. @returns false when it has waited too long and was dropped */
  async putOff({ _id }: QueuedMail): Promise<boolean> {
    return retryConflicts(async () => {
      const mail = await this.#backend.getDocument<QueuedMail>(mailDatabase, parseDocId(_id));
      if (!mail) return true;
      const now = this.#now();
      if (mail.createdAt + patience <= now) {
        await this.remove(mail);
        return false;
      }
      // Not taken yet: what failed was the writing of it.
      const attempts = Math.max(1, mail.attempts);
      const delay = Math.min(firstDelay * 2 ** (attempts - 1), longestDelay);
      await this.#backend.putDocument(mailDatabase, { ...mail, attempts, dueAt: now + delay });
      return true;
    });
  }
}
