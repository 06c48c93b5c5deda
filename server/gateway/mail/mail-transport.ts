/** How mails leave: over SMTP, or, while an app is being developed, into a list in memory and the log. */
import { createTransport } from "nodemailer";

export interface OutgoingMail {
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** The same at each attempt, so that a mailbox can tell a repeated mail. */
  readonly messageId: string;
}

export interface MailTransport {
  /** Resolves when another server is responsible for the mail. */
  send(mail: OutgoingMail): Promise<void>;
  close(): void;
}

/** Milliseconds. */
const connectionTimeout = 20_000;

/** @param url `smtp://user:password@host:587` (STARTTLS where offered) or `smtps://...:465` */
export function smtpTransport(url: string): MailTransport {
  const { protocol, hostname, port, username, password, searchParams } = new URL(url);
  const secure = protocol === "smtps:";
  const transport = createTransport({
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? (secure ? 465 : 587) : Number(port),
    secure,
    requireTLS: searchParams.get("requireTLS") === "true",
    ...(username !== "" && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    connectionTimeout,
    greetingTimeout: connectionTimeout,
    socketTimeout: connectionTimeout,
    // No value of a mail is ever a path or an address to read from.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send({ to, ...mail }) {
      // As an object: a list or a group in the text of an address stays one address.
      await transport.sendMail({ ...mail, to: { name: "", address: to } });
    },
    close: () => transport.close(),
  };
}

export interface DevelopmentMail extends Omit<OutgoingMail, "messageId"> {
  /** ISO 8601. */
  readonly time: string;
}

const maxKept = 100;

export class DevelopmentMailbox implements MailTransport {
  readonly #log: (mail: DevelopmentMail) => void;
  readonly #now: () => number;
  #mails: readonly DevelopmentMail[] = [];

  constructor(log: (mail: DevelopmentMail) => void, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** The latest first. */
  get mails(): readonly DevelopmentMail[] {
    return this.#mails;
  }

  async send({ messageId: _, ...mail }: OutgoingMail): Promise<void> {
    const kept = { time: new Date(this.#now()).toISOString(), ...mail };
    this.#mails = [kept, ...this.#mails].slice(0, maxKept);
    this.#log(kept);
  }

  close(): void {}
}
