/** Builds the gateway's parts over a store and offers what the layers above need of them. */
import { hkdfSync } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { SignUpReply } from "../../protocol/account.js";
import { CouchError } from "../../protocol/errors.js";
import type { DatabaseName } from "../../protocol/ids.js";
import { type AuthenticationMethod, defaultSecurity, type Identity } from "../../protocol/security.js";
import type { Backend, JsonDocument } from "../backend/backend.js";
import { Access, type SecuredDatabase } from "./access.js";
import { AccessTokens } from "./access-tokens.js";
import { Accounts } from "./accounts.js";
import { type AdminCredentials, Admins } from "./admins.js";
import { CookieSessions } from "./cookie-sessions.js";
import { DatabaseRegistry } from "./databases/registry.js";
import { EndedCookies } from "./ended-cookies.js";
import { Fingerprints } from "./fingerprints.js";
import {
  type CompleteGatewayOptions,
  completeOptions,
  type GatewayOptions,
  type LiveGatewayOptions,
} from "./gateway-options.js";
import { type Credentials, type Identified, Identifier } from "./identify.js";
import { PasswordCheck } from "./password-check.js";
import { PasswordHasher } from "./password-hasher.js";
import { identityOf, Principals } from "./principals.js";
import { Provisioning, type Template } from "./provisioning.js";
import { RefreshTokens } from "./refresh-tokens.js";
import { Rollouts } from "./rollouts/rollouts.js";
import { parseLogIn, type SessionInfo, sessionInfo } from "./session-info.js";
import { signUp } from "./signup.js";
import { databasesToCreate, isInternalDatabase } from "./system-databases.js";
import { Throttle } from "./throttle.js";
import { type GrantOutcome, type RevokeOutcome, TokenGrants } from "./token-grants.js";
import { prepareUserDocument } from "./user-documents.js";
import { VerifiedPasswords } from "./verified-passwords.js";

export interface GatewayParts {
  readonly backend: Backend;
  /** Reads the folder of templates, now and when it is asked to again. @throws TemplateError */
  readonly loadTemplates: () => Promise<ReadonlyMap<string, Template>>;
  readonly options: GatewayOptions;
}

/** Where a request that carries a password came from. */
export interface Origin {
  readonly address: string;
  readonly overTls?: boolean;
}

export interface LoggedIn {
  readonly identity: Identity;
  readonly setCookie: string;
}

export class Gateway {
  readonly registry: DatabaseRegistry;
  readonly rollouts: Rollouts;
  readonly provisioning: Provisioning;
  readonly #backend: Backend;
  readonly #options: CompleteGatewayOptions;
  readonly #hasher: PasswordHasher;
  readonly #admins: Admins;
  readonly #accounts: Accounts;
  readonly #principals: Principals;
  readonly #cookies: CookieSessions;
  readonly #endedCookies: EndedCookies;
  readonly #passwordCheck: PasswordCheck;
  readonly #identifier: Identifier;
  readonly #tokenGrants: TokenGrants;

