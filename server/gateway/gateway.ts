/** Builds the gateway's parts over a store and offers what the layers above need of them. */
import { isDeepStrictEqual } from "node:util";
import { parseSignUpRequest, type SignUpReply } from "../../protocol/account.js";
import type { DatabaseName } from "../../protocol/ids.js";
import { type AuthenticationMethod, defaultSecurity, type Identity } from "../../protocol/security.js";
import type { TokenReply } from "../../protocol/token.js";
import type { Backend, JsonDocument } from "../backend/backend.js";
import { Access, type SecuredDatabase } from "./access.js";
import type { AccountServices } from "./accounts/account-services.js";
import { PeoplePart } from "./accounts/people-part.js";
import type { Asker } from "./accounts/sign-ups.js";
import { type Account, Accounts } from "./accounts.js";
import { type AdminCredentials, Admins } from "./admins.js";
import { DatabaseRegistry } from "./databases/registry.js";
import {
  type CompleteGatewayOptions,
  completeOptions,
  type GatewayOptions,
  type LiveGatewayOptions,
} from "./gateway-options.js";
import { type Credentials, type Identified, Identifier } from "./identify.js";
import type { KeyRing } from "./keys/key-ring.js";
import type { LinkedIdentities } from "./outside/linked-identities.js";
import { OidcLogIns } from "./outside/oidc-log-ins.js";
import { OutsidePart } from "./outside/outside-part.js";
import { PasswordHasher } from "./password-hasher.js";
import { identityOf, type Principal, Principals } from "./principals.js";
import { Provisioning, type Template } from "./provisioning.js";
import { Rollouts } from "./rollouts/rollouts.js";
import { type SessionInfo, sessionInfo } from "./session-info.js";
import { type LoggedIn, LogIns, type Origin } from "./sessions/log-ins.js";
import { keyFor, SessionsPart } from "./sessions/sessions-part.js";
import type { Standing } from "./sessions/standings.js";
import { type GrantOutcome, type RevokeOutcome, TokenGrants } from "./sessions/token-grants.js";
import { SharingPart } from "./sharing/sharing-part.js";
import { databasesToCreate, isInternalDatabase } from "./system-databases.js";
import { Throttle } from "./throttle.js";
import { prepareUserDocument } from "./user-documents.js";

export interface GatewayParts {
  readonly backend: Backend;
  /** Reads the folder of templates, now and when it is asked to again. @throws TemplateError */
  readonly loadTemplates: () => Promise<ReadonlyMap<string, Template>>;
  readonly options: GatewayOptions;
}

export class Gateway {
  readonly registry: DatabaseRegistry;
  readonly rollouts: Rollouts;
  readonly sharing: SharingPart;
  readonly provisioning: Provisioning;
  /** With a cookie; and the sessions of a user, to list and to end. */
  readonly logIns: LogIns;
  readonly oidc: OidcLogIns;
  /** Outside identities of users. */
  readonly identities: LinkedIdentities;
  readonly #people: PeoplePart;
  readonly #backend: Backend;
  readonly #options: CompleteGatewayOptions;
  readonly #hasher: PasswordHasher;
  readonly #admins: Admins;
  readonly #accounts: Accounts;
  readonly #principals: Principals;
  readonly #throttle: Throttle;
  readonly #sessions: SessionsPart;
  readonly #identifier: Identifier;
  readonly #tokenGrants: TokenGrants;

