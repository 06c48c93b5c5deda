/** `POST /_settee/signup`: what it takes and what it answers. */
import { z } from "zod";
import { CouchError } from "./errors.js";
import { fields, parseFields } from "./fields.js";
import { parseUserName, type UserName } from "./ids.js";

export const minPasswordLength = 8;
/** Long enough for any passphrase; the bound keeps a request from being a megabyte of hashing. */
const maxPasswordLength = 1_024;
/** A database is named after the user: 238 characters, less `userdb-`, at two for each byte. */
export const maxUserNameBytes = 115;
const maxEmailLength = 254;

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

export const emailAddress = z
  .email("This is not an e-mail address.")
  .max(maxEmailLength, "The e-mail address is too long.");

/** Roles, for one, are nobody's to ask for. */
export const signUpRequest = fields({ name: userName, password: newPassword, email: emailAddress.optional() });
export type SignUpRequest = z.output<typeof signUpRequest>;

export const signUpReply = z.strictObject({
  ok: z.literal(true),
  name: z.string().transform((name) => name as UserName),
  /** The user's own database, the one that `/_me` stands for. */
  database: z.string(),
});
export type SignUpReply = z.output<typeof signUpReply>;

/** @throws CouchError bad_request, with `fields`: one reason for each bad field */
export function parseSignUpRequest(body: unknown): SignUpRequest {
  return parseFields(signUpRequest, body);
}
