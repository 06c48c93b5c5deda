/**
 * Makes databases that users ask for. The account's list says `wanted` first, which is also where of several requests at once only as
 * many pass as the account may have; then the registry, then the database. Whoever comes next after a crash (log-in, `/_me`, the
 * reconciler) goes on where it stopped.
 */
import { CouchError } from "../../../protocol/errors.js";
import { type DatabaseName, parseDatabaseName, type UserName } from "../../../protocol/ids.js";
import type { NewDatabaseRequest } from "../../../protocol/sharing.js";
import type { Account, AccountDatabase } from "../accounts.js";
import { type ManagedDatabase, stateOf } from "../databases/managed-database.js";
import { type DeploymentParts, deployTemplate } from "../provisioning.js";
import { Turns } from "../turns.js";
import type { Alignments } from "./alignments.js";
import { type Memberships, withDatabase } from "./memberships.js";
import { randomText } from "./random-text.js";

export interface DatabaseMakerParts extends DeploymentParts {
  readonly alignments: Alignments;
  readonly memberships: Memberships;
  /** @throws CouchError insufficient_storage when the account may have no more databases */
  readonly admit: (account: Account) => void;
}

const nameOfMade = /^(private|shared)-[a-z2-7]{20}$/;

export class DatabaseMaker {
  readonly #parts: DatabaseMakerParts;
  readonly #turns = new Turns<DatabaseName>();

  constructor(parts: DatabaseMakerParts) {
    this.#parts = parts;
  }

  /** @throws CouchError unauthorized when the account is gone, insufficient_storage */
  async make(user: UserName, { template, kind, title }: NewDatabaseRequest): Promise<ManagedDatabase> {
    const name = parseDatabaseName(`${kind}-${randomText(20)}`);
    const wanted: AccountDatabase = { name, template, kind, state: "wanted", owned: true, ...(title && { title }) };
    const account = await this.#parts.memberships.change(user, (lists, of) => {
      this.#parts.admit(of);
      return withDatabase(lists, wanted);
    });
    if (!account) throw new CouchError("unauthorized");
    await this.#finish(user, wanted);
    const made = await this.#parts.registry.find(name);
    if (!made) throw new CouchError("not_found", "Database does not exist.");
    return made;
  }

  /** What the account still wants of these; nothing to do is nothing done. */
  async finish({ name, databases }: Account): Promise<void> {
    for (const database of databases) {
      if (database.state === "wanted" && database.kind !== undefined) await this.#finish(name, database);
    }
  }

  #finish(user: UserName, wanted: AccountDatabase): Promise<void> {
    return this.#turns.take(wanted.name, () => this.#make(user, wanted));
  }

  async #make(user: UserName, { name, template, kind = "private", title }: AccountDatabase): Promise<void> {
    const { backend, registry, memberships, alignments } = this.#parts;
    // A document that names a database of somebody else's must not open it.
    if (!nameOfMade.test(name)) return await memberships.drop(user, name);
    const before = await registry.find(name);
    if (!before) {
      if (await backend.databaseExists(name)) return await memberships.drop(user, name);
      const members = kind === "shared" ? { members: { [user]: "owner" as const } } : {};
      await registry.enter(name, {
        ...{ kind, owner: user, template, version: "", state: "making", ...members },
        ...(title !== undefined && { title }),
      });
    } else if (stateOf(before) !== "making" || before.owner !== user) {
      return await alignments.settle(name).then(() => memberships.align(user, before));
    }
    await backend.createDatabase(name);
    await deployTemplate(this.#parts, name, template);
    await alignments.change(name, (entry) => (stateOf(entry) === "making" ? { state: undefined } : undefined));
  }
}
