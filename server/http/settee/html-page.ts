/** Small pages of the server's own, without a script: what links in mails open where an app has no page for it. */
import { escapeHtml } from "../../gateway/mail/mail-templates.js";
import type { Reply } from "../call.js";

export interface PageField {
  readonly name: string;
  readonly label: string;
  readonly type: "password" | "text" | "email";
  readonly autocomplete: string;
  readonly optional?: true;
}

export interface Page {
  readonly title: string;
  readonly words: string;
  /** A form that is sent to the page's own address. */
  readonly form?: {
    readonly button: string;
    readonly token: string;
    readonly fields: readonly PageField[];
  };
}

/** @param mayLeadTo origin that the form's answer may send the browser to */
export function htmlPage(
  page: Page,
  status = 200,
  mayLeadTo?: string,
  headers?: Readonly<Record<string, string>>,
): Reply {
  const formAction = mayLeadTo === undefined ? "'self'" : `'self' ${mayLeadTo}`;
  return {
    status,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": `default-src 'none'; form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'`,
      // The token stands in the address.
      "Referrer-Policy": "no-referrer",
      "Cache-Control": "no-store",
      ...headers,
    },
    body: documentOf(page),
  };
}

function documentOf({ title, words, form }: Page): string {
  const inputs = (form?.fields ?? []).map(
    ({ name, label, type, autocomplete, optional }) =>
      `<p><label>${escapeHtml(label)}<br><input name="${name}" type="${type}" autocomplete="${autocomplete}"${optional ? "" : " required"}></label></p>`,
  );
  const body = form
    ? [
        '<form method="post">',
        `<input name="token" type="hidden" value="${escapeHtml(form.token)}">`,
        ...inputs,
        `<p><button>${escapeHtml(form.button)}</button></p>`,
        "</form>",
      ]
    : [];
  return [
    "<!doctype html>",
    '<html lang="en">',
    `<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title></head>`,
    "<body>",
    `<h1>${escapeHtml(title)}</h1>`,
    `<p>${escapeHtml(words)}</p>`,
    ...body,
    "</body>",
    "</html>",
    "",
  ].join("\n");
}
