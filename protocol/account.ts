/** Accounts: what sign-up and the endpoints around it take and answer. */
import { z } from "zod";
import { emailAddress } from "./email.js";
import { CouchError } from "./errors.js";
import { fields, parseFields } from "./fields.js";
import { parseUserName, type UserName } from "./ids.js";

export { emailAddress } from "./email.js";

/** A deployment may demand more. */
export const minPasswordLength = 8;
/** Long enough for any passphrase; the bound keeps a request from being a megabyte of hashing. */
const maxPasswordLength = 1_024;
/** A database is named after the user: 238 characters, less `userdb-`, at two for each byte. */
export const maxUserNameBytes = 115;

export const userName = z.string("A user name is required.").transform((text, context): UserName => {
  try {
    const name = parseUserName(text);
    if (new TextEncoder().encode(name).length <= maxUserNameBytes) return name;
    context.addIssue({ code: "custom", message: `A user name is at most ${maxUserNameBytes} bytes of UTF-8.` });
  } catch (error) {
    if (!(error instanceof CouchError)) throw error;
    context.addIssue({ code: "custom", message: error.reason });
  }
  return z.NEVER;
});

export const newPassword = z
  .string("A password is required.")
  .min(minPasswordLength, `A password has at least ${minPasswordLength} characters.`)
  .max(maxPasswordLength, `A password has at most ${maxPasswordLength} characters.`);
/** One that is to be checked: a bound, and no rules. */
export const knownPassword = z
  .string("Your password is required.")
  .max(maxPasswordLength, "That is no password of yours.");

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it refuses
const controls = /[\u0000-\u001f\u007f\u2028\u2029]/;
export const displayName = z
  .string("A display name is a text.")
  .trim()
  .min(1, "A display name is not empty.")
  .max(200, "A display name has at most 200 characters.")
  .refine((text) => !controls.test(text), "A display name is one line.");
export const locale = z
  .string("A locale is a text.")
  .regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$/, "A locale is a language tag such as en or de-AT.");
export const mailedToken = z.string("The token is required.").max(200, "That is no token.");
/** Of a second factor: from an app, or a recovery code. */
export const oneTimeCode = z.string("A one-time code is a text.").max(64, "That is no one-time code.");
const profile = z.record(z.string(), z.json(), "A profile is an object.");
const role = z
  .string("A role is a text.")
  .min(1, "A role is not empty.")
  .max(128, "A role has at most 128 characters.")
  .refine((text) => !text.startsWith("_"), "Roles that begin with an underscore are the server's own.");
export const roles = z.array(role, "Roles are a list.").max(100, "There are too many roles.");

/** Roles, for one, are nobody's to ask for. */
export const signUpRequest = fields({
  name: userName.optional(),
  password: newPassword,
  email: emailAddress.optional(),
  display_name: displayName.optional(),
  locale: locale.optional(),
  profile: profile.optional(),
  /** A code, where sign-up is by invitation. */
  invitation: mailedToken.optional(),
});
export type SignUpRequest = z.output<typeof signUpRequest>;

const ok = z.literal(true);
const shownName = z.string().transform((name) => name as UserName);

export const signUpReply = z.strictObject({
  ok,
  name: shownName,
  /** The user's own database, the one that `/_me` stands for. */
  database: z.string(),
  /** Log-in works when the address was verified. */
  verify_email: ok.optional(),
});
export type SignUpReply = z.output<typeof signUpReply>;

/** The password was made here; the device keeps it. */
export const anonymousReply = signUpReply.extend({ password: z.string() });

export const claimRequest = fields({
  password: newPassword,
  email: emailAddress.optional(),
  display_name: displayName.optional(),
  locale: locale.optional(),
  profile: profile.optional(),
});
export type ClaimRequest = z.output<typeof claimRequest>;

