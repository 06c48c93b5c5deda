/**
 * Which verified address is whose: one document for each, its id a hash of the address, so that a log-in by e-mail is one
 * look-up and of two accounts that want one address at once only one gets it.
 *
 * The document comes before the account names the address: after a crash between the two the account does not name it, and
 * whoever wants it next may take it over.
 */
import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { normalEmail } from "../../../protocol/email.js";
import { type DocId, parseDocId, parseUserName, type UserName } from "../../../protocol/ids.js";
import type { Backend, JsonDocument } from "../../backend/backend.js";
import type { Accounts } from "../accounts.js";
import { isConflict, retryConflicts } from "../retry-conflicts.js";
import { accountsDatabase } from "../system-databases.js";

interface Claim extends JsonDocument {
  readonly user: string;
  /** Milliseconds since 1970. */
  readonly claimedAt: number;
}

const prefix = "email-";
/** About 200 bytes each. */
const maxCached = 10_000;
/** Milliseconds in which an account that was given an address has certainly been written, or never will be. */
const claimGrace = 60_000;

export class Emails {
  readonly #backend: Backend;
  readonly #accounts: Accounts;
  readonly #now: () => number;
  /** By document id. */
  readonly #cache = new LRUCache<string, UserName>({ max: maxCached });
  #unsubscribe: (() => void) | undefined;

  constructor(backend: Backend, accounts: Accounts, now: () => number) {
    this.#backend = backend;
    this.#accounts = accounts;
    this.#now = now;
  }

  start(): void {
    this.#unsubscribe = this.#backend.subscribe(accountsDatabase, ({ id }) => void this.#cache.delete(id));
  }

  close(): void {
    this.#unsubscribe?.();
  }

  /** Whose verified address it is; any text may be asked for. */
  async ownerOf(address: string): Promise<UserName | undefined> {
    const id = idOf(address);
    const known = this.#cache.get(id);
    const user = known ?? (await this.#read(id))?.user;
    if (user === undefined || !(await this.#names(user, address))) return undefined;
    const name = parseUserName(user);
    this.#cache.set(id, name);
    return name;
  }

  /** For `user` alone from now on; to be called before the account names it. @returns false when it is another's */
  async claim(address: string, user: UserName): Promise<boolean> {
    const id = idOf(address);
    return retryConflicts(async () => {
      const claim = await this.#read(id);
      if (claim?.user === user) return true;
      if (claim && (await this.#names(claim.user, address))) return false;
      // Perhaps its account is being written just now.
      if (claim && claim.claimedAt + claimGrace > this.#now() && (await this.#accounts.find(claim.user))) return false;
      const revision = claim?._rev;
      const document = { _id: id, ...(revision !== undefined && { _rev: revision }), user, claimedAt: this.#now() };
      await this.#backend.putDocument(accountsDatabase, document);
      return true;
    });
  }

  /** Nobody's from now on, if it was `user`'s; to be called after the account has ceased to name it. */
  async release(address: string, user: UserName): Promise<void> {
    const id = idOf(address);
    const claim = await this.#read(id);
    if (claim?.user !== user) return;
    try {
      await this.#backend.putDocument(accountsDatabase, { _id: id, _rev: claim._rev as string, _deleted: true });
    } catch (error) {
      // Somebody took it over: then it is theirs.
      if (!isConflict(error)) throw error;
    }
  }

  async #names(user: string, address: string): Promise<boolean> {
    const verified = (await this.#accounts.find(user))?.verifiedEmail;
    return verified !== undefined && normalEmail(verified) === normalEmail(address);
  }

  #read(id: DocId): Promise<Claim | undefined> {
    return this.#backend.getDocument<Claim>(accountsDatabase, id);
  }
}

function idOf(address: string): DocId {
  return parseDocId(prefix + createHash("sha256").update(normalEmail(address)).digest("hex"));
}
