/**
 * Tokens that are mailed: 256 bits, of which only SHA-256 is kept, as the id of a document of `settee_accounts`. They are
 * used once, expire, and end when the account gets another password or address.
 */
import { createHash, randomBytes } from "node:crypto";
import { normalEmail } from "../../../protocol/email.js";
import { CouchError } from "../../../protocol/errors.js";
import { type DocId, parseDocId } from "../../../protocol/ids.js";
import type { Backend, JsonDocument } from "../../backend/backend.js";
import type { Account, Accounts } from "../accounts.js";
import { isConflict } from "../retry-conflicts.js";
import type { Fingerprints } from "../sessions/fingerprints.js";
import { accountsDatabase } from "../system-databases.js";
import { passwordFingerprint } from "./password-fingerprint.js";

export type TokenPurpose = "verify-email" | "reset-password" | "magic-link";

interface MailedToken extends JsonDocument {
  readonly user: string;
  readonly purpose: TokenPurpose;
  /** Where it was mailed to. */
  readonly address: string;
  /** Of the user's password when it was made. */
  readonly fingerprint: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface RedeemedToken {
  readonly account: Account;
  readonly address: string;
}

export interface MailedTokensParts {
  readonly backend: Backend;
  readonly accounts: Accounts;
  readonly fingerprints: Fingerprints;
  /** Milliseconds of each purpose's tokens. */
  readonly lives: Readonly<Record<TokenPurpose, number>>;
  readonly now: () => number;
}

export const tokenPrefix = "token-";
const form = /^[A-Za-z0-9_-]{43}$/;

export class MailedTokens {
  readonly #parts: MailedTokensParts;

  constructor(parts: MailedTokensParts) {
    this.#parts = parts;
  }

  /** @returns the token itself, to be mailed and nowhere kept */
  async issue(account: Account, purpose: TokenPurpose, address: string): Promise<string> {
    const { backend, fingerprints, lives, now } = this.#parts;
    const token = randomBytes(32).toString("base64url");
    const document: MailedToken = {
      _id: idOf(token),
      user: account.name,
      purpose,
      address,
      fingerprint: passwordFingerprint(fingerprints, account),
      expiresAt: now() + lives[purpose],
    };
    await backend.putDocument(accountsDatabase, document);
    return token;
  }

  /** Whose it is; it is not used up. @throws CouchError forbidden */
  async read(token: string, purpose: TokenPurpose): Promise<RedeemedToken> {
    const { document, account } = await this.#read(token, purpose);
    return { account, address: document.address };
  }

  /** Uses it up. @throws CouchError forbidden for one that is used, expired, ended or never was */
  async redeem(token: string, purpose: TokenPurpose): Promise<RedeemedToken> {
    const { document, account } = await this.#read(token, purpose);
    try {
      const used = { _id: document._id, _rev: document._rev as string, _deleted: true };
      await this.#parts.backend.putDocument(accountsDatabase, used);
    } catch (error) {
      // Somebody else was faster, with the same token.
      throw isConflict(error) ? notValid() : error;
    }
    return { account, address: document.address };
  }

  async #read(token: string, purpose: TokenPurpose) {
    const { backend, accounts, fingerprints, now } = this.#parts;
    const document = form.test(token)
      ? await backend.getDocument<MailedToken>(accountsDatabase, idOf(token))
      : undefined;
    if (document?.purpose !== purpose || document.expiresAt <= now()) throw notValid();
    const account = await accounts.find(document.user);
    if (!account || account.closed === "disabled" || account.closed === "removed") throw notValid();
    if (passwordFingerprint(fingerprints, account) !== document.fingerprint) throw notValid();
    const address = addressFor(account, purpose);
    if (address === undefined || normalEmail(address) !== normalEmail(document.address)) throw notValid();
    return { document, account };
  }
}

/** Where tokens of the purpose are mailed to now. */
export function addressFor(account: Account, purpose: TokenPurpose): string | undefined {
  return purpose === "verify-email" ? addressToVerify(account) : account.verifiedEmail;
}

/** The address that an account says is its own and that nobody has verified; undefined when there is none. */
export function addressToVerify({ pendingEmail, email, verifiedEmail }: Account): string | undefined {
  if (pendingEmail !== undefined) return pendingEmail;
  return verifiedEmail === undefined ? email : undefined;
}

function idOf(token: string): DocId {
  return parseDocId(tokenPrefix + createHash("sha256").update(token).digest("hex"));
}

function notValid(): CouchError {
  return new CouchError("forbidden", "This link is not valid any more. Ask for another one.");
}
