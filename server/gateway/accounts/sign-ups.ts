/** New accounts: who may make one, and the order of steps in which it is made. */
import { randomBytes } from "node:crypto";
import { minPasswordLength, type SignUpReply, type SignUpRequest } from "../../../protocol/account.js";
import { normalEmail } from "../../../protocol/email.js";
import { CouchError } from "../../../protocol/errors.js";
import { parseUserName, type UserName } from "../../../protocol/ids.js";
import type { Backend, JsonDocument } from "../../backend/backend.js";
import type { Accounts } from "../accounts.js";
import { userDatabaseName } from "../database-names.js";
import type { PasswordHasher } from "../password-hasher.js";
import type { Principals } from "../principals.js";
import { addWanted, type Provisioning } from "../provisioning.js";
import { isConflict } from "../retry-conflicts.js";
import type { AccountOptions } from "./account-options.js";
import type { ActivityLog } from "./activity-log.js";
import { ask, type SignUpFacts } from "./hooks.js";
import type { Invitation, Invitations } from "./invitations.js";
import type { Mails } from "./mails.js";
import { checkedProfile } from "./profile.js";

/** Who is asking, from where, and in which language they are answered by mail. */
export interface Asker {
  readonly address: string;
  readonly locale?: string | undefined;
}

export interface SignUpsParts {
  readonly backend: Backend;
  readonly principals: Principals;
  readonly accounts: Accounts;
  readonly hasher: PasswordHasher;
  readonly provisioning: Provisioning;
  readonly invitations: Invitations;
  readonly mails: Mails;
  readonly activity: ActivityLog;
  readonly options: AccountOptions;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

export class SignUps {
  readonly #parts: SignUpsParts;

  constructor(parts: SignUpsParts) {
    this.#parts = parts;
  }

