/** What can be set of the gateway, with its defaults. */
import type { AccountOptions } from "./accounts/account-options.js";
import type { MailOptions } from "./accounts/account-services.js";
import type { AdminCredentials } from "./admins.js";
import type { TokenAlgorithm } from "./keys/signing-key.js";
import type { TokenLives } from "./keys/token-lives.js";
import type { QuotaOptions } from "./limits/quota-options.js";
import { MailTemplates } from "./mail/mail-templates.js";
import { DevelopmentMailbox } from "./mail/mail-transport.js";
import type { OidcOptions } from "./outside/oidc-log-ins.js";
import type { JwtIssuer } from "./outside/outside-tokens.js";
import { defaultIterations } from "./password-hasher.js";
import type { Mailer } from "./sharing/invitations.js";
import type { LockOut, ThrottleOptions } from "./throttle.js";

export interface SharingOptions {
  /** Those that users may make databases from. Undefined: all but `user`. */
  readonly templates: readonly string[] | undefined;
  /** For which an invitation holds that does not say. */
  readonly invitationSeconds: number;
  /** In which a deleted database can be had back. */
  readonly trashSeconds: number;
  /** Undefined: nobody is mailed. */
  readonly mailer: Mailer | undefined;
}

export interface GatewayOptions {
  /** Signs cookies and tokens. At least 16 characters: from one cookie a shorter one could be guessed at leisure. */
  readonly secret: string;
  /** Shared with a proxy that authenticates for us. Undefined: its headers are ignored. */
  readonly proxySecret?: string | undefined;
  /** The server administrator. Undefined: the stored one, or one that is made on the very first start. */
  readonly admin?: AdminCredentials | undefined;
  /** PBKDF2 iterations of new passwords, 1 to 10,000,000. */
  readonly passwordIterations?: number;
  /** Life of a cookie session since its last renewal. */
  readonly sessionSeconds?: number;
  /** `Secure` on every cookie, for a TLS proxy that does not say that it is one. */
  readonly cookieSecure?: boolean;
  /** CouchDB's default is to say nothing of it. */
  readonly cookieSameSite?: "Strict" | "Lax" | "None";
  /** `iss` and `aud` of access tokens. */
  readonly tokenIssuer?: string;
  readonly tokenAudience?: string;
  readonly tokenAlgorithm?: TokenAlgorithm;
  readonly tokenLives?: TokenLives;
  /** Within it a refresh token may be used again, by a client whose answer got lost. */
  readonly refreshGraceSeconds?: number;
  /** For how long a password that was right over HTTP Basic is remembered. */
  readonly verifiedPasswordSeconds?: number;
  readonly lockOut?: LockOut;
  /** Others whose JWTs are accepted. */
  readonly jwtIssuers?: readonly JwtIssuer[];
  /** Others with whom users log in. */
  readonly oidc?: OidcOptions;
  readonly sharing?: Partial<SharingOptions>;
  readonly quotas?: Partial<QuotaOptions>;
  readonly accounts?: Partial<AccountOptions>;
  readonly mail?: MailOptions;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Told of what fails in the background, where no request can be told. */
  readonly onError?: (error: unknown) => void;
  /** Told of each attempt of a pair that is locked out, or would be if the lock-out were enforced. */
  readonly onLockedOut?: ThrottleOptions["onLockedOut"];
}

/** What can be changed while the gateway runs. */
export type LiveGatewayOptions = Required<Pick<GatewayOptions, "sessionSeconds" | "passwordIterations" | "lockOut">>;

const minSecretLength = 16;
const day = 24 * 60 * 60;

const defaults = {
  proxySecret: undefined,
  admin: undefined,
  passwordIterations: defaultIterations,
  sessionSeconds: 600,
  cookieSecure: false,
  tokenIssuer: "settee",
  tokenAudience: "settee",
  tokenAlgorithm: "HS256",
  tokenLives: { accessSeconds: 15 * 60, refreshSeconds: 90 * day, byRole: {} },
  refreshGraceSeconds: 10,
  verifiedPasswordSeconds: 600,
  lockOut: { mode: "enforce", threshold: 5, maxLifetime: 300_000, maxObjects: 10_000 },
  jwtIssuers: [],
  oidc: { providers: [], redirects: [] },
  accounts: {},
  now: Date.now,
  onError: () => {},
  onLockedOut: () => {},
} satisfies Omit<GatewayOptions, "secret">;

/** For tests and programs that embed the gateway: mails go nowhere. */
function noMail(): MailOptions {
  return {
    transport: new DevelopmentMailbox(() => {}, Date.now),
    templates: MailTemplates.shipped(),
    from: "Settee <settee@localhost>",
    publicUrl: () => "http://localhost:5984",
  };
}

export type CompleteGatewayOptions = GatewayOptions &
  Required<Omit<GatewayOptions, "cookieSameSite" | "sharing" | "quotas">>;

/** @throws RangeError for a secret that is too short */
export function completeOptions(options: GatewayOptions): CompleteGatewayOptions {
  if (options.secret.length < minSecretLength) {
    throw new RangeError(`The secret must have at least ${minSecretLength} characters.`);
  }
  return { ...defaults, mail: options.mail ?? noMail(), ...options };
}
