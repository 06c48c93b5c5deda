/** What users see and change of their own account. */
import type { AccountView, ChangeAccountRequest, ClaimRequest } from "../../../protocol/account.js";
import { CouchError } from "../../../protocol/errors.js";
import type { UserName } from "../../../protocol/ids.js";
import type { Identity } from "../../../protocol/security.js";
import type { JsonDocument } from "../../backend/backend.js";
import { type Account, type Accounts, accountOf } from "../accounts.js";
import type { PasswordHasher } from "../password-hasher.js";
import { passwordMembers } from "../passwords.js";
import type { Principals } from "../principals.js";
import { withoutSecrets } from "../user-documents.js";
import type { AccountOptions } from "./account-options.js";
import type { ActivityLog } from "./activity-log.js";
import { addressToVerify } from "./mailed-tokens.js";
import type { Mails } from "./mails.js";
import { checkedProfile } from "./profile.js";
import { type Asker, checkPassword } from "./sign-ups.js";

export interface OwnAccountParts {
  readonly accounts: Accounts;
  readonly principals: Principals;
  readonly hasher: PasswordHasher;
  readonly mails: Mails;
  readonly activity: ActivityLog;
  readonly options: AccountOptions;
}

export class OwnAccount {
  readonly #parts: OwnAccountParts;

  constructor(parts: OwnAccountParts) {
    this.#parts = parts;
  }

  /** @throws CouchError not_found for who has none, such as a server administrator */
  async nameOf(identity: Identity): Promise<UserName> {
    const { name } = identity;
    if (name === null || this.#parts.principals.isAdmin(name) || !(await this.#parts.accounts.find(name))) {
      throw new CouchError("not_found", "You have no account here: somebody else vouches for you.");
    }
    return name;
  }

  async describe(name: UserName): Promise<AccountView> {
    return accountView(await this.#document(name));
  }

  /** The user document without its secrets. */
  async document(name: UserName): Promise<JsonDocument> {
    return withoutSecrets(await this.#document(name));
  }

  async change(name: UserName, request: ChangeAccountRequest, { address }: Asker): Promise<AccountView> {
    const { accounts, options, activity } = this.#parts;
    const profile = request.profile === undefined ? undefined : checkedProfile(options.profile, request.profile);
    await accounts.change(name, () => changedMembers(request, profile));
    await activity.record(name, "profile_changed", address);
    return this.describe(name);
  }

  /**
   * Makes an anonymous account a real one: it gets a password and, perhaps, an address; its name and data stay.
   * @throws CouchError conflict when it is one already, bad_request
   */
  async claim(name: UserName, request: ClaimRequest, asker: Asker): Promise<AccountView> {
    const { accounts, options, hasher, mails, activity } = this.#parts;
    checkPassword(request.password, options.minPasswordLength);
    if (request.email === undefined && options.requireEmail) {
      const fields = { email: "An e-mail address is required." };
      throw new CouchError("bad_request", `email: ${fields.email}`, { detail: { fields } });
    }
    const profile = checkedProfile(options.profile, request.profile);
    const hash = await hasher.hash(request.password);
    if (request.email !== undefined) await mails.verifyEmail(name, request.email, asker);
    await accounts.change(name, (account) => {
      if (!account.isAnonymous) throw new CouchError("conflict", "The account was claimed already.");
      return {
        ...passwordMembers(hash),
        anonymous: undefined,
        ...(request.email !== undefined && { email: request.email }),
        ...changedMembers(request, profile),
      };
    });
    await activity.record(name, "claimed", asker.address);
    return this.describe(name);
  }

  async #document(name: UserName): Promise<JsonDocument> {
    const document = await this.#parts.accounts.document(name);
    if (document) return document;
    throw new CouchError("unauthorized", "The account is gone.");
  }
}

/** The members of a user document for what was asked; null takes one away. */
export function changedMembers(
  request: { readonly display_name?: string | null | undefined; readonly locale?: string | null | undefined },
  profile: unknown,
): Readonly<Record<string, unknown>> {
  return {
    ...(request.display_name !== undefined && { display_name: request.display_name ?? undefined }),
    ...(request.locale !== undefined && { locale: request.locale ?? undefined }),
    ...(profile !== undefined && { profile }),
  };
}

/** @param document of an account */
export function accountView(document: JsonDocument): AccountView {
  const account = accountOf(document) as Account;
  const { display_name: displayName, profile, created_at: createdAt } = document;
  const email = account.verifiedEmail ?? account.email;
  return {
    name: account.name,
    ...(typeof displayName === "string" && { display_name: displayName }),
    ...(email !== undefined && { email }),
    email_verified: account.verifiedEmail !== undefined,
    ...(account.pendingEmail !== undefined && { pending_email: addressToVerify(account) as string }),
    ...(account.locale !== undefined && { locale: account.locale }),
    ...(profile !== undefined && { profile: profile as AccountView["profile"] & {} }),
    roles: [...account.roles],
    anonymous: account.isAnonymous === true,
    disabled: account.closed === "disabled",
    second_factor: account.secondFactor !== undefined,
    ...(typeof createdAt === "string" && { created_at: createdAt }),
    databases: account.databases.map((database) => database.name),
  };
}
