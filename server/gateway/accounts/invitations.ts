/**
 * Invitations to sign up. The code is `ID.SIGNATURE`, made of the id and the server's key whenever it is to be told: the
 * document of `settee_accounts` holds who may use it and how often, and nothing that could be used.
 */
import { createHmac, randomBytes } from "node:crypto";
import { normalEmail } from "../../../protocol/email.js";
import { CouchError } from "../../../protocol/errors.js";
import { type DocId, parseDocId } from "../../../protocol/ids.js";
import type { Backend, JsonDocument } from "../../backend/backend.js";
import type { Accounts } from "../accounts.js";
import { sameSecret } from "../constant-time.js";
import { retryConflicts } from "../retry-conflicts.js";
import { accountsDatabase } from "../system-databases.js";

export interface InvitationFacts {
  /** Who alone may use it; undefined: whoever has the code. */
  readonly email?: string | undefined;
  /** Given to the accounts that are made with it. */
  readonly roles: readonly string[];
  /** How many accounts may be made with it. */
  readonly uses: number;
  /** The accounts that were, and when. */
  readonly usedBy: readonly { readonly name: string; readonly at: number }[];
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly createdBy: string;
}

export interface Invitation extends JsonDocument, InvitationFacts {
  readonly email?: string;
}

export interface NewInvitation {
  readonly email?: string | undefined;
  readonly roles: readonly string[];
  readonly uses: number;
  readonly expiresAt: number;
  readonly createdBy: string;
}

export const invitationPrefix = "invitation-";
/** Milliseconds in which an account for which a use was taken has certainly been written, or never will be. */
const useGrace = 10 * 60_000;
const form = /^([0-9a-f]{32})\.([A-Za-z0-9_-]{43})$/;

export class Invitations {
  readonly #backend: Backend;
  readonly #key: Buffer;
  readonly #accounts: Pick<Accounts, "find">;
  readonly #now: () => number;

  constructor(backend: Backend, accounts: Pick<Accounts, "find">, key: Buffer, now: () => number) {
    this.#backend = backend;
    this.#accounts = accounts;
    this.#key = key;
    this.#now = now;
  }

  /** @returns its id */
  async create({ email, ...invitation }: NewInvitation): Promise<string> {
    const id = randomBytes(16).toString("hex");
    const document: Invitation = {
      _id: documentId(id),
      ...(email !== undefined && { email }),
      ...invitation,
      usedBy: [],
      createdAt: this.#now(),
    };
    await this.#backend.putDocument(accountsDatabase, document);
    return id;
  }

  codeOf(id: string): string {
    return `${id}.${createHmac("sha256", this.#key).update(id).digest("base64url")}`;
  }

  async isOpen(id: string): Promise<boolean> {
    return this.#isOpen(await this.#read(id));
  }

  /**
   * Takes one use for `user`; again for the same user is no second use, so that a sign-up may be repeated.
   * @throws CouchError forbidden
   */
  async use(code: string, user: string, email: string | undefined): Promise<Invitation> {
    const [, id = "", signature = ""] = form.exec(code) ?? [];
    if (!sameSecret(signature, this.codeOf(id).slice(id.length + 1))) throw notValid();
    return retryConflicts(async () => {
      const invitation = await this.#read(id);
      if (!invitation || invitation.expiresAt <= this.#now()) throw notValid();
      if (invitation.email !== undefined && normalEmail(invitation.email) !== normalEmail(email ?? "")) {
        throw new CouchError("forbidden", "The invitation is for another address.");
      }
      if (invitation.usedBy.some(({ name }) => name === user)) return invitation;
      const usedBy = await this.#thatCount(invitation);
      if (usedBy.length >= invitation.uses) throw notValid();
      const use = { name: user, at: this.#now() };
      await this.#backend.putDocument(accountsDatabase, { ...invitation, usedBy: [...usedBy, use] });
      return invitation;
    });
  }

  /** Gives back the use that was taken for a sign-up that came to nothing. */
  async giveBack(code: string, user: string): Promise<void> {
    const id = code.slice(0, code.indexOf("."));
    await retryConflicts(async () => {
      const invitation = await this.#read(id);
      if (!invitation?.usedBy.some(({ name }) => name === user)) return;
      const usedBy = invitation.usedBy.filter(({ name }) => name !== user);
      await this.#backend.putDocument(accountsDatabase, { ...invitation, usedBy });
    });
  }

  /** Those that are there, used up and expired ones included until they are swept. @param after an id */
  async list(after: string | undefined, limit: number): Promise<readonly Invitation[]> {
    const from = after === undefined ? invitationPrefix : `${documentId(after)}\0`;
    return this.#backend.listDocuments<Invitation>(accountsDatabase, { from, to: "invitation.", limit });
  }

  /** @throws CouchError not_found */
  async remove(id: string): Promise<void> {
    await retryConflicts(async () => {
      const invitation = await this.#read(id);
      if (!invitation) throw new CouchError("not_found", "There is no such invitation.");
      const { _id, _rev } = invitation;
      await this.#backend.putDocument(accountsDatabase, { _id, _rev: _rev as string, _deleted: true });
    });
  }

  /** A use whose sign-up broke off (the server stopped in the middle of it) counts no longer. */
  async #thatCount({ usedBy, uses }: Invitation): Promise<Invitation["usedBy"]> {
    if (usedBy.length < uses) return usedBy;
    const counted: Invitation["usedBy"][number][] = [];
    for (const use of usedBy) {
      if (use.at + useGrace > this.#now() || (await this.#accounts.find(use.name))) counted.push(use);
    }
    return counted;
  }

  #isOpen(invitation: Invitation | undefined): boolean {
    return !!invitation && invitation.expiresAt > this.#now() && invitation.usedBy.length < invitation.uses;
  }

  async #read(id: string): Promise<Invitation | undefined> {
    if (!/^[0-9a-f]{32}$/.test(id)) return undefined;
    return this.#backend.getDocument<Invitation>(accountsDatabase, documentId(id));
  }
}

export function invitationId(document: JsonDocument): string {
  return document._id.slice(invitationPrefix.length);
}

function documentId(id: string): DocId {
  return parseDocId(invitationPrefix + id);
}

function notValid(): CouchError {
  return new CouchError("forbidden", "A valid invitation is needed to sign up.");
}
