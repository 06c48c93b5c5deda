/** Sends what is in the queue: at once what comes in, again and again what could not be sent. */
import { parseDocId } from "../../protocol/ids.js";
import type { Backend } from "../backend/backend.js";
import type { MailDelivery } from "../gateway/mail/mail-delivery.js";
import type { QueuedMail } from "../gateway/mail/mail-queue.js";
import { mailDatabase } from "../gateway/system-databases.js";
import type { Job } from "./job.js";
import { PagedJob } from "./paged-job.js";

export interface MailSenderParts {
  readonly backend: Backend;
  readonly delivery: MailDelivery;
  readonly onError: (error: unknown) => void;
}

const prefix = "mail-";
/** Milliseconds: an account whose mail is queued is written within the next few. */
const soon = 100;
/** After `-` in the order of ids. */
const afterPrefix = "mail.";

export class MailSender implements Job {
  readonly id = "mail-sender";
  readonly #parts: MailSenderParts;
  readonly #walk: PagedJob;
  /** Ids of mails that came in since: only these are looked at, however many others wait for a server that is away. */
  readonly #fresh = new Set<string>();
  /** Those that came a moment too early. */
  readonly #timers = new Set<NodeJS.Timeout>();
  #sending: Promise<void> | undefined;
  #isStopping = false;
  #unsubscribe: (() => void) | undefined;

  constructor(parts: MailSenderParts) {
    this.#parts = parts;
    this.#walk = new PagedJob({
      id: this.id,
      backend: parts.backend,
      database: mailDatabase,
      from: prefix,
      to: afterPrefix,
      visit: async (document) => void (await parts.delivery.deliver(document as QueuedMail)),
      onError: parts.onError,
    });
  }

  /** From now on mails are sent as they are queued. */
  start(): void {
    this.#unsubscribe = this.#parts.backend.subscribe(mailDatabase, ({ id, deleted }) => {
      if (!deleted && id.startsWith(prefix)) this.#look(id);
    });
  }

  /** Looks at all that wait; those that are not due stay. */
  run(): Promise<void> {
    return this.#walk.run();
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.();
    this.#isStopping = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#walk.stop();
    await this.#sending;
  }

  #look(id: string): void {
    this.#fresh.add(id);
    this.#sending ??= this.#sendFresh()
      .catch(this.#parts.onError)
      .finally(() => {
        this.#sending = undefined;
      });
  }

  #lookAgain(id: string): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#look(id);
    }, soon);
    timer.unref();
    this.#timers.add(timer);
  }

  async #sendFresh(): Promise<void> {
    const { backend, delivery } = this.#parts;
    for (const id of this.#fresh) {
      if (this.#isStopping) return;
      this.#fresh.delete(id);
      const mail = await backend.getDocument<QueuedMail>(mailDatabase, parseDocId(id));
      // Its own taking and putting off are changes as well: then it is not due.
      if (mail && (await delivery.deliver(mail)) === "early") this.#lookAgain(id);
    }
  }
}
