/** Every setting with its type and default. `server/config.ts` reads them from the file and the environment. */
import { z } from "zod";
import { defaultCompression } from "../documents/attachments/compression.js";
import { everywhere, isSubnet } from "../replicator/remote/address-rules.js";
import { accountSettings, mailSettings } from "./account-settings.js";
import { cookies, jwtIssuers, lockOut, oidc, proxies, tokens } from "./identity-settings.js";
import { quotaSettings, sharingSettings } from "./sharing-settings.js";
import { text, wholeNumber } from "./values.js";

/** What a client may send at most; sizes in bytes, as CouchDB's `max_document_size` and its neighbours. */
const limits = z.strictObject({
  maxDocumentSize: wholeNumber(1, 2 ** 31).default(8_000_000),
  maxAttachmentSize: wholeNumber(1, 2 ** 48).default(1024 ** 3),
  maxHttpRequestSize: wholeNumber(1, 2 ** 48).default(4 * 1024 ** 3),
  maxUriLength: wholeNumber(64, 16_000).default(8000),
});

/** Which attachments are compressed when they are stored: CouchDB's section `attachments`. */
const attachments = z.strictObject({
  types: z
    .array(
      z.string("must be a list of media types").regex(/^[\w.+*-]+\/[\w.+*-]+$/, "must hold media types such as text/*"),
    )
    .default([...defaultCompression.types]),
  level: wholeNumber(0, 9).default(defaultCompression.level),
});

/** Headers by which a proxy in front tells how clients see this server. */
const headerName = z.string("must be a text").regex(/^[\w-]{1,64}$/, "must be the name of a header");
const forwarded = z.strictObject({
  host: headerName.default("X-Forwarded-Host"),
  proto: headerName.default("X-Forwarded-Proto"),
  ssl: headerName.default("X-Forwarded-Ssl"),
});

const localhostOrigins = "localhost";
const origin = z
  .string("must be a list of origins")
  .refine(isOrigin, 'must be "*", "localhost" or origins such as https://app.example.org');
const token = z.string("must be a list of texts").regex(/^[\w-]+$/, "must hold letters, digits, - and _");
const corsMethods = ["GET", "PUT", "POST", "HEAD", "DELETE", "COPY"];
const corsHeaders = [
  "accept",
  "authorization",
  "content-type",
  "content-encoding",
  "origin",
  "referer",
  "cache-control",
  "if-match",
  "if-none-match",
  "range",
  "destination",
  "last-event-id",
  "x-couch-full-commit",
  "x-couch-request-id",
  "x-http-method-override",
  "x-requested-with",
];
const cors = z.strictObject({
  enabled: z.boolean("must be true or false").default(true),
  /** `localhost` stands for every port of this machine's own names: an app under development syncs without a setting. */
  origins: z.array(origin).default([localhostOrigins]),
  methods: z.array(token).default(corsMethods),
  /** Headers that a client of another origin may send. */
  headers: z.array(token).default(corsHeaders),
});

/** Ids for documents that come without one. */
const uuids = z.strictObject({
  algorithm: z
    .enum(["sequential", "random", "utc_random", "utc_id"], "must be sequential, random, utc_random or utc_id")
    .default("sequential"),
  /** What ids of `utc_id` end with: tells servers apart that give out ids in the same microsecond. */
  utcIdSuffix: z
    .string("must be a text")
    .regex(/^[0-9A-Za-z._~-]{0,64}$/, "must be at most 64 letters, digits or . _ ~ -")
    .default(""),
  /** At most so many in one answer of `_uuids`. */
  maxCount: wholeNumber(1, 100_000).default(1000),
});

/** Which databases are compacted by themselves: those of whose bytes more than a share is garbage, and more than so many. */
const compaction = z.strictObject({
  /** 100: none ever is. */
  garbagePercent: wholeNumber(1, 100).default(50),
  garbageBytes: wholeNumber(0, 2 ** 48).default(1024 ** 2),
});