  constructor({ backend, loadTemplates, options: given }: GatewayParts) {
    const options = completeOptions(given);
    const { now, secret, proxySecret } = options;
    this.#backend = backend;
    this.#options = options;
    this.#hasher = new PasswordHasher(options.passwordIterations);
    this.#admins = new Admins(backend, this.#hasher, options.onError);
    this.#accounts = new Accounts(backend, now);
    this.#principals = new Principals(this.#admins, this.#accounts);
    this.registry = new DatabaseRegistry(backend, now);
    this.rollouts = new Rollouts({ backend, registry: this.registry, loadTemplates, now, onError: options.onError });
    const { registry, rollouts } = this;
    this.provisioning = new Provisioning({ backend, accounts: this.#accounts, registry, templates: rollouts.versions });

    const { sessionSeconds: seconds, cookieSecure: secure, cookieSameSite: sameSite } = options;
    this.#cookies = new CookieSessions({ secret, seconds, secure, now, ...(sameSite && { sameSite }) });
    this.#endedCookies = new EndedCookies(backend);

    const principals = this.#principals;
    const fingerprints = new Fingerprints(keyFor("fingerprints", secret));
    const accessTokens = new AccessTokens(
      { key: keyFor("access tokens", secret), issuer: options.tokenIssuer, seconds: options.accessTokenSeconds, now },
      fingerprints,
    );
    const refreshTokens = new RefreshTokens(backend, principals, fingerprints, {
      life: options.refreshTokenSeconds * 1000,
      grace: options.refreshGraceSeconds * 1000,
      now,
    });
    this.#passwordCheck = new PasswordCheck({
      principals,
      hasher: this.#hasher,
      verified: new VerifiedPasswords({ life: options.verifiedPasswordSeconds * 1000, now }),
      throttle: new Throttle({ failures: options.lockOutFailures, window: options.lockOutSeconds * 1000, now }),
    });
    const { provisioning } = this;
    const passwordCheck = this.#passwordCheck;
    this.#tokenGrants = new TokenGrants({ passwordCheck, accessTokens, refreshTokens, provisioning });
    this.#identifier = new Identifier({
      principals,
      cookies: this.#cookies,
      endedCookies: this.#endedCookies,
      passwordCheck,
      accessTokens,
      proxySecret,
    });
  }

  /**
   * Makes the system's databases where they are missing, and an administrator where there is none.
   * @returns the administrator that was made just now, to be shown to the operator: nobody can read the password again
   */
  async start(): Promise<AdminCredentials | undefined> {
    for (const name of databasesToCreate) await this.#createSystemDatabase(name);
    this.#accounts.start();
    await this.#endedCookies.start();
    await this.rollouts.start();
    // Last: nothing that fails afterwards may keep the password from being shown.
    return this.#admins.start(this.#options.admin);
  }

  close(): void {
    this.#admins.close();
    this.#accounts.close();
    this.#endedCookies.close();
    this.rollouts.close();
  }

  /** Takes effect at once: sessions that have begun, and passwords from now on. */
  configure({ sessionSeconds, passwordIterations }: LiveGatewayOptions): void {
    this.#cookies.seconds = sessionSeconds;
    this.#hasher.iterations = passwordIterations;
  }

  /** Server administrators. */
  get admins(): Pick<Admins, "names" | "set" | "remove"> {
    return this.#admins;
  }

  /** Passwords that wait to be checked. */
  get waitingPasswords(): number {
    return this.#hasher.waiting;
  }

  /** Who is asking; at once (no promise) when what it takes is in memory. @throws CouchError, or rejects with one */
  identify(credentials: Credentials): Identified | Promise<Identified> {
    return this.#identifier.identify(credentials);
  }

  /** The door to the databases of `openDatabase`, which throws CouchError not_found where there is none. */
  accessTo<D extends SecuredDatabase>(openDatabase: (name: DatabaseName) => Promise<D>): Access<D> {
    return new Access({
      openDatabase,
      ownDatabase: (identity) => this.provisioning.ownDatabase(identity),
      used: (name) => this.rollouts.used(name),
    });
  }

  /** `POST /_settee/signup`, to be answered with 201. @throws CouchError bad_request, conflict */
  signUp(body: unknown): Promise<SignUpReply> {
    return signUp(body, {
      backend: this.#backend,
      principals: this.#principals,
      accounts: this.#accounts,
      hasher: this.#hasher,
      provisioning: this.provisioning,
    });
  }

  /** `POST /_session`. @throws CouchError bad_request, unauthorized with a `Set-Cookie` header, forbidden */
  async logIn(body: unknown, { address, overTls = false }: Origin): Promise<LoggedIn> {
    const { name, password } = parseLogIn(body);
    try {
      const principal = await this.#passwordCheck.authenticate({ name, password, address });
      await this.provisioning.finish(principal.name);
      return { identity: identityOf(principal, "cookie"), setCookie: this.#cookies.make(principal, overTls) };
    } catch (error) {
      if (!(error instanceof CouchError) || error.error !== "unauthorized") throw error;
      // As in CouchDB: who fails to log in is not left with the session of before.
      throw new CouchError("unauthorized", error.reason, { headers: { "Set-Cookie": this.#cookies.clear(overTls) } });
    }
  }

  /** `DELETE /_session`. @returns the `Set-Cookie` header. @throws CouchError bad_request for a cookie without sense */
  async logOut(cookie: string | undefined, overTls = false): Promise<string> {
    const session = this.#cookies.read(cookie);
    const principal = session && (await this.#principals.find(session.name));
    // Only genuine ones are worth remembering: anybody can make up others.
    if (session && principal && this.#cookies.check(session, principal) !== "refused") {
      await this.#endedCookies.add(session, this.#options.now() + this.#cookies.life);
    }
    return this.#cookies.clear(overTls);
  }

  /** `GET /_session`. @param asksForPassword `?basic=true`. @throws CouchError unauthorized */
  sessionInfo(identity: Identity, asksForPassword = false): SessionInfo {
    const handlers: AuthenticationMethod[] = ["cookie", "default"];
    if (this.#options.proxySecret !== undefined) handlers.push("proxy");
    return sessionInfo(identity, handlers, asksForPassword);
  }

  /** `POST /_settee/token`. @throws CouchError forbidden when locked out */
  grantToken(body: unknown, { address }: Origin): Promise<GrantOutcome> {
    return this.#tokenGrants.grant(body, address);
  }

  /** `POST /_settee/token/revoke`. */
  revoke(body: unknown): Promise<RevokeOutcome> {
    return this.#tokenGrants.revoke(body);
  }

  /** What to store for an ordinary write to `_users`. @throws CouchError forbidden, not_found */
  prepareUserDocument(
    newDocument: JsonDocument,
    oldDocument: JsonDocument | undefined,
    identity: Identity,
  ): Promise<JsonDocument> {
    return prepareUserDocument(newDocument, oldDocument, identity, this.#hasher);
  }

  async #createSystemDatabase(name: DatabaseName): Promise<void> {
    const outcome = await this.#backend.createDatabase(name);
    // Who may see `_users` and `_replicator` is the operator's to change, as in CouchDB.
    if (outcome === "exists" && !isInternalDatabase(name)) return;
    if (isDeepStrictEqual(await this.#backend.getSecurity(name), defaultSecurity)) return;
    await this.#backend.putSecurity(name, defaultSecurity);
  }
}

/** One key for each purpose, so that a signature made for one is worth nothing for another. */
function keyFor(purpose: string, secret: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", `settee ${purpose}`, 32));
}
