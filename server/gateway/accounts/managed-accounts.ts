/**
 * Accounts in the hands of those who look after them: server administrators, and users with the role `user-manager`, who
 * cannot make others what they are themselves, nor touch them.
 */
import type {
  AccountView,
  ChangeUserRequest,
  InvitationView,
  NewInvitationRequest,
  NewUserRequest,
  SignUpReply,
} from "../../../protocol/account.js";
import { CouchError } from "../../../protocol/errors.js";
import type { UserName } from "../../../protocol/ids.js";
import { type Identity, isServerAdmin, userManagerRole } from "../../../protocol/security.js";
import type { Backend } from "../../backend/backend.js";
import type { Account, Accounts } from "../accounts.js";
import { userDatabaseName } from "../database-names.js";
import type { PasswordHasher } from "../password-hasher.js";
import type { Principals } from "../principals.js";
import { addWanted, type Provisioning } from "../provisioning.js";
import { isConflict } from "../retry-conflicts.js";
import type { AccountEmails } from "./account-emails.js";
import type { AccountOptions } from "./account-options.js";
import type { AccountPasswords } from "./account-passwords.js";
import type { AccountRemoval } from "./account-removal.js";
import type { Activity, ActivityLog } from "./activity-log.js";
import type { Emails } from "./emails.js";
import { type InvitationFacts, type Invitations, invitationId } from "./invitations.js";
import type { Mails } from "./mails.js";
import { accountView, changedMembers } from "./own-account.js";
import { checkedProfile } from "./profile.js";
import type { SecondFactors } from "./second-factors.js";
import { type Asker, checkPassword, generatedName, nameTaken } from "./sign-ups.js";

export interface ManagedAccountsParts {
  readonly backend: Backend;
  readonly accounts: Accounts;
  readonly principals: Principals;
  readonly hasher: PasswordHasher;
  readonly provisioning: Provisioning;
  readonly emails: Emails;
  readonly accountEmails: AccountEmails;
  readonly passwords: AccountPasswords;
  readonly secondFactors: SecondFactors;
  readonly removal: AccountRemoval;
  readonly invitations: Invitations;
  readonly mails: Mails;
  readonly activity: ActivityLog;
  readonly options: AccountOptions;
  readonly now: () => number;
}

export interface UserQuery {
  /** Of names. */
  readonly prefix: string;
  readonly after?: string | undefined;
  readonly limit: number;
  /** The whole verified address: the one account that has it. */
  readonly email?: string | undefined;
}

/** Seconds. */
const invitationLife = 7 * 86_400;

export class ManagedAccounts {
  readonly #parts: ManagedAccountsParts;

  constructor(parts: ManagedAccountsParts) {
    this.#parts = parts;
  }

  async list({ prefix, after, limit, email }: UserQuery): Promise<{ users: AccountView[]; next?: string }> {
    const { accounts, emails } = this.#parts;
    if (email !== undefined) {
      const owner = await emails.ownerOf(email);
      const document = owner === undefined ? undefined : await accounts.document(owner);
      return { users: document ? [accountView(document)] : [] };
    }
    const query = { prefix, limit, ...(after !== undefined && { after }) };
    const documents = await accounts.list(query);
    // Documents that came from elsewhere may not be accounts; the page ends where it ends all the same.
    const last = documents.length < limit ? undefined : documents.at(-1)?.name;
    const users: AccountView[] = [];
    for (const document of documents) if (await accounts.find(document.name)) users.push(accountView(document));
    return { users, ...(last !== undefined && { next: last }) };
  }

  /** @throws CouchError not_found */
  async describe(name: string): Promise<AccountView> {
    const document = await this.#parts.accounts.document(name);
    if (!document) throw noSuchAccount();
    return accountView(document);
  }

  async activityOf(name: string): Promise<readonly Activity[]> {
    return this.#parts.activity.of((await this.#find(name)).name);
  }