/** Functions of design documents: milliseconds that one call may run, bytes that the realm of a function may hold. */
const sandbox = z.strictObject({
  timeout: wholeNumber(10, 3_600_000).default(5_000),
  validationTimeout: wholeNumber(10, 3_600_000).default(500),
  memoryLimit: wholeNumber(4 * 1024 ** 2, 256 * 1024 ** 2).default(64 * 1024 ** 2),
});

const address = z
  .string("must be a list of addresses")
  .refine((value) => value === everywhere || isSubnet(value), 'must be "*", addresses or subnets such as 10.1.0.0/16');
const role = z.string("must be a list of roles").min(1, "must not be empty").max(128, "is too long");

/** CouchDB's section of the same name; milliseconds. */
const replicator = z.strictObject({
  maxJobs: wholeNumber(1, 100_000).default(500),
  interval: wholeNumber(10, 86_400_000).default(60_000),
  maxChurn: wholeNumber(1, 100_000).default(20),
  startupJitter: wholeNumber(0, 86_400_000).default(5_000),
  /** Private addresses that replications may connect to all the same. */
  allowedAddresses: z.array(address).default([]),
  /** Who may replicate with other servers, beside server administrators. */
  roles: z.array(role).default(["replicator"]),
});

/**
 * Secrets that stand in manuals, sample files and images: whoever knows the manual would know the server's secret.
 * Compared in lower case.
 */
const sampleSecrets = new Set([
  "92de07df7e7a3fe14808cef90a7cc0d91",
  "0123456789abcdef",
  "changemechangeme",
  "change-me-please",
  "please-change-me",
  "please change me",
  "secretsecretsecret",
  "my-secret-my-secret",
  "this-is-a-secret",
  "supersecretsecret",
]);
const minSecretLength = 16;
const secret = text()
  .min(minSecretLength, `must have at least ${minSecretLength} characters`)
  .refine((value) => !sampleSecrets.has(value.toLowerCase()), "is a sample that everybody knows; make one of your own")
  .refine((value) => new Set(value).size > 4, "repeats too few characters; make a random one");

export const settingsSchema = z.strictObject({
  host: text(255).default("127.0.0.1"),
  /** 0: any free port. */
  port: wholeNumber(0, 65_535).default(5984),
  /**
   * As clients reach the server, when that is not what their requests say: `https://db.example.org`. Links in mails lead there;
   * absent, to where it listens.
   */
  publicUrl: z.url({ protocol: /^https?$/, error: "must be an http or https URL" }).optional(),
  dataDir: text().default("./data"),
  adminName: text(128).optional(),
  adminPassword: text(1024).optional(),
  backend: z.enum(["embedded", "couchdb"], 'must be "embedded" or "couchdb"').default("embedded"),
  couchdbUrl: z.url({ protocol: /^https?$/, error: "must be an http or https URL" }).optional(),
  /** Signs cookies and tokens. Absent: made at the first start and kept in the data directory. */
  secret: secret.optional(),
  /** Shared with a proxy that authenticates for us. Absent: its headers are ignored. */
  proxySecret: secret.optional(),
  logLevel: z
    .enum(["trace", "debug", "info", "warn", "error", "silent"], "must be trace, debug, info, warn, error or silent")
    .default("info"),
  passwordIterations: wholeNumber(1, 10_000_000).default(600_000),
  accounts: accountSettings.prefault({}),
  mail: mailSettings.prefault({}),
  /** Folder of templates. Absent: `design-docs` in the working directory, when it is there. */
  designDocs: text().optional(),
  attachments: attachments.prefault({}),
  cors: cors.prefault({}),
  forwarded: forwarded.prefault({}),
  /** A plus sign in a path is a space, as in CouchDB. */
  decodePlusToSpace: z.boolean("must be true or false").default(true),
  uuids: uuids.prefault({}),
  /** Anything but false: `_up` tells load balancers to send nobody here. */
  maintenanceMode: z.enum(["false", "true", "nolb"], "must be false, true or nolb").default("false"),
  compaction: compaction.prefault({}),
  sandbox: sandbox.prefault({}),
  replicator: replicator.prefault({}),
  limits: limits.prefault({}),
  sharing: sharingSettings.prefault({}),
  quotas: quotaSettings.prefault({}),
  /** Seconds of a cookie session since its last renewal. */
  sessionTimeout: wholeNumber(1, 366 * 86_400).default(600),
  tokens: tokens.prefault({}),
  cookies: cookies.prefault({}),
  lockOut: lockOut.prefault({}),
  jwtIssuers,
  oidc: oidc.prefault({}),
  proxies: proxies.prefault({}),
  /** Milliseconds after which a quiet changes feed ends, unless its client asks for less. */
  changesTimeout: wholeNumber(1, 86_400_000).default(60_000),
});

