import assert from "node:assert/strict";
import { test } from "node:test";
import type { AccountHooks } from "../../../server/gateway/accounts/hooks.js";
import { MailTemplates } from "../../../server/gateway/mail/mail-templates.js";
import { smtpTransport } from "../../../server/gateway/mail/mail-transport.js";
import { mailDatabase } from "../../../server/gateway/system-databases.js";
import { asker, sender } from "../../helpers/accounts-world.js";
import { newGateway, putUser, world } from "../../helpers/gateway-world.js";
import { smtpMailbox } from "../../helpers/smtp-mailbox.js";

const password = "long enough";
const email = "ada@example.org";

function mailBy(url: string, from = '"Notes, Inc." <notes@example.org>') {
  const publicUrl = () => "https://notes.example.org";
  return { transport: smtpTransport(url), templates: MailTemplates.shipped(), from, publicUrl };
}

test("a mail leaves by SMTP with text, HTML and encoded headers", async (t) => {
  const mailbox = await smtpMailbox(t);
  const { gateway, backend } = await world(t, { mail: mailBy(mailbox.url) });
  await gateway.signUp({ name: "zoë", password, email, display_name: "Zoë 😀" }, { ...asker, locale: "de-AT" });
  await sender(gateway, backend).run();
  const [mail] = mailbox.mails;
  assert.deepEqual([mail?.from, mail?.to, mailbox.mails.length], ["notes@example.org", [email], 1]);
  assert.equal(mail?.parsed.subject, "Bitte bestätige deine Adresse");
  assert.match(
    mail?.parsed.text ?? "",
    /Hallo Zoë 😀.*\n\nhttps:\/\/notes\.example\.org\/_settee\/pages\/verify-email\?token=[\w-]{43}\n/,
  );
  assert.match(
    String(mail?.parsed.html),
    /<a href="https:\/\/notes\.example\.org\/_settee\/pages\/verify-email\?token=[\w-]{43}">/,
  );
  assert.equal(mail?.parsed.from?.value[0]?.name, "Notes, Inc.");
  assert.match(mail?.parsed.messageId ?? "", /^<mail-[0-9a-z-]+@example\.org>$/);
  assert.deepEqual(await backend.listDocuments(mailDatabase, {}), [], "what has left waits no longer");
});

test("nothing in an address or name becomes a header or another recipient", async (t) => {
  const mailbox = await smtpMailbox(t);
  const { gateway, backend, clock } = await world(t, { mail: mailBy(mailbox.url) });
  const hostile = [
    "ada@example.org\r\nBcc: victim@example.org",
    "ada@example.org, victim@example.org",
    "victim@example.org;ada@example.org",
    'group: "x" <victim@example.org>;',
    "ada@example.org>\r\nRCPT TO:<victim@example.org",
  ];
  const display_name = "Eve\r\nBcc: victim@example.org\r\n\r\n<script>{{link}}";
  const fingerprint = "0000";
  for (const address of hostile) {
    await assert.rejects(gateway.signUp({ name: "eve", password, email: address }), /e-mail/);
  }
  // Past the check at the door, as a document that came from elsewhere.
  for (const [index, verified_email] of [...hostile, email].entries()) {
    await putUser(backend, `eve${index}`, { verified_email, display_name });
    await gateway.people.mails.resetPassword({ user: `eve${index}` }, {});
    await gateway.people.mails.emailChanged(`eve${index}`, verified_email, verified_email, {});
    await gateway.people.mails.passwordChanged(`eve${index}`, fingerprint, {});
  }
  clock.advance(3600);
  await sender(gateway, backend).run();
  assert.deepEqual(await backend.listDocuments(mailDatabase, {}), []);
  assert.deepEqual(
    mailbox.mails.map(({ to }) => to),
    [[email], [email]],
  );
  for (const { parsed, raw } of mailbox.mails) {
    assert.equal(parsed.bcc, undefined);
    assert.doesNotMatch(raw.slice(0, raw.indexOf("\r\n\r\n")), /^bcc:/im);
    assert.doesNotMatch(String(parsed.html), /<script/);
    assert.match(parsed.text ?? "", /<script>\{\{link\}\}/);
  }
});

test("an outage loses nothing: tried again, later and later, by whichever process is there", async (t) => {
  const mailbox = await smtpMailbox(t);
  const errors: unknown[] = [];
  const mail = mailBy(mailbox.url);
  const { gateway, backend, clock } = await world(t, { mail, onError: (error) => errors.push(error) });
  mailbox.isDown = true;
  await gateway.signUp({ name: "ada", password, email });
  const attemptsAt: number[] = [];
  const began = clock.now();
  for (let minute = 0; minute < 30; minute++) {
    const before = errors.length;
    await sender(gateway, backend).run();
    if (errors.length > before) attemptsAt.push((clock.now() - began) / 60_000);
    clock.advance(60);
  }
  assert.deepEqual(attemptsAt, [0, 1, 2, 4, 8, 16], "30 seconds, 1, 2, 4, 8 minutes later");
  assert.equal((await backend.listDocuments(mailDatabase, {})).length, 1);

  mailbox.isDown = false;
  clock.advance(3600);
  // The process is another one.
  const other = newGateway(backend, clock, { mail: mailBy(mailbox.url) });
  await other.start();
  t.after(() => other.close());
  await Promise.all([sender(gateway, backend).run(), sender(other, backend).run()]);
  assert.equal(mailbox.mails.length, 1, "one of the two sends it");
  const token = /token=([\w-]+)/.exec(mailbox.mails[0]?.parsed.text ?? "")?.[1] ?? "";
  assert.equal(await other.people.emails.verify(token, asker), "ada");

  await gateway.people.mails.emailChanged("ada", email, email, {});
  mailbox.isDown = true;
  await sender(gateway, backend).run();
  clock.advance(4 * 86_400);
  await sender(gateway, backend).run();
  assert.deepEqual(await backend.listDocuments(mailDatabase, {}), [], "after days nobody wants it");
});

test("a wrong password for the mail server is an error for the operator, not for users", async (t) => {
  const mailbox = await smtpMailbox(t);
  const errors: unknown[] = [];
  const mail = mailBy(mailbox.url.replace("p%40ss", "wrong"));
  const { gateway, backend } = await world(t, { mail, onError: (error) => errors.push(error) });
  assert.equal((await gateway.signUp({ name: "ada", password, email })).ok, true);
  await sender(gateway, backend).run();
  assert.match(String(errors[0]), /Invalid login/);
  assert.equal(mailbox.mails.length, 0);
});

test("a hook changes what a mail says, or keeps it from being sent for now", async (t) => {
  const mailbox = await smtpMailbox(t);
  const errors: unknown[] = [];
  const hooks: AccountHooks = {
    async beforeMail({ kind, to }) {
      if (to.startsWith("no")) throw new Error("not this one");
      return { subject: `[${kind}]\r\nBcc: victim@example.org` };
    },
  };
  const options = { mail: mailBy(mailbox.url), accounts: { hooks }, onError: (error: unknown) => errors.push(error) };
  const { gateway, backend } = await world(t, options);
  await gateway.signUp({ name: "ada", password, email });
  await gateway.signUp({ name: "bob", password, email: "no@example.org" });
  await sender(gateway, backend).run();
  assert.deepEqual(
    mailbox.mails.map(({ parsed, to }) => [parsed.subject, to[0]]),
    [["[verify-email] Bcc: victim@example.org", email]],
  );
  assert.match(String(errors[0]), /not this one/);
});
