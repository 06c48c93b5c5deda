/**
 * Which account belongs to whom of an outside issuer. Two documents say so: one of `settee_identities`, named after issuer
 * and subject, names the user, and the user's own document lists the identity. Only where both agree it counts: the first
 * makes sure that an identity belongs to one account, the second that a later account of the same name inherits nothing.
 *
 * An address never links anything: whoever registered it first, here or there, need not be who it belongs to.
 */
import { createHash, randomBytes } from "node:crypto";
import { CouchError } from "../../../protocol/errors.js";
import { parseDocId, parseUserName, type UserName } from "../../../protocol/ids.js";
import type { Backend, JsonDocument } from "../../backend/backend.js";
import type { Account, Accounts, LinkedIdentity } from "../accounts.js";
import { userDatabaseName } from "../database-names.js";
import type { Principal, Principals } from "../principals.js";
import { addWanted, type Provisioning } from "../provisioning.js";
import { isConflict, retryConflicts } from "../retry-conflicts.js";
import { identitiesDatabase } from "../system-databases.js";
import { candidateNames } from "./candidate-names.js";

/** Somebody as an issuer that we trust tells of them. */
export interface OutsideIdentity {
  readonly issuer: string;
  readonly subject: string;
  /** As the settings call the issuer. */
  readonly provider: string;
  /** What they might be called here. */
  readonly nameHint?: string | undefined;
  /** Shown to the user in the list of what is linked, and good for nothing else. */
  readonly email?: string | undefined;
}

export interface OutsideAccountsParts {
  readonly backend: Backend;
  readonly accounts: Accounts;
  readonly principals: Principals;
  readonly provisioning: Provisioning;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

interface IdentityDocument extends JsonDocument {
  readonly user: string;
  readonly issuer: string;
  readonly subject: string;
}

type Key = Pick<OutsideIdentity, "issuer" | "subject">;

const prefix = "identity-";
const idDigits = 32;
const saltBytes = 16;
/** Rounds of finding a name: each but the last means that somebody else did something to the same identity or name. */
const maxRounds = 50;

/** As clients see it. */
export function identityIdOf({ issuer, subject }: Key): string {
  const parts = JSON.stringify([issuer, subject]);
  return createHash("sha256").update(parts).digest("hex").slice(0, idDigits);
}

export class OutsideAccounts {
  readonly #parts: OutsideAccountsParts;

  constructor(parts: OutsideAccountsParts) {
    this.#parts = parts;
  }

