/** What can be set of accounts, with its defaults. */
import type { AccountHooks } from "./hooks.js";
import type { TokenPurpose } from "./mailed-tokens.js";
import type { ProfileSchema } from "./profile.js";

/** `invitation`: with a code; `administrators`: by them and user managers; `closed`: by server administrators in `_users`. */
export type SignUpMode = "open" | "invitation" | "administrators" | "closed";

export type LinkKind = TokenPurpose | "invitation";

export interface AccountOptions {
  readonly signUp: SignUpMode;
  /** Nobody signs up without an address. */
  readonly requireEmail: boolean;
  /** Nobody who signed up logs in before the address is verified; implies `requireEmail`. */
  readonly requireVerifiedEmail: boolean;
  /** Characters. */
  readonly minPasswordLength: number;
  /** Whether accounts without a name or address may be made, where sign-up is open. */
  readonly anonymous: boolean;
  readonly magicLinks: boolean;
  /** Of the member `profile`. Undefined: there is no profile. */
  readonly profile: ProfileSchema | undefined;
  readonly hooks: AccountHooks;
  /** Whether a user's own databases go when the account is removed. */
  readonly deleteDatabases: boolean;
  /** Milliseconds. */
  readonly tokenLives: Readonly<Record<TokenPurpose, number>>;
  /** Of mails: a page of the app, `{token}` in it stands for the token. Undefined: a small page of the server's own. */
  readonly links: Readonly<Partial<Record<LinkKind, string>>>;
  /** Where a browser goes from the server's own pages when it is done there. */
  readonly appUrl: string | undefined;
  /** Mails that one address is sent at most in an hour. */
  readonly mailsPerHour: number;
  /** Names the service in authenticator apps. */
  readonly totpIssuer: string;
}

const minute = 60_000;

export const defaultAccountOptions: AccountOptions = {
  signUp: "open",
  requireEmail: false,
  requireVerifiedEmail: false,
  minPasswordLength: 8,
  anonymous: true,
  magicLinks: true,
  profile: undefined,
  hooks: {},
  deleteDatabases: true,
  tokenLives: { "verify-email": 48 * 60 * minute, "reset-password": 60 * minute, "magic-link": 15 * minute },
  links: {},
  appUrl: undefined,
  mailsPerHour: 10,
  totpIssuer: "Settee",
};