export const tokenBody = fields({ token: mailedToken });
export const nameBody = fields({ name: userName });
export const emailBody = fields({ email: emailAddress });
export const magicLinkUse = fields({ token: mailedToken, totp: oneTimeCode.optional() });
export const forgotPasswordRequest = fields({ email: emailAddress.optional(), name: userName.optional() }).refine(
  ({ email, name }) => (email === undefined) !== (name === undefined),
  { path: ["email"], message: "Either an e-mail address or a user name is required." },
);
export const resetPasswordRequest = fields({ token: mailedToken, password: newPassword });
export const changePasswordRequest = fields({ password: knownPassword, new_password: newPassword });
export const changeEmailRequest = fields({ password: knownPassword, email: emailAddress });
/** For what a stolen session must not be able to do. */
export const proofRequest = fields({ password: knownPassword, totp: oneTimeCode.optional() });
export const enableTotpRequest = fields({ totp: oneTimeCode });

export const changeAccountRequest = fields({
  display_name: displayName.nullable().optional(),
  locale: locale.nullable().optional(),
  profile: profile.optional(),
});
export type ChangeAccountRequest = z.output<typeof changeAccountRequest>;

/** An account without its secrets; times are ISO 8601. */
export const accountView = z.strictObject({
  name: z.string(),
  display_name: z.string().optional(),
  email: z.string().optional(),
  email_verified: z.boolean(),
  /** An address that is to take its place, once it is verified. */
  pending_email: z.string().optional(),
  locale: z.string().optional(),
  profile: z.json().optional(),
  roles: z.array(z.string()),
  anonymous: z.boolean(),
  disabled: z.boolean(),
  second_factor: z.boolean(),
  created_at: z.string().optional(),
  databases: z.array(z.string()),
});
export type AccountView = z.output<typeof accountView>;

export const activityReply = z.strictObject({
  /** The latest first. */
  activity: z.array(
    z.strictObject({
      time: z.string(),
      kind: z.string(),
      address: z.string(),
      by: z.string().optional(),
      count: z.int().optional(),
    }),
  ),
});

export const totpSetup = z.strictObject({ secret: z.string(), uri: z.string() });
export const recoveryCodes = z.strictObject({ recovery_codes: z.array(z.string()) });

export const newUserRequest = fields({
  name: userName.optional(),
  password: newPassword.optional(),
  email: emailAddress.optional(),
  /** Whoever makes the account vouches for the address. */
  email_verified: z.boolean().optional(),
  display_name: displayName.optional(),
  locale: locale.optional(),
  profile: profile.optional(),
  roles: roles.optional(),
});
export type NewUserRequest = z.output<typeof newUserRequest>;

export const changeUserRequest = fields({
  roles: roles.optional(),
  disabled: z.boolean("disabled is true or false.").optional(),
  /** Counts as verified: whoever manages accounts vouches for it. */
  email: emailAddress.optional(),
  display_name: displayName.nullable().optional(),
  profile: profile.optional(),
  /** `false` takes the second factor of a user away who has lost it. */
  second_factor: z.literal(false, "A second factor can be taken away only.").optional(),
});
export type ChangeUserRequest = z.output<typeof changeUserRequest>;

/** None: the user is mailed a link. */
export const resetUserPasswordRequest = fields({ password: newPassword.optional() });
/** `next` is what `after` of the next page is. */
export const userList = z.strictObject({ users: z.array(accountView), next: z.string().optional() });

export const newInvitationRequest = fields({
  email: emailAddress.optional(),
  roles: roles.optional(),
  uses: z.int("uses is a whole number.").min(1).max(10_000).optional(),
  expires_in: z
    .int("expires_in is a number of seconds.")
    .min(60)
    .max(366 * 86_400)
    .optional(),
  locale: locale.optional(),
});
export type NewInvitationRequest = z.output<typeof newInvitationRequest>;

export const invitationView = z.strictObject({
  id: z.string(),
  /** What is given as `invitation` at sign-up. Not told of those that were mailed: their address is proved by it. */
  code: z.string().optional(),
  email: z.string().optional(),
  roles: z.array(z.string()),
  uses: z.int(),
  used_by: z.array(z.string()),
  created_at: z.string(),
  expires_at: z.string(),
  created_by: z.string(),
});
export type InvitationView = z.output<typeof invitationView>;
export const invitationList = z.strictObject({ invitations: z.array(invitationView), next: z.string().optional() });

/** @throws CouchError bad_request, with `fields`: one reason for each bad field */
export function parseSignUpRequest(body: unknown): SignUpRequest {
  return parseFields(signUpRequest, body);
}
