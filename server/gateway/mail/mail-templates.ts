/**
 * Texts of mails: those that are shipped, and on top of them the files of a folder, `LOCALE/KIND.txt` and `LOCALE/KIND.html`
 * (`de/verify-email.txt`). The first line of a text is `Subject: ...`. `{{name}}` and its like stand for values.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type MailKind, mailKinds } from "./mail-queue.js";
import { type ShippedMail, shippedMails } from "./shipped-mails.js";

export interface MailText {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export type MailValues = Readonly<Record<string, string>>;

interface Template {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** A file that cannot be understood. The message names it. */
export class MailTemplateError extends Error {}

const lastResort = "en";
const placeholder = /\{\{\s*([a-z_]+)\s*\}\}/g;
const fileName = /^([a-z-]+)\.(txt|html)$/;

export class MailTemplates {
  /** `LOCALE/KIND` in lower case, what files say before what is shipped. */
  readonly #templates: ReadonlyMap<string, Template>;
  readonly #defaultLocale: string;

  private constructor(templates: ReadonlyMap<string, Template>, defaultLocale: string) {
    this.#templates = templates;
    this.#defaultLocale = defaultLocale;
  }

  static shipped(defaultLocale = lastResort): MailTemplates {
    return new MailTemplates(shippedTemplates(), defaultLocale);
  }

  /** @throws MailTemplateError */
  static async load(folder: string, defaultLocale = lastResort): Promise<MailTemplates> {
    const templates = new Map(shippedTemplates());
    for (const locale of await entriesOf(folder)) {
      if (!locale.isDirectory()) continue;
      const files = new Set((await entriesOf(join(folder, locale.name))).map(({ name }) => name));
      for (const name of files) {
        const [, kind, type] = fileName.exec(name) ?? [];
        if (kind === undefined) continue;
        const path = join(folder, locale.name, name);
        if (!mailKinds.includes(kind as MailKind))
          throw new MailTemplateError(`${path}: there is no mail of that name.`);
        if (type === "html" && !files.has(`${kind}.txt`))
          throw new MailTemplateError(`${path}: the text, ${kind}.txt, is missing beside it.`);
        if (type !== "txt") continue;
        const html = files.has(`${kind}.html`) ? await readFile(path.replace(/txt$/, "html"), "utf8") : undefined;
        templates.set(keyOf(locale.name, kind), parsed(path, await readFile(path, "utf8"), html));
      }
    }
    return new MailTemplates(templates, defaultLocale);
  }

  /** In the first language of `locale` (`de-AT`, then `de`), the default one and English for which there is a text. */
  render(kind: MailKind, locale: string | undefined, values: MailValues): MailText {
    const candidates = [...fallbacks(locale), ...fallbacks(this.#defaultLocale), lastResort];
    const template = candidates
      .map((each) => this.#templates.get(keyOf(each, kind)))
      .find((each) => each !== undefined);
    if (!template) throw new Error(`There is no text for ${kind}.`);
    return {
      subject: oneLine(filled(template.subject, values, (value) => value)),
      text: filled(template.text, values, (value) => value),
      html: filled(template.html, values, escapeHtml),
    };
  }
}

/** `de-Latn-AT`, `de-Latn`, `de`. */
function fallbacks(locale: string | undefined): readonly string[] {
  const parts = locale?.split("-") ?? [];
  return parts.map((_, index) => parts.slice(0, parts.length - index).join("-"));
}

/** In one pass: what a value looks like is not looked at again. */
function filled(template: string, values: MailValues, encode: (value: string) => string): string {
  return template.replace(placeholder, (_, name: string) =>
    encode(Object.hasOwn(values, name) ? (values[name] ?? "") : ""),
  );
}

function parsed(path: string, text: string, html: string | undefined): Template {
  const [, subject, body] = /^Subject: *(.+?)\r?\n\s*\r?\n([\s\S]*)$/.exec(text) ?? [];
  if (subject === undefined || body === undefined) {
    throw new MailTemplateError(`${path}: the first line is "Subject: ...", the second is empty.`);
  }
  return { subject, text: body, html: html ?? textAsHtml(body) };
}

function shippedTemplates(): ReadonlyMap<string, Template> {
  const templates = new Map<string, Template>();
  for (const [locale, mails] of shippedMails) {
    for (const [kind, mail] of Object.entries(mails)) templates.set(keyOf(locale, kind), fromShipped(mail));
  }
  return templates;
}

function fromShipped({ subject, paragraphs, action }: ShippedMail): Template {
  const [first = "", ...others] = paragraphs;
  const link = action === undefined ? [] : ["{{link}}"];
  const button = action === undefined ? [] : [`<p><a href="{{link}}">${escapeHtml(action)}</a></p>`];
  const html = [paragraph(first), ...button, ...others.map(paragraph)].join("\n");
  return { subject, text: `${[first, ...link, ...others].join("\n\n")}\n`, html: page(html) };
}

function textAsHtml(text: string): string {
  return page(
    text
      .split(/\n\s*\n/)
      .map(paragraph)
      .join("\n"),
  );
}

const paragraph = (text: string): string => `<p>${escapeHtml(text.trim())}</p>`;
const page = (body: string): string => `<!doctype html>\n<html>\n<body>\n${body}\n</body>\n</html>\n`;

export function escapeHtml(text: string): string {
  return text
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;")
    .replace(/'/g, "&#39;");
}

/** A line break in a name must not begin another header. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
}

function keyOf(locale: string, kind: string): string {
  return `${locale.toLowerCase()}/${kind}`;
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw new MailTemplateError(`${folder} cannot be read.`, { cause: error });
  }
}
