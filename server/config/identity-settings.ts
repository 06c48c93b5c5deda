/** Settings of who comes in, and how: tokens, lock-out, proxies, outside issuers and providers. */
import { isIP } from "node:net";
import { z } from "zod";
import { canBeListed } from "../gateway/outside/redirects.js";
import { text, wholeNumber } from "./values.js";

/** `[chttpd_auth_lockout]`, in CouchDB's words: of one name from one address. */
export const lockOut = z.strictObject({
  mode: z.enum(["off", "warn", "enforce"], "must be off, warn or enforce").default("enforce"),
  /** Failed log-ins. */
  threshold: wholeNumber(1, 10_000).default(5),
  /** Milliseconds. */
  maxLifetime: wholeNumber(1, 86_400_000).default(300_000),
  /** Pairs of name and address that are remembered. */
  maxObjects: wholeNumber(1, 1_000_000).default(10_000),
});

/** Of session cookies. */
export const cookies = z.strictObject({
  /** Absent: the browser's own default, which is Lax. None lets apps of other sites use the cookie, over TLS. */
  sameSite: z.enum(["Strict", "Lax", "None"], "must be Strict, Lax or None").optional(),
  /** `Secure` on every cookie, also where nobody says that TLS ends in front of us. */
  secure: z.boolean("must be true or false").default(false),
});

/** Proxies in front of the server, whose word on where a request comes from is taken. */
export const proxies = z.strictObject({
  trusted: z
    .array(
      z.string("must be a list of addresses").refine(isAddressRange, "must be addresses or ranges such as 10.0.0.0/8"),
    )
    .default([]),
  /** The header that they write, and clients cannot. */
  header: z.enum(["x-forwarded-for", "forwarded"], "must be x-forwarded-for or forwarded").default("x-forwarded-for"),
});

const url = z.url({ protocol: /^https?$/, error: "must be an http or https URL" });
const roles = z.strictObject({
  /** Where roles stand among the claims: `realm_access.roles`, say. */
  claim: text(255).default("_couchdb.roles"),
  /** Their role to ours; without it all but those of the system are taken as they are. */
  map: z.record(z.string(), z.string()).optional(),
});
const issuerKey = z
  .strictObject({
    kid: text(255).optional(),
    algorithm: z.string("must be a text").regex(/^(HS|RS|PS|ES)(256|384|512)$|^EdDSA$/, "must be one of JOSE's"),
    /** A public key, or any as a JWK. */
    pem: text().optional(),
    jwk: z.record(z.string(), z.unknown()).optional(),
  })
  .refine(({ pem, jwk }) => (pem === undefined) !== (jwk === undefined), "must have either pem or jwk");

/** Issuers of JWTs beside ourselves. */
const jwtIssuer = z
  .strictObject({
    issuer: text(1024),
    audience: z.union([text(1024), z.array(text(1024)).min(1)], "must be a text, or a list of texts"),
    /** Where its keys are. https, unless `allowHttp`. */
    jwksUrl: url.optional(),
    allowHttp: z.boolean("must be true or false").default(false),
    keys: z.array(issuerKey).min(1).optional(),
    /** Of keys behind `jwksUrl`. With a secret (HS256) whoever publishes it could make tokens. */
    algorithms: z
      .array(z.string().regex(/^(RS|PS|ES)(256|384|512)$|^EdDSA$/, "must be those of public keys"))
      .min(1)
      .default(["RS256", "ES256"]),
    /** linked: an account of ours belongs to the identity. named: the claim is the name of the account, as in CouchDB. */
    accounts: z.enum(["linked", "named"], "must be linked or named").default("linked"),
    nameClaim: text(255).default("sub"),
    roles: roles.prefault({}),
    createAccounts: z.boolean("must be true or false").default(true),
    /** Seconds. */
    clockTolerance: wholeNumber(0, 600).default(30),
  })
  .refine(({ jwksUrl, keys }) => (jwksUrl === undefined) !== (keys === undefined), "must have either jwksUrl or keys")
  .refine(
    ({ jwksUrl, allowHttp }) => allowHttp || jwksUrl === undefined || jwksUrl.startsWith("https:"),
    "must have a jwksUrl with https, or allowHttp",
  );

const accessSeconds = wholeNumber(1, 366 * 86_400);
const refreshDays = wholeNumber(1, 3660);
/** Of access tokens (JWTs) and the refresh tokens that renew them. */
export const tokens = z.strictObject({
  /** HS256: signed with a secret that only the server has. With the others, who has `jwks.json` can check tokens. */
  algorithm: z.enum(["HS256", "RS256", "ES256"], "must be HS256, RS256 or ES256").default("HS256"),
  /** `iss` and `aud`. */
  issuer: text(255).default("settee"),
  audience: text(255).default("settee"),
  accessSeconds: accessSeconds.default(900),
  refreshDays: refreshDays.default(90),
  /** Role to lives of its own; of several roles the shortest counts. */
  byRole: z
    .record(
      z.string(),
      z.strictObject({ accessSeconds: accessSeconds.optional(), refreshDays: refreshDays.optional() }),
    )
    .default({}),
});

export const jwtIssuers = z.array(jwtIssuer).default([]);

const providerName = z.string().regex(/^[a-z0-9-]{1,40}$/, "must be called by letters a-z, digits and -");

/** An OpenID provider: users log in with what they have there. */
const oidcProvider = z
  .strictObject({
    /** https, unless `allowHttp`. Its endpoints are found at `.well-known/openid-configuration`. */
    issuer: url,
    allowHttp: z.boolean("must be true or false").default(false),
    clientId: text(1024),
    /** Absent: a public client. */
    clientSecret: text(1024).optional(),
    /** For people. Absent: the provider's name. */
    label: text(100).optional(),
    scopes: z.array(text(255)).min(1).default(["openid", "profile", "email"]),
    /** What an account that is made at first sight is called, if the name is free. */
    nameClaim: text(255).default("preferred_username"),
    createAccounts: z.boolean("must be true or false").default(true),
  })
  .refine(
    ({ issuer, allowHttp }) => allowHttp || issuer.startsWith("https:"),
    "must have an https issuer, or allowHttp",
  )
  .refine(({ scopes }) => scopes.includes("openid"), "must ask for the scope openid");

export const oidc = z.strictObject({
  /** By a name that stands in URLs. */
  providers: z.record(providerName, oidcProvider).default({}),
  /** URLs of apps that a browser may be sent back to; one that ends with a slash stands for all below it. */
  redirects: z
    .array(z.string("must be a list of URLs").refine(canBeListed, "must be URLs of apps, without query and fragment"))
    .default([]),
});

function isAddressRange(value: string): boolean {
  const [address = "", bits, ...more] = value.split("/");
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32));
}
