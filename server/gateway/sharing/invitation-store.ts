/**
 * Invitations in `settee_invitations`:
 *
 *   invitation-DATABASE-ID    one; DATABASE is the chance part of the shared database's name
 *   for-HASH-DATABASE-ID      points to one from whom it is for: HASH is of a user's name or an address
 *
 * Pointers are written first. One that points to nothing is passed over, and goes when its time is over.
 */
import { createHash } from "node:crypto";
import { normalEmail } from "../../../protocol/email.js";
import { type DatabaseName, type DocId, parseDatabaseName, parseDocId } from "../../../protocol/ids.js";
import type { DatabaseRole } from "../../../protocol/sharing.js";
import type { Backend, JsonDocument } from "../../backend/backend.js";
import { isConflict, retryConflicts } from "../retry-conflicts.js";
import { invitationsDatabase } from "../system-databases.js";
import { randomText } from "./random-text.js";

export interface Acceptance {
  /** ISO 8601. */
  readonly at: string;
  /** The member is entered in the registry: from now on only the registry says whether they still are one. */
  readonly entered?: true;
}

export interface StoredInvitation extends JsonDocument {
  readonly role: DatabaseRole;
  readonly name?: string;
  readonly email?: string;
  /** SHA-256 of the token's secret part, for links and for addresses. */
  readonly token_hash?: string;
  readonly invited_by: string;
  /** By a server administrator, who is no member. */
  readonly by_admin?: true;
  /** ISO 8601, both. */
  readonly created_at: string;
  readonly expires_at: string;
  readonly uses: number;
  readonly accepted_by: Readonly<Record<string, Acceptance>>;
  readonly declined_at?: string;
}

interface Pointer extends JsonDocument {
  readonly expires_at: string;
}

const prefix = "invitation-";
const pointerPrefix = "for-";
/** Two gateways may take turns for a link that hundreds use at once. */
const patience = 200;

export type NewInvitationDocument = Omit<StoredInvitation, "_id" | "_rev" | "accepted_by">;

export class InvitationStore {
  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** @returns its id */
  async add(database: DatabaseName, invitation: NewInvitationDocument): Promise<string> {
    const id = `${chanceOf(database)}-${randomText(16)}`;
    const addressee = addresseeOf(invitation);
    if (addressee !== undefined) {
      const pointer: Pointer = { _id: pointerId(addressee, id), expires_at: invitation.expires_at as string };
      await this.#backend.putDocument(invitationsDatabase, pointer);
    }
    await this.#backend.putDocument(invitationsDatabase, { ...invitation, _id: idOf(id), accepted_by: {} });
    return id;
  }

  find(id: string): Promise<StoredInvitation | undefined> {
    return this.#backend.getDocument<StoredInvitation>(invitationsDatabase, idOf(id));
  }

  /** `change` may be asked several times, and what it throws is thrown; undefined changes nothing. */
  async change(
    id: string,
    change: (invitation: StoredInvitation) => Partial<StoredInvitation> | undefined,
  ): Promise<StoredInvitation | undefined> {
    return await retryConflicts(async () => {
      const before = await this.find(id);
      const changed = before && change(before);
      if (!before || !changed) return before;
      const after = { ...before, ...changed };
      await this.#backend.putDocument(invitationsDatabase, after);
      return after;
    }, patience);
  }

  async remove(id: string): Promise<void> {
    const invitation = await this.find(id);
    const addressee = invitation && addresseeOf(invitation);
    if (invitation) await this.#delete(invitation);
    const pointer = addressee && (await this.#backend.getDocument(invitationsDatabase, pointerId(addressee, id)));
    if (pointer) await this.#delete(pointer);
  }

  /** Of one database, at most `limit`. */
  of(database: DatabaseName, limit: number): Promise<readonly StoredInvitation[]> {
    const from = `${prefix}${chanceOf(database)}-`;
    return this.#backend.listDocuments<StoredInvitation>(invitationsDatabase, { ...rangeOf(from), limit });
  }

  /** For a user's name or an address of theirs. */
  async for(addressee: Addressee, limit: number): Promise<readonly StoredInvitation[]> {
    const from = `${pointerPrefix}${hashOf(addressee)}-`;
    const pointers = await this.#backend.listDocuments<Pointer>(invitationsDatabase, { ...rangeOf(from), limit });
    const found = await Promise.all(pointers.map(({ _id }) => this.find(_id.slice(from.length))));
    return found.filter((each) => each !== undefined);
  }

  async #delete({ _id, _rev }: JsonDocument): Promise<void> {
    try {
      await this.#backend.putDocument(invitationsDatabase, { _id, ...(_rev && { _rev }), _deleted: true });
    } catch (error) {
      // Somebody else deleted it, or used it just now.
      if (!isConflict(error)) throw error;
      const current = await this.#backend.getDocument(invitationsDatabase, parseDocId(_id));
      if (current) await this.#delete(current);
    }
  }
}

export type Addressee = { readonly name: string } | { readonly email: string };

function addresseeOf({ name, email }: Pick<StoredInvitation, "name" | "email">): Addressee | undefined {
  if (name !== undefined) return { name };
  return email === undefined ? undefined : { email };
}

function hashOf(addressee: Addressee): string {
  const text = "name" in addressee ? `name ${addressee.name}` : `email ${normalEmail(addressee.email)}`;
  return createHash("sha256").update(text).digest("hex");
}

function idOf(id: string): DocId {
  return parseDocId(prefix + id);
}

function pointerId(addressee: Addressee, id: string): DocId {
  return parseDocId(`${pointerPrefix}${hashOf(addressee)}-${id}`);
}

function rangeOf(from: string): { readonly from: string; readonly to: string } {
  return { from, to: `${from}\u{10ffff}` };
}

/** What clients call it. */
export function publicId({ _id }: StoredInvitation): string {
  return _id.slice(prefix.length);
}

export function databaseOf(id: string): DatabaseName {
  return parseDatabaseName(`shared-${id.slice(0, id.indexOf("-"))}`);
}

function chanceOf(database: DatabaseName): string {
  return database.slice("shared-".length);
}