  /**
   * Nothing in the answer, nor the time it takes, tells whether the address is known: who has it is told by mail.
   * @throws CouchError bad_request with one reason for each bad field, conflict when the name is taken, forbidden
   */
  async signUp(request: SignUpRequest, asker: Asker): Promise<SignUpReply> {
    const { options, provisioning, activity, mails } = this.#parts;
    const { name: given, password, email, invitation: code } = request;
    this.#mayAnybodySignUp(code);
    this.#checkFields(request);
    const profile = checkedProfile(options.profile, request.profile);
    const name = given ?? generatedName("user");
    await this.#checkFree(name);
    const facts = factsOf({ name, email, profile, invitation: code, address: asker.address });
    const granted = await ask(options.hooks.beforeSignUp, facts);
    const hash = await this.#parts.hasher.hash(password);

    const invitation = code === undefined ? undefined : await this.#parts.invitations.use(code, name, email);
    // Before the account: a crash in between must not lose the mail. Without an account it is not sent.
    if (email !== undefined) await mails.verifyEmail(name, email, asker);
    const locale = request.locale ?? asker.locale;
    const members = {
      roles: rolesOf(invitation, granted?.roles),
      created_at: new Date(this.#parts.now()).toISOString(),
      ...(email !== undefined && { email }),
      ...(request.display_name !== undefined && { display_name: request.display_name }),
      ...(locale !== undefined && { locale }),
      ...(profile !== undefined && { profile }),
      ...(options.requireVerifiedEmail && { awaits_email: true }),
    };
    const database = userDatabaseName(name);
    // One more database for every address that is typed in would be too easy: they come when the address is verified.
    const databases = options.requireVerifiedEmail ? [] : addWanted([], database);
    try {
      await this.#parts.accounts.create({ name, password: hash, databases, members });
    } catch (error) {
      if (code !== undefined) await this.#parts.invitations.giveBack(code, name);
      throw isConflict(error) ? nameTaken() : error;
    }
    await provisioning.finish(name);
    await activity.record(name, "signed_up", asker.address);
    await this.signedUp(facts);
    return { ok: true, name, database, ...(options.requireVerifiedEmail && { verify_email: true as const }) };
  }

  /** An account that nobody has given a name or address, with a password that its device keeps. @throws CouchError forbidden */
  async anonymous(asker: Asker): Promise<SignUpReply & { readonly password: string }> {
    const { options, hasher, accounts, provisioning, activity } = this.#parts;
    if (!options.anonymous || options.signUp !== "open" || options.requireVerifiedEmail) {
      throw new CouchError("forbidden", "Accounts without a name are not made here.");
    }
    const name = generatedName("anonymous");
    const password = randomBytes(24).toString("base64url");
    const facts = factsOf({ name, address: asker.address });
    const granted = await ask(options.hooks.beforeSignUp, facts);
    const database = userDatabaseName(name);
    const members = {
      anonymous: true,
      roles: rolesOf(undefined, granted?.roles),
      created_at: new Date(this.#parts.now()).toISOString(),
      ...(asker.locale !== undefined && { locale: asker.locale }),
    };
    const databases = addWanted([], database);
    await accounts.create({ name, password: await hasher.hash(password), databases, members });
    await provisioning.finish(name);
    await activity.record(name, "signed_up", asker.address);
    await this.signedUp(facts);
    return { ok: true, name, database, password };
  }

  /**
   * A guest writes a user document, as the plugin pouchdb-authentication does: the document as it is stored.
   * @throws CouchError forbidden, conflict for the name of a former user
   */
  async admitRegistration(document: JsonDocument, asker: Asker): Promise<JsonDocument> {
    const { options, mails } = this.#parts;
    const name = parseUserName(document.name);
    if (options.signUp !== "open") throw signUpIsClosed(options.signUp);
    const email = typeof document.email === "string" && document.email !== "" ? document.email : undefined;
    if (email === undefined && (options.requireEmail || options.requireVerifiedEmail)) {
      throw new CouchError("forbidden", "An e-mail address is needed to sign up.");
    }
    // Without a schema it is a member as any other.
    const profile = options.profile ? checkedProfile(options.profile, document.profile) : undefined;
    await this.#checkFree(name);
    const granted = await ask(options.hooks.beforeSignUp, factsOf({ name, email, profile, address: asker.address }));
    if (email !== undefined) await mails.verifyEmail(name, email, asker);
    return {
      ...document,
      ...(profile !== undefined && { profile }),
      roles: [...rolesOf(undefined, granted?.roles)],
      created_at: new Date(this.#parts.now()).toISOString(),
      ...(options.requireVerifiedEmail
        ? { awaits_email: true, databases: [] }
        : { databases: addWanted([], userDatabaseName(name)) }),
    };
  }

  /** Tells the hook. */
  async signedUp(facts: SignUpFacts): Promise<void> {
    const { options, onError } = this.#parts;
    await ask(options.hooks.afterSignUp, facts).catch(onError);
  }

  #mayAnybodySignUp(code: string | undefined): void {
    const { signUp } = this.#parts.options;
    if (signUp === "open" || (signUp === "invitation" && code !== undefined)) return;
    throw signUpIsClosed(signUp);
  }

  #checkFields({ name, email, password }: SignUpRequest): void {
    const { options } = this.#parts;
    const fields = new Map<string, string>();
    if (name === undefined && email === undefined) fields.set("name", "A user name or an e-mail address is required.");
    if (email === undefined && (options.requireEmail || options.requireVerifiedEmail)) {
      fields.set("email", "An e-mail address is required.");
    }
    // An address as a name would be taken for somebody's verified one.
    if (name?.includes("@") && (email === undefined || normalEmail(name) !== normalEmail(email))) {
      fields.set("name", "A name with @ in it must be the e-mail address.");
    }
    if (password.length < options.minPasswordLength) {
      fields.set("password", `A password has at least ${options.minPasswordLength} characters.`);
    }
    if (fields.size === 0) return;
    const reason = [...fields].map(([field, why]) => `${field}: ${why}`).join(" ");
    throw new CouchError("bad_request", reason, { detail: { fields: Object.fromEntries(fields) } });
  }

  async #checkFree(name: UserName): Promise<void> {
    const { principals, accounts, backend } = this.#parts;
    if (principals.isAdmin(name) || (await accounts.find(name))) throw nameTaken();
    // The database of a former user of that name: its new owner must not be whoever signs up first.
    if (await backend.databaseExists(userDatabaseName(name))) throw nameTaken();
  }
}

/** @throws CouchError bad_request for one that is too short */
export function checkPassword(password: string, least: number = minPasswordLength): void {
  if (password.length >= least) return;
  const why = `A password has at least ${least} characters.`;
  throw new CouchError("bad_request", `password: ${why}`, { detail: { fields: { password: why } } });
}

/** 80 bits, so that nobody meets another by accident or guesses one. */
export function generatedName(kind: "user" | "anonymous"): UserName {
  return parseUserName(
    `${kind}-${BigInt(`0x${randomBytes(10).toString("hex")}`)
      .toString(36)
      .padStart(16, "0")}`,
  );
}

export function nameTaken(): CouchError {
  return new CouchError("conflict", "The name is taken.");
}

/** Neither an invitation nor a hook makes anybody an administrator of anything that the server itself knows. */
function rolesOf(invitation: Invitation | undefined, granted: readonly string[] = []): readonly string[] {
  const roles = [...(invitation?.roles ?? []), ...granted];
  return [...new Set(roles)].filter((role) => typeof role === "string" && !role.startsWith("_"));
}

function signUpIsClosed(mode: string): CouchError {
  return new CouchError(
    "forbidden",
    mode === "invitation" ? "An invitation is needed to sign up." : "Sign-up is closed.",
  );
}

function factsOf(facts: { readonly [Name in keyof SignUpFacts]: SignUpFacts[Name] | undefined }): SignUpFacts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as unknown as SignUpFacts;
}
