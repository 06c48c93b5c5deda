/**
 * Makes the databases that accounts want. Every step may be repeated, and the account says `wanted` until the last one
 * is done: whoever comes next after a crash (log-in, `/_me`, the reconciler) starts again at the top and finishes.
 */
import { isDeepStrictEqual } from "node:util";
import { CouchError } from "../../protocol/errors.js";
import { type DatabaseName, parseDocId, type UserName } from "../../protocol/ids.js";
import { type Identity, isServerAdmin, type SecurityList, type SecurityObject } from "../../protocol/security.js";
import type { Backend, JsonDocument } from "../backend/backend.js";
import type { Account, AccountDatabase, Accounts } from "./accounts.js";
import { userDatabaseName, userOfDatabase } from "./database-names.js";
import type { DatabaseRegistry } from "./databases/registry.js";
import { isConflict, retryConflicts } from "./retry-conflicts.js";

/** A folder of `design-docs/`. */
export interface Template {
  readonly name: string;
  /** Changes whenever a design document does. */
  readonly version: string;
  readonly designDocuments: readonly JsonDocument[];
}

/** The template of every per-user database. A deployment without that folder has no design documents in them. */
export const userTemplate = "user";

/** The templates in force, by name. */
export interface Templates {
  get(name: string): Template | undefined;
}

export interface ProvisioningParts {
  readonly backend: Backend;
  readonly accounts: Accounts;
  readonly registry: DatabaseRegistry;
  readonly templates: Templates;
  /** Finishes what the account wants beside its own database. */
  readonly finishOthers?: (account: Account) => Promise<void>;
}

export class Provisioning {
  readonly #backend: Backend;
  readonly #accounts: Accounts;
  readonly #registry: DatabaseRegistry;
  readonly #templates: Templates;
  readonly #finishOthers: ProvisioningParts["finishOthers"];
  /** By user: requests that arrive together share one run. */
  readonly #running = new Map<UserName, Promise<void>>();

  constructor({ backend, accounts, registry, templates, finishOthers }: ProvisioningParts) {
    this.#backend = backend;
    this.#accounts = accounts;
    this.#registry = registry;
    this.#templates = templates;
    this.#finishOthers = finishOthers;
  }

  /**
   * The caller's own database, made when it is not there yet.
   * @throws CouchError unauthorized for a guest and for a user whose account is gone
   */
  async ownDatabase(identity: Identity): Promise<DatabaseName> {
    const { name } = identity;
    if (name === null) throw new CouchError("unauthorized");
    const own = userDatabaseName(name);
    // More than once round only when this joins a run that began before the database was wanted.
    for (;;) {
      const account = await this.#accounts.find(name);
      const database = account?.databases.find((each) => each.name === own);
      if (database?.state === "ready") return own;
      if (!account) await this.#createAccount(identity, name);
      else if (!database) await this.#accounts.changeDatabases(name, (databases) => addWanted(databases, own));
      await this.finish(name);
    }
  }

  /** Finishes whatever the account still wants; nothing to do is nothing done. */
  finish(name: UserName): Promise<void> {
    const running = this.#running.get(name);
    if (running) return running;
    const run = this.#finish(name).finally(() => this.#running.delete(name));
    this.#running.set(name, run);
    return run;
  }

