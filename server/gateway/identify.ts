/** Credentials to an identity. The first that proves something wins: cookie, proxy headers, `Authorization`. */
import { CouchError } from "../../protocol/errors.js";
import { type AuthenticationMethod, anonymous, type Identity } from "../../protocol/security.js";
import type { Admins } from "./admins.js";
import { isOperator, operatorScheme } from "./operator-token.js";
import type { OutsidePrincipals } from "./outside/outside-principals.js";
import type { OutsideClaims, OutsideTokens } from "./outside/outside-tokens.js";
import { type PasswordCheck, wrongCredentials } from "./password-check.js";
import { identityOf, type Principal, type Principals } from "./principals.js";
import { type ProxyHeaders, proxyIdentity } from "./proxy-identity.js";
import { type AccessClaims, type AccessTokens, looksLikeToken } from "./sessions/access-tokens.js";
import type { Fingerprints } from "./sessions/fingerprints.js";
import type { ClaimedCookie, SessionCookies } from "./sessions/session-cookies.js";
import { documentIdOf, type SessionRecord } from "./sessions/session-record.js";
import type { SessionTable } from "./sessions/session-table.js";
import type { Sessions } from "./sessions/sessions.js";
import type { Standing } from "./sessions/standings.js";

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
  /** What the identity stands on; none of a guest, nor of whom a proxy vouches for. */
  readonly standing?: Standing;
}

export interface IdentifierParts {
  readonly principals: Principals;
  readonly fingerprints: Fingerprints;
  readonly cookies: SessionCookies;
  readonly sessions: Sessions;
  readonly table: SessionTable;
  readonly passwordCheck: PasswordCheck;
  readonly accessTokens: AccessTokens;
  readonly outsideTokens: OutsideTokens;
  readonly outsidePrincipals: OutsidePrincipals;
  /** Undefined: proxy headers are ignored. */
  readonly proxySecret: string | undefined;
  readonly admins: Admins;
  /** Of what the `settee` command says of itself. */
  readonly operatorKey: Buffer;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of what fails and is not the request's own failure. */
  readonly onError: (error: unknown) => void;
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
    const { cookies, principals } = this.#parts;
    const cookie = cookies.read(credentials.cookie);
    if (!cookie) return this.#withoutCookie(credentials);
    return when(principals.find(cookie.name), (principal) => this.#byCookie(cookie, principal, credentials));
  }

  #byCookie(
    cookie: ClaimedCookie,
    principal: Principal | undefined,
    credentials: Credentials,
  ): Identified | Promise<Identified> {
    const { cookies, sessions } = this.#parts;
    const state = principal ? cookies.check(cookie, principal) : "refused";
    if (!principal || state === "refused") return this.#withoutCookie(credentials);
    return when(sessions.ofCookie(principal, cookie.madeAt), (session) => {
      if (!session) return this.#withoutCookie(credentials);
      const identified = this.#by(principal, "cookie", session._id);
      if (state === "fresh") return identified;
      const renewal = sessions.renew(session, principal, credentials.overTls === true);
      return when(renewal instanceof Promise ? this.#attempted(renewal) : renewal, (setCookie) =>
        setCookie === undefined ? identified : { ...identified, setCookie },
      );
    });
  }

  /** The cookie is still good: the request need not fail when no younger one can be written. */
  #attempted(renewal: Promise<string | undefined>): Promise<string | undefined> {
    return renewal.catch((error: unknown) => {
      this.#parts.onError(error);
      return undefined;
    });
  }

  #by(principal: Principal, method: AuthenticationMethod, session?: SessionRecord["_id"]): Identified {
    const fingerprint = this.#parts.fingerprints.of(principal);
    const standing = { name: principal.name, fingerprint, ...(session !== undefined && { session }) };
    return { identity: identityOf(principal, method), standing };
  }

  #withoutCookie({ proxy, authorization, address }: Credentials): Identified | Promise<Identified> {
    const { proxySecret, principals } = this.#parts;
    const vouched =
      proxy && proxySecret !== undefined && proxyIdentity(proxy, proxySecret, (name) => principals.isAdmin(name));
    if (vouched) return { identity: vouched };
    if (authorization?.startsWith(operatorScheme)) return this.#operator(authorization);
    // CouchDB knows the schemes by exactly these letters, and takes no notice of any other.
    if (authorization?.startsWith("Basic ")) return this.#basic(authorization.slice("Basic ".length), address);
    if (authorization?.startsWith("Bearer ")) return this.#bearer(authorization.slice("Bearer ".length).trim());
    return nobody;
  }

  #operator(authorization: string): Identified {
    const { admins, operatorKey, now } = this.#parts;
    if (!isOperator(authorization, operatorKey, now())) throw wrongCredentials();
    const [name] = admins.names();
    const admin = name === undefined ? undefined : admins.find(name);
    if (!admin) throw wrongCredentials();
    return this.#by(admin, "default");
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
    return when(this.#parts.passwordCheck.authenticate(attempt), (principal) => {
      // As in CouchDB: there is no place for a one-time code in this header.
      if (principal.secondFactor)
        throw new CouchError("unauthorized", "A one-time code is required.", { detail: { totp: true } });
      return this.#by(principal, "default");
    });
  }

  #bearer(token: string): Identified | Promise<Identified> {
    const { accessTokens, outsideTokens } = this.#parts;
    if (!looksLikeToken(token)) return nobody;
    const known = accessTokens.remembered(token);
    if (known) return this.#byClaims(known);
    return when(outsideTokens.verify(token), (outside) => {
      if (outside) return this.#byOutside(outside);
      return when(accessTokens.verify(token), (claims) => {
        if (!claims) throw badToken();
        return this.#byClaims(claims);
      });
    });
  }

  #byOutside(claims: OutsideClaims): Identified | Promise<Identified> {
    return when(this.#parts.outsidePrincipals.of(claims), (principal) => {
      if (!principal) throw badToken();
      const { identity, standing } = this.#by(principal, "jwt");
      const roles = [...new Set([...principal.roles, ...claims.roles])];
      return { identity: { ...identity, roles }, standing: { ...(standing as Standing), until: claims.until } };
    });
  }

  #byClaims(claims: AccessClaims): Identified | Promise<Identified> {
    return when(this.#parts.principals.find(claims.name), (principal) => this.#byToken(claims, principal));
  }

  #byToken({ name, sessionId }: AccessClaims, principal: Principal | undefined): Identified | Promise<Identified> {
    const { table, sessions } = this.#parts;
    if (!principal) throw badToken();
    return when(table.of(name), (found) => {
      const session = found.get(documentIdOf(sessionId));
      // Logged out, or not the same user any more: another password, other roles.
      if (!session || session.user !== name || !sessions.isLive(session, principal)) throw badToken();
      return this.#by(principal, "jwt", session._id);
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
