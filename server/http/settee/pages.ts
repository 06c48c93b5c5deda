/**
 * `/_settee/pages/...`: what a link in a mail opens. Opening changes nothing, since programs that look for viruses open links
 * too; the button on the page does.
 */
import { z } from "zod";
import { magicLinkUse, resetPasswordRequest, signUpRequest, tokenBody } from "../../../protocol/account.js";
import { CouchError } from "../../../protocol/errors.js";
import { parseFields } from "../../../protocol/fields.js";
import type { Call, Reply } from "../call.js";
import { readFields } from "../form-body.js";
import { askerOf, originOf } from "./asker.js";
import { described } from "./endpoint.js";
import { htmlPage, type Page, type PageField } from "./html-page.js";

interface LinkPage {
  readonly title: string;
  readonly words: string;
  readonly button: string;
  readonly fields: readonly PageField[];
  /** @returns what to say when it is done, and headers of the answer */
  readonly act: (
    call: Call,
    body: unknown,
  ) => Promise<{ readonly words: string; readonly headers?: Record<string, string> }>;
}

const newPassword: PageField = {
  name: "password",
  label: "New password",
  type: "password",
  autocomplete: "new-password",
};
const code: PageField = {
  name: "totp",
  label: "One-time code, if your account has a second factor",
  type: "text",
  autocomplete: "one-time-code",
  optional: true,
};

const pages: Readonly<Record<string, LinkPage>> = {
  "verify-email": {
    title: "Confirm your address",
    words: "Press the button to confirm that this address is yours.",
    button: "Confirm",
    fields: [],
    async act(call, body) {
      await call.services.gateway.people.emails.verify(parseFields(tokenBody, body).token, askerOf(call));
      return { words: "Your address is confirmed. You can close this page." };
    },
  },
  "reset-password": {
    title: "Choose a new password",
    words: "Every device is logged out and needs the new password.",
    button: "Change the password",
    fields: [newPassword],
    async act(call, body) {
      const { token, password } = parseFields(resetPasswordRequest, body);
      await call.services.gateway.people.passwords.reset(token, password, askerOf(call));
      return { words: "Your password is changed. You can close this page and log in with it." };
    },
  },
  "magic-link": {
    title: "Log in",
    words: "Press the button to log in on this device.",
    button: "Log in",
    fields: [code],
    async act(call, body) {
      const { gateway } = call.services;
      const { token, totp } = parseFields(magicLinkUse, body);
      const principal = await gateway.people.magicLinks.use(token, totp);
      const { setCookie } = await gateway.beginSession(principal, originOf(call));
      return { words: "You are logged in.", headers: { "Set-Cookie": setCookie } };
    },
  },
  invitation: {
    title: "Make an account",
    words: "Choose a name and a password. The address is the one that you were invited by.",
    button: "Make the account",
    fields: [
      { name: "name", label: "Name", type: "text", autocomplete: "username" },
      { name: "email", label: "E-mail address", type: "email", autocomplete: "email" },
      { ...newPassword, label: "Password" },
    ],
    async act(call, body) {
      const { token: invitation, ...fields } = body as Record<string, unknown>;
      const request = parseFields(signUpRequest, { ...fields, invitation });
      await call.services.gateway.people.signUps.signUp(request, askerOf(call));
      return { words: "Your account is there. You can close this page and log in." };
    },
  },
};

const html = z.string();
const kindOf = ({ params }: Call): LinkPage => {
  const { kind = "" } = params;
  if (Object.hasOwn(pages, kind)) return pages[kind] as LinkPage;
  throw new CouchError("not_found", "missing");
};

export const getLinkPage = described(
  {
    summary: "The page that a link in a mail opens: verify-email, reset-password, magic-link or invitation.",
    need: "public",
    query: { token: "The mailed token." },
    reply: html,
    replyType: "text/html",
    errors: ["not_found"],
  },
  (call) => htmlPage(withForm(kindOf(call), call.query.get("token") ?? ""), 200, appOrigin(call)),
);

export const postLinkPage = described(
  {
    summary: "What the button on such a page does.",
    need: "public",
    body: z.looseObject({ token: z.string() }),
    form: true,
    reply: html,
    replyType: "text/html",
    errors: ["forbidden", "not_found", "conflict"],
  },
  async (call) => {
    const page = kindOf(call);
    refuseOtherSites(call);
    const body = withoutEmpty(await readFields(call));
    try {
      const { words, headers = {} } = await page.act(call, body);
      const app = call.services.gateway.people.options.appUrl;
      if (app !== undefined)
        return { status: 303, headers: { ...headers, Location: app, "Cache-Control": "no-store" } };
      return htmlPage({ title: page.title, words }, 200, undefined, headers);
    } catch (error) {
      return refusal(call, page, body, error);
    }
  },
);

function withForm({ title, words, button, fields }: LinkPage, token: string): Page {
  return { title, words, form: { button, token, fields } };
}

/** The form again, with what was wrong: a password that is too short must not cost the token. */
function refusal(call: Call, page: LinkPage, body: Readonly<Record<string, unknown>>, error: unknown): Reply {
  if (!(error instanceof CouchError) || error.status >= 500) throw error;
  const token = typeof body.token === "string" ? body.token : "";
  return htmlPage({ ...withForm(page, token), words: error.reason }, error.status, appOrigin(call));
}

/** A form of another site would log its visitor in as somebody else. @throws CouchError forbidden */
function refuseOtherSites({ headers, origin }: Call): void {
  const site = headers["sec-fetch-site"];
  const from = headers.origin;
  const isOther =
    site === undefined ? from !== undefined && from !== origin : site !== "same-origin" && site !== "none";
  if (isOther) throw new CouchError("forbidden", "This form belongs to another site.");
}

/** Fields of a form that were left empty were not filled in. */
function withoutEmpty(body: unknown): Readonly<Record<string, unknown>> {
  const fields = typeof body === "object" && body !== null ? Object.entries(body) : [];
  return Object.fromEntries(fields.filter(([, value]) => value !== ""));
}

function appOrigin({ services }: Call): string | undefined {
  const { appUrl } = services.gateway.people.options;
  return appUrl === undefined ? undefined : new URL(appUrl).origin;
}