  async #finish(name: UserName): Promise<void> {
    const account = await this.#accounts.find(name);
    // What is on its way out gets nothing new.
    if (account?.closed === "removed") return;
    for (const database of account?.databases ?? []) {
      if (database.state === "wanted" && isOwn(name, database.name)) await this.#provision(name, database);
    }
    if (account) await this.#finishOthers?.(account);
  }

  async #provision(user: UserName, { name, template }: AccountDatabase): Promise<void> {
    // Entered first, without a version: a rollout that begins meanwhile then knows that this one may lack something.
    await this.#registry.enter(name, { kind: "own", owner: user, template, version: "" });
    await this.#backend.createDatabase(name);
    await this.#secure(user, name);
    await deployTemplate(
      { backend: this.#backend, registry: this.#registry, templates: this.#templates },
      name,
      template,
    );
    await this.#accounts.changeDatabases(user, (databases) => markReady(databases, name));
  }

  async #secure(user: UserName, database: DatabaseName): Promise<void> {
    const before = await this.#backend.getSecurity(database);
    const after = securityFor(user, before);
    if (!isDeepStrictEqual(before, after)) await this.#backend.putSecurity(database, after);
  }

  /** For those who are vouched for without an account: by a trusted proxy, or as server administrators. */
  async #createAccount(identity: Identity, name: UserName): Promise<void> {
    // Anybody else had an account when their credentials were looked at. It was deleted since and stays so.
    if (identity.method !== "proxy" && !isServerAdmin(identity)) throw new CouchError("unauthorized");
    try {
      await this.#accounts.create({ name, databases: addWanted([], userDatabaseName(name)) });
    } catch (error) {
      // Somebody else was faster.
      if (!isConflict(error)) throw error;
    }
  }
}

export type DeploymentParts = Pick<ProvisioningParts, "backend" | "registry" | "templates">;

/** The design documents of the template's version in force, into a database that is entered in the registry. */
export async function deployTemplate(
  { backend, registry, templates }: DeploymentParts,
  database: DatabaseName,
  template: string,
): Promise<void> {
  // Once more when another version came into force meanwhile: its rollout may have passed here already.
  let deployed: Template | undefined;
  do {
    deployed = templates.get(template);
    for (const document of deployed?.designDocuments ?? []) await deployDesignDocument(backend, database, document);
    await registry.change(database, { version: deployed?.version ?? "" });
  } while (deployed !== templates.get(template));
}

/** Nothing is written when the document is there already. @throws CouchError not_found when the database is gone */
export async function deployDesignDocument(
  backend: Backend,
  database: DatabaseName,
  document: JsonDocument,
): Promise<void> {
  await retryConflicts(async () => {
    const stored = await backend.getDocument(database, parseDocId(document._id));
    const { _rev: revision, ...content } = stored ?? {};
    if (isDeepStrictEqual(content, document)) return;
    await backend.putDocument(database, revision === undefined ? document : { ...document, _rev: revision });
  });
}

export function addWanted(databases: readonly AccountDatabase[], name: DatabaseName): readonly AccountDatabase[] {
  if (databases.some((each) => each.name === name)) return databases;
  return [...databases, { name, template: userTemplate, state: "wanted" }];
}

function markReady(databases: readonly AccountDatabase[], name: DatabaseName): readonly AccountDatabase[] {
  if (!databases.some((each) => each.name === name && each.state === "wanted")) return databases;
  return databases.map((each) => (each.name === name ? { ...each, state: "ready" } : each));
}

/** Provisioning makes its user a member: a document that names somebody else's database must not open it to them. */
function isOwn(user: UserName, database: DatabaseName): boolean {
  return userOfDatabase(database) === user;
}

/**
 * `before` with `user` as a member. couch_peruser makes the user an administrator of the database as well; here they
 * are not, since members cannot write design documents and so cannot undo the rules that the operator deploys.
 */
function securityFor(user: UserName, before: SecurityObject): SecurityObject {
  const adminNames = listOf(before.admins, "names").filter((name) => name !== user);
  const adminRoles = listOf(before.admins, "roles");
  const memberNames = listOf(before.members, "names");
  // A new database is closed with the members' role `_admin`; administrators need no mention to get in.
  const memberRoles = listOf(before.members, "roles").filter((role) => role !== "_admin");
  return {
    ...before,
    admins: {
      ...(adminNames.length > 0 && { names: adminNames }),
      roles: adminRoles.includes("_admin") ? adminRoles : ["_admin", ...adminRoles],
    },
    members: { names: memberNames.includes(user) ? memberNames : [user, ...memberNames], roles: memberRoles },
  };
}

function listOf(list: SecurityList | undefined, which: "names" | "roles"): readonly string[] {
  return list?.[which] ?? [];
}
