import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { mailKinds } from "../../../server/gateway/mail/mail-queue.js";
import { MailTemplateError, MailTemplates } from "../../../server/gateway/mail/mail-templates.js";
import { temporaryDirectory } from "../../helpers/temp-store.js";

const values = {
  name: "Ada",
  address: "ada@example.org",
  link: "https://example.org/x?token=T&a=b",
  server: "example.org",
  hours: "48",
  minutes: "15",
  new_address: "next@example.org",
};

test("every mail is there in English and German, with no placeholder left", () => {
  const templates = MailTemplates.shipped();
  for (const kind of mailKinds) {
    const texts = ["en", "de"].map((locale) => templates.render(kind, locale, values));
    for (const { subject, text, html } of texts) {
      assert.ok(subject.length > 5);
      for (const part of [subject, text, html]) assert.doesNotMatch(part, /\{\{|\}\}|undefined/, kind);
    }
    assert.notEqual(texts[0]?.subject, texts[1]?.subject);
  }
  const { text, html } = templates.render("verify-email", "en", values);
  assert.match(text, /https:\/\/example\.org\/x\?token=T&a=b/);
  assert.match(html, /<a href="https:\/\/example\.org\/x\?token=T&amp;a=b">/);
});

test("what stands in names and addresses stays text: line breaks, markup, placeholders", () => {
  const hostile = {
    ...values,
    name: "Ada\r\nBcc: victim@example.org\u2028x",
    address: "{{link}} <script>alert(1)</script> \"'&",
  };
  const templates = MailTemplates.shipped();
  for (const kind of mailKinds) {
    const { subject, text, html } = templates.render(kind, "en", hostile);
    assert.doesNotMatch(subject, /[\r\n\u2028]/);
    assert.doesNotMatch(html, /<script/);
    if (kind === "verify-email") {
      assert.match(text, /\{\{link\}\} <script>/);
      assert.match(html, /\{\{link\}\} &lt;script&gt;alert\(1\)&lt;\/script&gt; &quot;&#39;&amp;/);
    }
  }
});

test("a deployment's own texts come first, by language, then what is shipped", async (t) => {
  const folder = temporaryDirectory(t);
  for (const locale of ["en", "fr", "de-AT"]) mkdirSync(join(folder, locale));
  writeFileSync(join(folder, "fr", "magic-link.txt"), "Subject: Bonjour {{name}}\n\nCliquez : {{link}}\n");
  writeFileSync(join(folder, "fr", "magic-link.html"), "<b>{{name}}</b>");
  writeFileSync(join(folder, "de-AT", "magic-link.txt"), "Subject: Servus\r\n\r\nKlick: {{link}}\r\n");
  writeFileSync(join(folder, "en", "magic-link.txt"), "Subject: Ours {{name}}\n\nClick {{link}}\n");
  writeFileSync(join(folder, "en", "notes.md"), "not a mail");
  const templates = await MailTemplates.load(folder, "fr");
  const subject = (locale?: string) => templates.render("magic-link", locale, { ...values, name: "A\nB" }).subject;
  assert.deepEqual(
    [subject("fr-CA"), subject("de-at"), subject("de-CH"), subject("en-GB"), subject("ja"), subject()],
    ["Bonjour A B", "Servus", "Dein Link zum Anmelden", "Ours A B", "Bonjour A B", "Bonjour A B"],
  );
  assert.equal(templates.render("magic-link", "fr", { name: "<i>" }).html, "<b>&lt;i&gt;</b>");
  assert.match(templates.render("magic-link", "de-AT", values).html, /Klick: https:\/\/example\.org/);
  // There is no French one, the default: English is the last resort.
  assert.equal(templates.render("invitation", "fr", values).subject, "You are invited");
});

test("what cannot be understood stops the start, and names the file", async (t) => {
  const bad: readonly [string, string][] = [
    ["en/magic-link.txt", "Hello"],
    ["en/magic-links.txt", "Subject: x\n\nx"],
    ["en/magic-link.html", "<p>x</p>"],
  ];
  for (const [file, content] of bad) {
    const folder = temporaryDirectory(t);
    mkdirSync(join(folder, "en"));
    writeFileSync(join(folder, file), content);
    await assert.rejects(MailTemplates.load(folder), (error: unknown) => {
      return error instanceof MailTemplateError && error.message.includes(file);
    });
  }
  await assert.rejects(MailTemplates.load("/nowhere/at/all"), MailTemplateError);
});
