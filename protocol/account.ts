/** `POST /_settee/signup`: what it takes and what it answers. */
import { z } from "zod";
import { CouchError } from "./errors.js";
import { parseUserName, type UserName } from "./ids.js";

export const minPasswordLength = 8;
/** Long enough for any passphrase; the bound keeps a request from being a megabyte of hashing. */
const maxPasswordLength = 1_024;
/** A database is named after the user: 238 characters, less `userdb-`, at two for each byte. */
export const maxUserNameBytes = 115;
const maxEmailLength = 254;

export interface SignUpRequest {
  readonly name: UserName;
  readonly password: string;
  readonly email?: string;
}

export interface SignUpReply {
  readonly ok: true;
  readonly name: UserName;
  /** The user's own database, the one that `/_me` stands for. */
  readonly database: string;
}

const userName = z.string("A user name is required.").transform((text, context): UserName => {
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

const signUpRequest = z.strictObject(
  {
    name: userName,
    password: z
      .string("A password is required.")
      .min(minPasswordLength, `A password has at least ${minPasswordLength} characters.`)
      .max(maxPasswordLength, `A password has at most ${maxPasswordLength} characters.`),
    email: z.email("This is not an e-mail address.").max(maxEmailLength, "The e-mail address is too long.").optional(),
  },
  // Roles, for one, are nobody's to ask for; ignoring them would look as if they had been given.
  { error: (issue) => (issue.code === "unrecognized_keys" ? "There is no such field." : "An object is expected.") },
);

/** @throws CouchError bad_request, with `fields`: one reason for each bad field */
export function parseSignUpRequest(body: unknown): SignUpRequest {
  const parsed = signUpRequest.safeParse(body);
  if (parsed.success) {
    const { email, ...required } = parsed.data;
    return email === undefined ? required : { ...required, email };
  }
  const reasons = new Map<string, string>();
  for (const issue of parsed.error.issues) {
    const fields = issue.code === "unrecognized_keys" ? issue.keys : issue.path.map(String);
    for (const field of fields) if (!reasons.has(field)) reasons.set(field, issue.message);
  }
  if (reasons.size === 0) throw new CouchError("bad_request", "Request body must be a JSON object");
  const reason = [...reasons].map(([field, why]) => `${field}: ${why}`).join(" ");
  throw new CouchError("bad_request", reason, { detail: { fields: Object.fromEntries(reasons) } });
}
