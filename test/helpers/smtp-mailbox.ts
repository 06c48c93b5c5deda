/** A real SMTP server on the loopback: what it was sent, as a mailbox has it. */
import type { AddressInfo } from "node:net";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";
import type { Cleanup } from "./temp-store.js";

export interface ReceivedMail {
  readonly parsed: ParsedMail;
  readonly raw: string;
  /** Of the envelope. */
  readonly from: string;
  readonly to: readonly string[];
}

export interface SmtpMailbox {
  readonly url: string;
  readonly mails: ReceivedMail[];
  /** While true, every mail is refused for now. */
  isDown: boolean;
}

export async function smtpMailbox(t: Cleanup): Promise<SmtpMailbox> {
  const mails: ReceivedMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    logger: false,
    onAuth: (auth, _session, done) => {
      const isRight = auth.username === "settee" && auth.password === "p@ss word";
      done(isRight ? null : new Error("wrong"), isRight ? { user: "settee" } : undefined);
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        if (mailbox.isDown) return done(Object.assign(new Error("try again later"), { responseCode: 451 }));
        const raw = Buffer.concat(chunks).toString();
        const { mailFrom, rcptTo } = session.envelope;
        simpleParser(raw).then((parsed) => {
          const to = rcptTo.map(({ address }) => address);
          mails.push({ parsed, raw, from: mailFrom ? mailFrom.address : "", to });
          done();
        }, done);
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.server.address() as AddressInfo;
  t.after(() => new Promise<void>((resolve) => server.close(resolve)));
  const mailbox: SmtpMailbox = { url: `smtp://settee:p%40ss%20word@127.0.0.1:${port}`, mails, isDown: false };
  return mailbox;
}
