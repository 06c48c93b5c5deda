/** Credentials to an identity. The first that proves something wins: cookie, proxy headers, `Authorization`. */
import { CouchError } from "../../protocol/errors.js";
import { anonymous, type Identity } from "../../protocol/security.js";
import { type AccessTokens, looksLikeToken } from "./access-tokens.js";
import type { ClaimedSession, CookieSessions } from "./cookie-sessions.js";
import type { EndedCookies } from "./ended-cookies.js";
import { type PasswordCheck, wrongCredentials } from "./password-check.js";
import { identityOf, type Principal, type Principals } from "./principals.js";
import { type ProxyHeaders, proxyIdentity } from "./proxy-identity.js";

/** What a request brings; headers as they came, undefined where there was none. */
export interface Credentials {
  readonly authorization?: string | undefined;
  readonly cookie?: string | undefined;
  readonly proxy?: ProxyHeaders | undefined;
  /** Where the request came from, for the lock-out on guessing. */
  readonly address: string;
  /** The answer goes over TLS: a renewed cookie says `Secure`. */
  readonly overTls?: boolean;
}

export interface Identified {
  readonly identity: Identity;
  /** `Set-Cookie` for the answer, unless the handler sets one of its own. */
  readonly setCookie?: string;
}

export interface IdentifierParts {
  readonly principals: Principals;
  readonly cookies: CookieSessions;
  readonly endedCookies: EndedCookies;
  readonly passwordCheck: PasswordCheck;
  readonly accessTokens: AccessTokens;
  /** Undefined: proxy headers are ignored. */
  readonly proxySecret: string | undefined;
}

const nobody: Identified = { identity: anonymous };
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export class Identifier {
  readonly #parts: IdentifierParts;

  constructor(parts: IdentifierParts) {
    this.#parts = parts;
  }

  /**
   * At once (no promise) when what it needs is in memory, which is every request of a session but its first.
   * @throws CouchError unauthorized, bad_request for what makes no sense, forbidden when locked out; rejects with the same
   */
  identify(credentials: Credentials): Identified | Promise<Identified> {
    const { cookies, endedCookies, principals } = this.#parts;
    const session = cookies.read(credentials.cookie);
    if (!session || endedCookies.has(session)) return this.#withoutCookie(credentials);
    return when(
      principals.find(session.name),
      (principal) => this.#bySession(session, principal, credentials) ?? this.#withoutCookie(credentials),
    );
  }

  #bySession(
    session: ClaimedSession,
    principal: Principal | undefined,
    { overTls = false }: Credentials,
  ): Identified | undefined {
    const { cookies } = this.#parts;
    const state = principal ? cookies.check(session, principal) : "refused";
    if (!principal || state === "refused") return undefined;
    const identity = identityOf(principal, "cookie");
    return state === "renew" ? { identity, setCookie: cookies.make(principal, overTls) } : { identity };
  }

  #withoutCookie({ proxy, authorization, address }: Credentials): Identified | Promise<Identified> {
    const { proxySecret, principals } = this.#parts;
    const vouched =
      proxy && proxySecret !== undefined && proxyIdentity(proxy, proxySecret, (name) => principals.isAdmin(name));
    if (vouched) return { identity: vouched };
    // CouchDB knows the schemes by exactly these letters, and takes no notice of any other.
    if (authorization?.startsWith("Basic ")) return this.#basic(authorization.slice("Basic ".length), address);
    if (authorization?.startsWith("Bearer ")) return this.#bearer(authorization.slice("Bearer ".length).trim());
    return nobody;
  }

  #basic(encoded: string, address: string): Identified | Promise<Identified> {
    const text = encoded.replace(/\s/g, "");
    if (!base64.test(text)) throw new CouchError("bad_request", "Authorization header has invalid base64 value");
    const decoded = Buffer.from(text, "base64").toString("utf8");
    const colon = decoded.indexOf(":");
    // `_:_` is how browsers are made to forget a name and password.
    if (colon < 0 || decoded === "_:_") return nobody;
    const attempt = { name: decoded.slice(0, colon), password: decoded.slice(colon + 1), address };
    if (attempt.name === "") throw wrongCredentials();
    return when(this.#parts.passwordCheck.authenticate(attempt), (principal) => ({
      identity: identityOf(principal, "default"),
    }));
  }

  #bearer(token: string): Identified | Promise<Identified> {
    const { accessTokens, principals } = this.#parts;
    if (!looksLikeToken(token)) return nobody;
    const claims = accessTokens.verify(token);
    if (!claims) throw badToken();
    return when(principals.find(claims.name), (principal) => {
      // The account is gone, or its password is another one since.
      if (!principal || !accessTokens.belongsTo(claims, principal)) throw badToken();
      return { identity: identityOf(principal, "jwt") };
    });
  }
}

function badToken(): CouchError {
  return new CouchError("unauthorized", "The access token is not valid or has expired.", {
    headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' },
  });
}

/** `then` without the wait when there is nothing to wait for. */
function when<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
