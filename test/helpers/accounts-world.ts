/** A gateway in memory whose mails can be read: `const world = await accountsWorld(t, { accounts: {...} })`. */
import type { TestContext } from "node:test";
import type { Backend } from "../../server/backend/backend.js";
import type { Gateway } from "../../server/gateway/gateway.js";
import { MailTemplates } from "../../server/gateway/mail/mail-templates.js";
import { type DevelopmentMail, DevelopmentMailbox } from "../../server/gateway/mail/mail-transport.js";
import { MailSender } from "../../server/jobs/mail-sender.js";
import { type World, type WorldOptions, world } from "./gateway-world.js";

export const asker = { address: "127.0.0.1" };

export interface AccountsWorld extends World {
  /** Sends what is due. @returns the mails that left with it, the first first */
  sendMails(): Promise<readonly DevelopmentMail[]>;
  /** Sends what is due, and reads the token in the latest mail to the address. */
  tokenFor(address: string): Promise<string>;
}

export function mailbox(now: () => number): DevelopmentMailbox {
  return new DevelopmentMailbox(() => {}, now);
}

export async function accountsWorld(t: TestContext, options: WorldOptions = {}): Promise<AccountsWorld> {
  const transport = mailbox(() => made.clock.now());
  const mail = {
    transport,
    templates: MailTemplates.shipped(),
    from: "Notes <notes@example.org>",
    publicUrl: () => "https://notes.example.org",
  };
  const made: World = await world(t, { mail, ...options });
  let read = 0;
  const sendMails = async () => {
    await sender(made.gateway, made.backend).run();
    const { mails } = transport;
    const fresh = mails.slice(0, mails.length - read).reverse();
    read = mails.length;
    return fresh;
  };
  const tokenFor = async (address: string) => {
    await sendMails();
    const found = transport.mails.find(({ to }) => to === address);
    if (!found) throw new Error(`no mail to ${address}`);
    return tokenIn(found.text);
  };
  return { ...made, sendMails, tokenFor };
}

export function sender(gateway: Gateway, backend: Backend): MailSender {
  return new MailSender({
    backend,
    delivery: gateway.people.mailDelivery,
    onError: (error) => {
      throw error;
    },
  });
}

/** @throws Error when there is none */
export function tokenIn(text: string): string {
  const [, token] = /token=([\w.-]+)/.exec(text) ?? [];
  if (token === undefined) throw new Error(`no token in ${text}`);
  return token;
}
