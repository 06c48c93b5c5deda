/** Settings of accounts and of mail. */
import { z } from "zod";
import { minPasswordLength } from "../../protocol/account.js";
import { profileSchemaOf } from "../gateway/accounts/profile.js";
import { flag, text, wholeNumber } from "./values.js";

const httpUrl = z.url({ protocol: /^https?$/, error: "must be an http or https URL" });
/** Of a page of the app, or of an app itself (`myapp://verify?token={token}`). */
const link = text()
  .refine((value) => URL.canParse(value.replaceAll("{token}", "x")), "must be a URL")
  .refine((value) => !/^(javascript|data|vbscript):/i.test(value), "must be the URL of a page")
  .refine((value) => value.includes("{token}"), "must have {token} where the token belongs");

export const accountSettings = z.strictObject({
  signUp: z
    .enum(["open", "invitation", "administrators", "closed"], "must be open, invitation, administrators or closed")
    .default("open"),
  requireEmail: flag.default(false),
  /** Log-in waits until the address is verified. */
  requireVerifiedEmail: flag.default(false),
  minPasswordLength: wholeNumber(minPasswordLength, 128).default(minPasswordLength),
  anonymous: flag.default(true),
  magicLinks: flag.default(true),
  /** JSON Schema of the member `profile` of accounts. */
  profile: z
    .record(z.string(), z.json(), "must be a JSON Schema")
    .refine(isUnderstood, "is no JSON Schema that is understood")
    .optional(),
  /** A module of functions that are called around sign-up and mails. */
  hooks: text().optional(),
  /** Whether the databases of an account go with it. */
  deleteDatabases: flag.default(true),
  verifyEmailHours: wholeNumber(1, 720).default(48),
  resetPasswordMinutes: wholeNumber(1, 1440).default(60),
  magicLinkMinutes: wholeNumber(1, 1440).default(15),
  /** Where the server's own pages lead to. */
  appUrl: httpUrl.optional(),
  links: z
    .strictObject({
      verifyEmail: link.optional(),
      resetPassword: link.optional(),
      magicLink: link.optional(),
      invitation: link.optional(),
    })
    .prefault({}),
  /** Whether the `_security` of `_users` can be changed. */
  usersSecurityEditable: flag.default(false),
  /** Names the service in authenticator apps. */
  totpIssuer: text(64).default("Settee"),
});

const localeTag = z
  .string("must be a text")
  .regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/, "must be a language such as en or de-AT");

export const mailSettings = z.strictObject({
  /** Absent: mails go to the log and to `_settee/dev/mail`. */
  smtp: z.url({ protocol: /^smtps?$/, error: "must be an smtp or smtps URL" }).optional(),
  from: text(320)
    .refine((value) => /^[^\r\n<>]*<?[^\s<>@]+@[^\s<>@]+>?$/.test(value), "must be an address, or a name and <address>")
    .default("Settee <settee@localhost>"),
  /** A folder of texts. */
  templates: text().optional(),
  /** Of mails to users who have said nothing. */
  locale: localeTag.default("en"),
  /** Mails that one address gets at most. */
  perAddressPerHour: wholeNumber(1, 10_000).default(10),
});

function isUnderstood(schema: Readonly<Record<string, unknown>>): boolean {
  try {
    profileSchemaOf(schema);
    return true;
  } catch {
    return false;
  }
}
