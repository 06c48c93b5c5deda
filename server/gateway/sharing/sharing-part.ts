/** All that has to do with users' databases beside their own one, wired together. */
import type { DatabaseName, UserName } from "../../../protocol/ids.js";
import type { Backend } from "../../backend/backend.js";
import type { Account, Accounts } from "../accounts.js";
import { userDatabaseName } from "../database-names.js";
import type { DatabaseRegistry } from "../databases/registry.js";
import type { SharingOptions } from "../gateway-options.js";
import type { QuotaOptions } from "../limits/quota-options.js";
import { Quotas } from "../limits/quotas.js";
import type { Templates } from "../provisioning.js";
import { Alignments } from "./alignments.js";
import { DatabaseMaker } from "./database-maker.js";
import { InvitationStore } from "./invitation-store.js";
import { Invitations } from "./invitations.js";
import { Memberships } from "./memberships.js";
import { MyDatabases } from "./my-databases.js";
import { Sharing } from "./sharing.js";
import { Trash } from "./trash.js";

export interface SharingPartParts {
  readonly backend: Backend;
  readonly accounts: Accounts;
  readonly registry: DatabaseRegistry;
  readonly templates: Templates & { readonly names: readonly string[] };
  readonly isAdmin: (name: string) => boolean;
  readonly sharing: Partial<SharingOptions> | undefined;
  readonly quotas: Partial<QuotaOptions> | undefined;
  readonly now: () => number;
}

const day = 24 * 60 * 60;

const defaultSharing: SharingOptions = {
  templates: undefined,
  invitationSeconds: 7 * day,
  trashSeconds: 14 * day,
  mailer: undefined,
};
const defaultQuotas: QuotaOptions = { databases: 100, byRole: {} };

export class SharingPart {
  readonly databases: Sharing;
  readonly invitations: Invitations;
  readonly trash: Trash;
  readonly quotas: Quotas;
  readonly mine: MyDatabases;
  readonly alignments: Alignments;
  readonly #memberships: Memberships;
  readonly #maker: DatabaseMaker;
  readonly #registry: DatabaseRegistry;

  constructor({ backend, accounts, registry, templates, isAdmin, sharing, quotas, now }: SharingPartParts) {
    const options = { ...defaultSharing, ...sharing };
    const memberships = new Memberships(backend, accounts);
    const alignments = new Alignments({ backend, registry, memberships, now });
    this.#memberships = memberships;
    this.#registry = registry;
    this.alignments = alignments;
    this.trash = new Trash({ backend, registry, alignments, grace: options.trashSeconds * 1000, now });
    this.quotas = new Quotas({ backend, registry, accounts, isAdmin, options: { ...defaultQuotas, ...quotas }, now });
    const admit = (account: Account): void => this.quotas.admitDatabase(account);
    this.#maker = new DatabaseMaker({ backend, registry, templates, alignments, memberships, admit });
    this.databases = new Sharing({
      ...{ registry, accounts, alignments, memberships, maker: this.#maker, trash: this.trash },
      templates: () => templates.names,
      allowedTemplates: options.templates,
      admitTransfer: (to, database) => this.quotas.admitTransfer(to, database),
    });
    const store = new InvitationStore(backend);
    const life = options.invitationSeconds * 1000;
    this.invitations = new Invitations({ store, registry, accounts, alignments, mailer: options.mailer, life, now });
    this.mine = new MyDatabases({ backend, accounts, registry, memberships, quotas: this.quotas });
  }

  /** The system's databases must exist by now. */
  start(): void {
    this.#registry.start();
    this.#memberships.start();
    this.quotas.start();
  }

  close(): void {
    this.#registry.close();
    this.#memberships.close();
    this.quotas.close();
  }

  /** What the account still wants, and what a crash left undone with the databases on its list. */
  async finish(account: Account): Promise<void> {
    await this.#maker.finish(account);
    for (const { name, owned } of account.databases) {
      await this.alignments.settled(name);
      // Of a transfer that came to nothing.
      const entry = owned && (await this.#registry.known(name));
      if (entry && entry.owner !== account.name) await this.#memberships.align(account.name, entry);
    }
  }

  /**
   * For the deletion of an account, before its document goes: what was its alone is closed at once and erased after the grace;
   * what it shared with other owners becomes theirs; of all else it is no member any more. Safe to repeat.
   */
  async removeAccountDatabases(user: UserName): Promise<void> {
    await this.databases.removeAccountDatabases(user, userDatabaseName(user));
  }

  /** What an access waits for; nothing (at once) nearly always. */
  settled(name: DatabaseName): Promise<void> | undefined {
    return this.alignments.settled(name);
  }
}