  /** The account of this identity, made when there is none and `makes` says so. */
  async principalOf(identity: OutsideIdentity, makes: boolean): Promise<Principal | undefined> {
    for (let round = 0; round < maxRounds; round++) {
      const stored = await this.#read(identity);
      const account = stored && (await this.#parts.accounts.find(stored.user));
      if (account && lists(account, identity)) return this.principalNamed(account.name, identity);
      if (!makes) return undefined;
      // An account of that name which does not know the identity is somebody else's.
      const isOurs = stored !== undefined && account === undefined && (await this.#isFree(stored.user));
      if (isOurs) await this.#make(parseUserName(stored.user), identity);
      else await this.#claim(identity, await this.#freeName(identity, round), stored?._rev);
    }
    throw new CouchError("service_unavailable", "No account could be made. Try again.");
  }

  /** The user of that name if the identity is theirs still; at once when it is in memory. Never a server administrator. */
  principalNamed(name: string, identity: Key): Principal | undefined | Promise<Principal | undefined> {
    const { accounts, principals } = this.#parts;
    if (principals.isAdmin(name)) return undefined;
    const account = accounts.find(name);
    if (account instanceof Promise) {
      return account.then((found) => (found && lists(found, identity) ? principals.find(name) : undefined));
    }
    return account && lists(account, identity) ? principals.find(name) : undefined;
  }

  /** An account of just that name, when there is none. */
  async makeNamed(name: UserName): Promise<void> {
    if (await this.#parts.accounts.find(name)) return;
    await this.#create(name, {});
  }

  /** @throws CouchError conflict when it belongs to another account */
  async link(user: UserName, identity: OutsideIdentity): Promise<void> {
    const { accounts } = this.#parts;
    await retryConflicts(async () => {
      const stored = await this.#read(identity);
      const owner = stored && (await accounts.find(stored.user));
      if (owner && lists(owner, identity) && owner.name !== user) {
        throw new CouchError("conflict", "That identity belongs to another account.");
      }
      if (stored?.user !== user) await this.#write(identity, user, stored?._rev);
    });
    const changed = await accounts.change(user, (account) =>
      lists(account, identity) ? undefined : { identities: [...(account.identities ?? []), this.#linked(identity)] },
    );
    if (!changed) throw new CouchError("forbidden", "Only an account can be linked.");
  }

  /** @param id of `identityIdOf`. @throws CouchError not_found, forbidden when it is the only way in */
  async unlink(user: UserName, id: string): Promise<void> {
    const { accounts } = this.#parts;
    const account = await accounts.find(user);
    const identity = account?.identities?.find((each) => identityIdOf(each) === id);
    if (!identity) throw new CouchError("not_found", "There is no such identity.");
    await accounts.change(user, ({ password, identities = [] }) => {
      const others = identities.filter((each) => identityIdOf(each) !== id);
      if (others.length === identities.length) return undefined;
      if (!password && others.length === 0) {
        throw new CouchError("forbidden", "Without a password this is the only way to log in. Set a password first.");
      }
      return { identities: others };
    });
    // Worth nothing by itself: what a crash leaves behind here is overwritten by who comes next.
    const stored = await this.#read(identity);
    if (stored?.user === user) await this.#remove(stored);
  }

  #make(name: UserName, identity: OutsideIdentity): Promise<void> {
    return this.#create(name, { identities: [this.#linked(identity)] });
  }

  async #create(name: UserName, others: Readonly<Record<string, unknown>>): Promise<void> {
    const { accounts, provisioning } = this.#parts;
    const members = { salt: randomBytes(saltBytes).toString("hex"), ...others };
    try {
      await accounts.create({ name, databases: addWanted([], userDatabaseName(name)), members });
    } catch (error) {
      // Another request for the same identity, or somebody who signed up under that name.
      if (isConflict(error)) return;
      throw error;
    }
    await provisioning.finish(name);
  }

  async #claim(identity: OutsideIdentity, name: UserName, revision: string | undefined): Promise<void> {
    try {
      await this.#write(identity, name, revision);
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }

  async #freeName(identity: OutsideIdentity, round: number): Promise<UserName> {
    for (const name of candidateNames(identity, round)) {
      if (await this.#isFree(name)) return name;
    }
    throw new CouchError("service_unavailable", "No name could be found. Try again.");
  }

  /** Neither somebody's name nor that of somebody who was: their database may be there still. */
  async #isFree(name: string): Promise<boolean> {
    const { backend, principals } = this.#parts;
    if (await principals.find(name)) return false;
    if (await this.#parts.accounts.find(name)) return false;
    return !(await backend.databaseExists(userDatabaseName(parseUserName(name))));
  }

  #linked({ issuer, subject, provider, email }: OutsideIdentity): LinkedIdentity {
    const linked_at = new Date(this.#parts.now()).toISOString();
    return { issuer, subject, provider, ...(email === undefined ? {} : { email }), linked_at };
  }

  #read(identity: Key): Promise<IdentityDocument | undefined> {
    const id = parseDocId(prefix + identityIdOf(identity));
    return this.#parts.backend.getDocument<IdentityDocument>(identitiesDatabase, id);
  }

  async #write({ issuer, subject, ...rest }: OutsideIdentity, user: UserName, revision: string | undefined) {
    const _id = prefix + identityIdOf({ issuer, subject, ...rest });
    const document = { _id, issuer, subject, user, ...(revision === undefined ? {} : { _rev: revision }) };
    await this.#parts.backend.putDocument(identitiesDatabase, document);
  }

  async #remove({ _id, _rev }: IdentityDocument): Promise<void> {
    try {
      await this.#parts.backend.putDocument(identitiesDatabase, { _id, _rev: _rev as string, _deleted: true });
    } catch (error) {
      // Linked again meanwhile.
      if (!isConflict(error)) throw error;
    }
  }
}

function lists({ identities = [] }: Account, { issuer, subject }: Key): boolean {
  return identities.some((each) => each.issuer === issuer && each.subject === subject);
}