  /** @throws CouchError bad_request, conflict, forbidden */
  async create(identity: Identity, request: NewUserRequest, asker: Asker): Promise<SignUpReply> {
    const { options, accounts, accountEmails, provisioning, hasher, mails, activity, now } = this.#parts;
    this.#mayInvite(identity);
    const { password, email, roles = [] } = request;
    this.#mayGive(identity, [], roles);
    if (password !== undefined) checkPassword(password, options.minPasswordLength);
    if (request.name === undefined && email === undefined) throw nothingToNameIt();
    const profile = checkedProfile(options.profile, request.profile);
    const name = request.name ?? generatedName("user");
    await this.#checkFree(name);
    if (email !== undefined && request.email_verified && (await this.#parts.emails.ownerOf(email)) !== undefined) {
      throw new CouchError("conflict", "The address belongs to another account.");
    }
    const hash = password === undefined ? undefined : await hasher.hash(password);
    const database = userDatabaseName(name);
    if (email !== undefined && !request.email_verified) await mails.verifyEmail(name, email, asker);
    const members = {
      roles,
      created_at: new Date(now()).toISOString(),
      ...(email !== undefined && { email }),
      ...changedMembers(request, profile),
    };
    const databases = addWanted([], database);
    try {
      await accounts.create({ name, ...(hash && { password: hash }), databases, members });
    } catch (error) {
      throw isConflict(error) ? nameTaken() : error;
    }
    if (email !== undefined && request.email_verified) await accountEmails.giveAddress(name, email, asker);
    await provisioning.finish(name);
    await activity.record(name, "signed_up", asker.address, identity.name as string);
    return { ok: true, name, database };
  }

  /** @throws CouchError not_found, forbidden, bad_request */
  async change(identity: Identity, name: string, request: ChangeUserRequest, asker: Asker): Promise<AccountView> {
    const { accounts, accountEmails, options, activity, secondFactors } = this.#parts;
    const account = await this.#findFor(identity, name);
    const { roles, disabled, email } = request;
    if (roles) this.#mayGive(identity, account.roles, roles);
    const profile = request.profile === undefined ? undefined : checkedProfile(options.profile, request.profile);
    const by = identity.name as string;
    await accounts.change(account.name, (current) => {
      this.#mayTouch(identity, current);
      return {
        ...(roles && { roles: [...roles, ...current.roles.filter((role) => role.startsWith("_"))] }),
        ...(disabled !== undefined && { disabled: disabled || undefined }),
        ...changedMembers(request, profile),
      };
    });
    if (roles) await activity.record(account.name, "roles_changed", asker.address, by);
    if (disabled !== undefined)
      await activity.record(account.name, disabled ? "disabled" : "enabled", asker.address, by);
    if (email !== undefined) await accountEmails.giveAddress(account.name, email, asker);
    if (request.second_factor === false) await secondFactors.disable(account.name, asker, by);
    return this.describe(account.name);
  }

  /** Sets the password, or has the user mailed a link. @throws CouchError not_found, forbidden, bad_request, conflict */
  async resetPassword(identity: Identity, name: string, password: string | undefined, asker: Asker): Promise<void> {
    const { passwords, options } = this.#parts;
    const account = await this.#findFor(identity, name);
    if (password !== undefined) {
      checkPassword(password, options.minPasswordLength);
      await passwords.set(account.name, password, "password_reset", asker, identity.name as string);
      return;
    }
    if (account.verifiedEmail === undefined) throw new CouchError("conflict", "The account has no verified address.");
    await passwords.forgot({ user: account.name }, asker);
  }

  /** @throws CouchError not_found, forbidden */
  async remove(identity: Identity, name: string): Promise<void> {
    const account = await this.#findFor(identity, name);
    await this.#parts.removal.remove(account.name);
  }

  /** @throws CouchError forbidden */
  async invite(identity: Identity, request: NewInvitationRequest, asker: Asker): Promise<InvitationView> {
    const { invitations, mails, now } = this.#parts;
    this.#mayInvite(identity);
    const { email, roles = [], uses = 1, expires_in: life = invitationLife } = request;
    this.#mayGive(identity, [], roles);
    const createdBy = identity.name as string;
    const invitation = {
      email,
      roles,
      uses: email === undefined ? uses : 1,
      expiresAt: now() + life * 1000,
      createdBy,
    };
    const id = await invitations.create(invitation);
    if (email !== undefined) await mails.invitation(id, email, { locale: request.locale ?? asker.locale });
    return this.#view(id, { ...invitation, usedBy: [], createdAt: now() });
  }

  async invitations(
    after: string | undefined,
    limit: number,
  ): Promise<{ invitations: InvitationView[]; next?: string }> {
    const found = await this.#parts.invitations.list(after, limit);
    const last = found.length < limit ? undefined : found.at(-1);
    return {
      invitations: found.map((each) => this.#view(invitationId(each), each)),
      ...(last && { next: invitationId(last) }),
    };
  }

  /** @throws CouchError not_found */
  async withdraw(id: string): Promise<void> {
    await this.#parts.invitations.remove(id);
  }

  #view(id: string, invitation: InvitationFacts): InvitationView {
    return {
      id,
      ...(invitation.email === undefined ? { code: this.#parts.invitations.codeOf(id) } : { email: invitation.email }),
      roles: [...invitation.roles],
      uses: invitation.uses,
      used_by: invitation.usedBy.map(({ name }) => name),
      created_at: new Date(invitation.createdAt).toISOString(),
      expires_at: new Date(invitation.expiresAt).toISOString(),
      created_by: invitation.createdBy,
    };
  }

  async #find(name: string): Promise<Account> {
    const account = await this.#parts.accounts.find(name);
    if (!account || account.closed === "removed") throw noSuchAccount();
    return account;
  }

  async #findFor(identity: Identity, name: string): Promise<Account> {
    const account = await this.#find(name);
    this.#mayTouch(identity, account);
    return account;
  }

  #mayTouch(identity: Identity, account: Account): void {
    if (isServerAdmin(identity) || !account.roles.includes(userManagerRole)) return;
    throw new CouchError("forbidden", "The accounts of user managers are for server administrators to change.");
  }

  #mayGive(identity: Identity, before: readonly string[], roles: readonly string[]): void {
    const changed = (role: string): boolean => before.includes(role) !== roles.includes(role);
    if (isServerAdmin(identity) || !changed(userManagerRole)) return;
    throw new CouchError("forbidden", `The role ${userManagerRole} is for server administrators to give and to take.`);
  }

  #mayInvite(identity: Identity): void {
    if (isServerAdmin(identity) || this.#parts.options.signUp !== "closed") return;
    throw new CouchError("forbidden", "New accounts are for server administrators to make.");
  }

  async #checkFree(name: UserName): Promise<void> {
    const { principals, accounts, backend } = this.#parts;
    if (principals.isAdmin(name) || (await accounts.find(name))) throw nameTaken();
    if (await backend.databaseExists(userDatabaseName(name))) throw nameTaken();
  }
}

function noSuchAccount(): CouchError {
  return new CouchError("not_found", "There is no such account.");
}

function nothingToNameIt(): CouchError {
  const fields = { name: "A user name or an e-mail address is required." };
  return new CouchError("bad_request", `name: ${fields.name}`, { detail: { fields } });
}