  constructor({ backend, loadTemplates, options: given }: GatewayParts) {
    const options = completeOptions(given);
    const { now } = options;
    this.#backend = backend;
    this.#options = options;
    this.#hasher = new PasswordHasher(options.passwordIterations);
    this.#admins = new Admins(backend, this.#hasher, options.onError);
    this.#accounts = new Accounts(backend, now);
    this.#principals = new Principals(this.#admins, this.#accounts);
    this.registry = new DatabaseRegistry(backend, now);
    this.rollouts = new Rollouts({ backend, registry: this.registry, loadTemplates, now, onError: options.onError });
    const { registry, rollouts } = this;
    const [accounts, templates] = [this.#accounts, rollouts.versions];
    const isAdmin = (name: string): boolean => this.#principals.isAdmin(name);
    const { sharing, quotas } = options;
    this.sharing = new SharingPart({ backend, accounts, registry, templates, isAdmin, sharing, quotas, now });
    const finishOthers = (account: Account): Promise<void> => this.sharing.finish(account);
    this.provisioning = new Provisioning({ backend, accounts, registry, templates, finishOthers });

    const principals = this.#principals;
    const sessions = new SessionsPart({ backend, admins: this.#admins, principals, options });
    this.#sessions = sessions;
    this.#throttle = new Throttle({ lockOut: options.lockOut, now, onLockedOut: options.onLockedOut });
    const { provisioning } = this;
    const { fingerprints } = sessions;
    this.#people = new PeoplePart({
      backend,
      accounts: this.#accounts,
      principals,
      hasher: this.#hasher,
      throttle: this.#throttle,
      fingerprints,
      provisioning,
      removeDatabases: (user) => this.sharing.removeAccountDatabases(user),
      options,
    });
    const { passwordCheck, checkSecondFactor, loggedIn } = this.#people;
    const outside = new OutsidePart({ backend, accounts: this.#accounts, principals, provisioning, options });
    this.identities = outside.identities;
    this.logIns = new LogIns({
      ...sessions,
      principals,
      passwordCheck,
      provisioning,
      checkSecondFactor,
      loggedIn,
    });
    const flowKey = keyFor("outside log-ins", options.secret);
    this.oidc = new OidcLogIns({ ...outside, options: options.oidc, logIns: this.logIns, flowKey, now });
    const lives = options.tokenLives;
    this.#tokenGrants = new TokenGrants({
      ...sessions,
      ...outside,
      passwordCheck,
      provisioning,
      lives,
      checkSecondFactor,
      loggedIn,
    });
    this.#identifier = new Identifier({
      ...sessions,
      ...outside,
      principals,
      passwordCheck,
      admins: this.#admins,
      proxySecret: options.proxySecret,
      operatorKey: keyFor("operator", options.secret),
      now,
      onError: options.onError,
    });
  }

  /**
   * Makes the system's databases where they are missing, and an administrator where there is none.
   * @returns the administrator that was made just now, to be shown to the operator: nobody can read the password again
   */
  async start(): Promise<AdminCredentials | undefined> {
    for (const name of databasesToCreate) await this.#createSystemDatabase(name);
    this.#accounts.start();
    this.sharing.start();
    this.#people.start();
    await this.rollouts.start();
    await this.#sessions.start();
    // Last: nothing that fails afterwards may keep the password from being shown.
    return this.#admins.start(this.#options.admin);
  }

  close(): void {
    this.#sessions.close();
    this.#admins.close();
    this.#accounts.close();
    this.sharing.close();
    this.#people.close();
    this.rollouts.close();
  }

  /** Takes effect at once: sessions that have begun, and passwords from now on. */
  configure({ sessionSeconds, passwordIterations, lockOut }: LiveGatewayOptions): void {
    this.#throttle.lockOut = lockOut;
    this.#sessions.cookies.seconds = sessionSeconds;
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

  /** Who has this name, as far as accounts and administrators tell; undefined when nobody has. */
  async identityOf(name: string): Promise<Identity | undefined> {
    const principal = await this.#principals.find(name);
    return principal && identityOf(principal, "default");
  }

  /** The door to the databases of `openDatabase`, which throws CouchError not_found where there is none. */
  accessTo<D extends SecuredDatabase>(openDatabase: (name: DatabaseName) => Promise<D>): Access<D> {
    return new Access({
      openDatabase,
      ownDatabase: (identity) => this.provisioning.ownDatabase(identity),
      settled: (name) => this.sharing.settled(name),
      used: (name) => this.rollouts.used(name),
    });
  }

  /** Sign-up, e-mail, passwords, second factors, and who looks after accounts. */
  get people(): AccountServices {
    return this.#people.services;
  }

  /** `POST /_settee/signup`, to be answered with 201. @throws CouchError bad_request, conflict, forbidden */
  async signUp(body: unknown, asker: Asker = { address: "" }): Promise<SignUpReply> {
    return this.people.signUps.signUp(parseSignUpRequest(body), asker);
  }

  /** `POST /_session`. @throws CouchError bad_request, unauthorized with a `Set-Cookie` header, forbidden */
  logIn(body: unknown, origin: Origin): Promise<LoggedIn> {
    return this.logIns.logIn(body, origin);
  }

  /** A cookie for somebody who has proved in another way who they are. */
  async beginSession(principal: Principal, { address, agent, overTls = false }: Origin): Promise<LoggedIn> {
    const begun = await this.logIns.begin(principal, { agent }, overTls);
    await this.#people.loggedIn(principal, address);
    return begun;
  }

  /** Tokens for somebody who has proved in another way who they are. */
  grantTo(principal: Principal, origin: Origin): Promise<TokenReply> {
    return this.#tokenGrants.grantTo(principal, origin);
  }

  /** Headers with which who came with a cookie and changed their own password stays logged in. */
  async staysLoggedIn(
    { name, method }: Identity,
    { agent, overTls = false }: Omit<Origin, "address">,
  ): Promise<Readonly<Record<string, string>>> {
    const principal = method === "cookie" && name !== null ? await this.#principals.find(name) : undefined;
    return principal ? { "Set-Cookie": (await this.logIns.begin(principal, { agent }, overTls)).setCookie } : {};
  }

  /** `DELETE /_session`: ends the caller's session, if any. @returns the `Set-Cookie` header */
  logOut(standing: Standing | undefined, overTls = false): Promise<string> {
    return this.logIns.logOut(standing, overTls);
  }

  /** A `Set-Cookie` header that takes the cookie away. */
  clearCookie(overTls: boolean): string {
    return this.#sessions.cookies.clear(overTls);
  }

  /** The keys of access tokens. */
  get keys(): Pick<KeyRing, "jwks" | "rotate"> {
    return this.#sessions.keys;
  }

  /** Calls `end` when what a caller was let in for holds no more, and at once for what does not now. The result takes that back. */
  watch(standing: Standing | undefined, end: () => void): () => void {
    return standing ? this.#sessions.standings.watch(standing, end) : () => {};
  }

  /** `GET /_session`. @param asksForPassword `?basic=true`. @throws CouchError unauthorized */
  sessionInfo(identity: Identity, asksForPassword = false): SessionInfo {
    const handlers: AuthenticationMethod[] = ["cookie", "default"];
    if (this.#options.proxySecret !== undefined) handlers.push("proxy");
    return sessionInfo(identity, handlers, asksForPassword);
  }

  /** `POST /_settee/token`. @throws CouchError forbidden when locked out */
  grantToken(body: unknown, origin: Origin): Promise<GrantOutcome> {
    return this.#tokenGrants.grant(body, origin);
  }

  /** `POST /_settee/token/revoke`. */
  revoke(body: unknown): Promise<RevokeOutcome> {
    return this.#tokenGrants.revoke(body);
  }

  /** What to store for an ordinary write to `_users`. @throws CouchError forbidden, not_found, conflict, bad_request */
  async prepareUserDocument(
    newDocument: JsonDocument,
    oldDocument: JsonDocument | undefined,
    identity: Identity,
    asker: Asker = { address: "" },
  ): Promise<JsonDocument> {
    const prepared = await prepareUserDocument(newDocument, oldDocument, identity, this.#hasher);
    return this.people.userDocuments.admit({ prepared, newDocument, oldDocument, identity, asker });
  }

  async #createSystemDatabase(name: DatabaseName): Promise<void> {
    const outcome = await this.#backend.createDatabase(name);
    // Who may see `_users` and `_replicator` is the operator's to change, as in CouchDB.
    if (outcome === "exists" && !isInternalDatabase(name)) return;
    if (isDeepStrictEqual(await this.#backend.getSecurity(name), defaultSecurity)) return;
    await this.#backend.putSecurity(name, defaultSecurity);
  }
}