export type Settings = z.output<typeof settingsSchema>;

/** Variables of the environment beside `SETTEE_CONFIG`, with the path of their setting and how their text is read. */
export const environmentNames: Readonly<
  Record<string, { readonly path: string; readonly as: "text" | "number" | "list" | "flag" }>
> = {
  SETTEE_HOST: { path: "host", as: "text" },
  SETTEE_PORT: { path: "port", as: "number" },
  SETTEE_PUBLIC_URL: { path: "publicUrl", as: "text" },
  SETTEE_DATA_DIR: { path: "dataDir", as: "text" },
  SETTEE_ADMIN_NAME: { path: "adminName", as: "text" },
  SETTEE_ADMIN_PASSWORD: { path: "adminPassword", as: "text" },
  SETTEE_BACKEND: { path: "backend", as: "text" },
  SETTEE_COUCHDB_URL: { path: "couchdbUrl", as: "text" },
  SETTEE_SECRET: { path: "secret", as: "text" },
  SETTEE_PROXY_SECRET: { path: "proxySecret", as: "text" },
  SETTEE_LOG_LEVEL: { path: "logLevel", as: "text" },
  SETTEE_PASSWORD_ITERATIONS: { path: "passwordIterations", as: "number" },
  SETTEE_SIGN_UP: { path: "accounts.signUp", as: "text" },
  SETTEE_REQUIRE_EMAIL: { path: "accounts.requireEmail", as: "flag" },
  SETTEE_REQUIRE_VERIFIED_EMAIL: { path: "accounts.requireVerifiedEmail", as: "flag" },
  SETTEE_MIN_PASSWORD_LENGTH: { path: "accounts.minPasswordLength", as: "number" },
  SETTEE_ANONYMOUS_ACCOUNTS: { path: "accounts.anonymous", as: "flag" },
  SETTEE_MAGIC_LINKS: { path: "accounts.magicLinks", as: "flag" },
  SETTEE_ACCOUNT_HOOKS: { path: "accounts.hooks", as: "text" },
  SETTEE_DELETE_DATABASES: { path: "accounts.deleteDatabases", as: "flag" },
  SETTEE_VERIFY_EMAIL_HOURS: { path: "accounts.verifyEmailHours", as: "number" },
  SETTEE_RESET_PASSWORD_MINUTES: { path: "accounts.resetPasswordMinutes", as: "number" },
  SETTEE_MAGIC_LINK_MINUTES: { path: "accounts.magicLinkMinutes", as: "number" },
  SETTEE_USERS_SECURITY_EDITABLE: { path: "accounts.usersSecurityEditable", as: "flag" },
  SETTEE_APP_URL: { path: "accounts.appUrl", as: "text" },
  SETTEE_TOTP_ISSUER: { path: "accounts.totpIssuer", as: "text" },
  SETTEE_MAIL_SMTP: { path: "mail.smtp", as: "text" },
  SETTEE_MAIL_FROM: { path: "mail.from", as: "text" },
  SETTEE_MAIL_TEMPLATES: { path: "mail.templates", as: "text" },
  SETTEE_MAIL_LOCALE: { path: "mail.locale", as: "text" },
  SETTEE_MAILS_PER_ADDRESS_PER_HOUR: { path: "mail.perAddressPerHour", as: "number" },
  SETTEE_DESIGN_DOCS: { path: "designDocs", as: "text" },
  SETTEE_CORS_ORIGINS: { path: "cors.origins", as: "list" },
  SETTEE_UUIDS_ALGORITHM: { path: "uuids.algorithm", as: "text" },
  SETTEE_MAINTENANCE_MODE: { path: "maintenanceMode", as: "text" },
  SETTEE_COMPACTION_GARBAGE_PERCENT: { path: "compaction.garbagePercent", as: "number" },
  SETTEE_COMPACTION_GARBAGE_BYTES: { path: "compaction.garbageBytes", as: "number" },
  SETTEE_SANDBOX_TIMEOUT: { path: "sandbox.timeout", as: "number" },
  SETTEE_SANDBOX_VALIDATION_TIMEOUT: { path: "sandbox.validationTimeout", as: "number" },
  SETTEE_SANDBOX_MEMORY_LIMIT: { path: "sandbox.memoryLimit", as: "number" },
  SETTEE_REPLICATOR_MAX_JOBS: { path: "replicator.maxJobs", as: "number" },
  SETTEE_REPLICATOR_INTERVAL: { path: "replicator.interval", as: "number" },
  SETTEE_REPLICATOR_MAX_CHURN: { path: "replicator.maxChurn", as: "number" },
  SETTEE_REPLICATOR_STARTUP_JITTER: { path: "replicator.startupJitter", as: "number" },
  SETTEE_REPLICATOR_ALLOWED_ADDRESSES: { path: "replicator.allowedAddresses", as: "list" },
  SETTEE_REPLICATOR_ROLES: { path: "replicator.roles", as: "list" },
  SETTEE_MAX_DOCUMENT_SIZE: { path: "limits.maxDocumentSize", as: "number" },
  SETTEE_MAX_ATTACHMENT_SIZE: { path: "limits.maxAttachmentSize", as: "number" },
  SETTEE_MAX_HTTP_REQUEST_SIZE: { path: "limits.maxHttpRequestSize", as: "number" },
  SETTEE_MAX_URI_LENGTH: { path: "limits.maxUriLength", as: "number" },
  SETTEE_SESSION_TIMEOUT: { path: "sessionTimeout", as: "number" },
  SETTEE_TOKEN_ALGORITHM: { path: "tokens.algorithm", as: "text" },
  SETTEE_TOKEN_ISSUER: { path: "tokens.issuer", as: "text" },
  SETTEE_TOKEN_AUDIENCE: { path: "tokens.audience", as: "text" },
  SETTEE_ACCESS_TOKEN_SECONDS: { path: "tokens.accessSeconds", as: "number" },
  SETTEE_REFRESH_TOKEN_DAYS: { path: "tokens.refreshDays", as: "number" },
  SETTEE_COOKIE_SAME_SITE: { path: "cookies.sameSite", as: "text" },
  SETTEE_LOCK_OUT_MODE: { path: "lockOut.mode", as: "text" },
  SETTEE_LOCK_OUT_THRESHOLD: { path: "lockOut.threshold", as: "number" },
  SETTEE_TRUSTED_PROXIES: { path: "proxies.trusted", as: "list" },
  SETTEE_FORWARDED_HEADER: { path: "proxies.header", as: "text" },
  SETTEE_SHARING_TEMPLATES: { path: "sharing.templates", as: "list" },
  SETTEE_INVITATION_DAYS: { path: "sharing.invitationDays", as: "number" },
  SETTEE_TRASH_DAYS: { path: "sharing.trashDays", as: "number" },
  SETTEE_QUOTA_DOCUMENTS: { path: "quotas.documents", as: "number" },
  SETTEE_QUOTA_BYTES: { path: "quotas.bytes", as: "number" },
  SETTEE_QUOTA_DATABASES: { path: "quotas.databases", as: "number" },
  SETTEE_CHANGES_TIMEOUT: { path: "changesTimeout", as: "number" },
};

function isOrigin(value: string): boolean {
  if (value === "*" || value === localhostOrigins) return true;
  if (!URL.canParse(value)) return false;
  // Schemes of apps (`capacitor://localhost`) have no origin in the URL standard; browsers send them all the same.
  const { origin, protocol, host } = new URL(value);
  return origin === value || (origin === "null" && host !== "" && `${protocol}//${host}` === value);
}
