/** What the settings mean to the gateway. */
import { keptSecret } from "./config/data-directory.js";
import type { Config } from "./config.js";
import type { GatewayOptions, SharingOptions } from "./gateway/gateway-options.js";
import type { TokenLives } from "./gateway/keys/token-lives.js";
import type { OidcOptions } from "./gateway/outside/oidc-log-ins.js";
import type { Logger } from "./logging.js";

const day = 24 * 60 * 60;

export function gatewayOptions(config: Config, log: Logger): GatewayOptions {
  const { adminName: name = "admin", adminPassword: password } = config;
  return {
    secret: config.secret ?? keptSecret(config.dataDir),
    proxySecret: config.proxySecret,
    admin: password === undefined ? undefined : { name, password },
    passwordIterations: config.passwordIterations,
    sessionSeconds: config.sessionTimeout,
    cookieSecure: config.cookies.secure,
    ...(config.cookies.sameSite && { cookieSameSite: config.cookies.sameSite }),
    lockOut: config.lockOut,
    jwtIssuers: config.jwtIssuers,
    oidc: oidcOptions(config.oidc),
    tokenAlgorithm: config.tokens.algorithm,
    tokenIssuer: config.tokens.issuer,
    tokenAudience: config.tokens.audience,
    tokenLives: tokenLives(config.tokens),
    sharing: sharingOptions(config.sharing),
    quotas: config.quotas,
    onError: (err) => log.error({ err }, "background work of the gateway failed"),
    onLockedOut: ({ name, address }) => log.warn({ user: name, address }, "too many failed log-ins"),
  };
}

function tokenLives({ accessSeconds, refreshDays, byRole }: Config["tokens"]): TokenLives {
  const ofRoles = Object.entries(byRole).map(([role, life]) => [
    role,
    {
      ...(life.accessSeconds === undefined ? {} : { accessSeconds: life.accessSeconds }),
      ...(life.refreshDays === undefined ? {} : { refreshSeconds: life.refreshDays * day }),
    },
  ]);
  return { accessSeconds, refreshSeconds: refreshDays * day, byRole: Object.fromEntries(ofRoles) };
}

function oidcOptions({ providers, redirects }: Config["oidc"]): OidcOptions {
  return {
    providers: Object.entries(providers).map(([name, options]) => ({
      ...options,
      name,
      label: options.label ?? name,
    })),
    redirects,
  };
}

export function sharingOptions({ templates, invitationDays, trashDays }: Config["sharing"]): Partial<SharingOptions> {
  return { templates, invitationSeconds: invitationDays * day, trashSeconds: trashDays * day };
}
