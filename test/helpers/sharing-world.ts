/** Shared databases over a store in memory: people, what they see, and whether everything is in line with the registry. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { type DatabaseName, parseUserName, type UserName } from "../../protocol/ids.js";
import type { DatabaseRole } from "../../protocol/sharing.js";
import type { Backend, JsonDocument } from "../../server/backend/backend.js";
import { isOpen, membersOf, stateOf } from "../../server/gateway/databases/managed-database.js";
import type { DatabaseRegistry } from "../../server/gateway/databases/registry.js";
import type { Gateway } from "../../server/gateway/gateway.js";
import type { GatewayOptions } from "../../server/gateway/gateway-options.js";
import { sharingRules } from "../../server/gateway/sharing/shared-security.js";
import { provisioningReconciler } from "../../server/jobs/provisioning-reconciler.js";
import { sharingReconciler } from "../../server/jobs/sharing-reconciler.js";
import { trashCollector } from "../../server/jobs/trash-collector.js";
import { Clock, identity, newGateway, putUser, users, world } from "./gateway-world.js";
import { MemoryBackend } from "./memory-backend.js";

export const ada = identity("ada");
export const bob = identity("bob");
export const cyd = identity("cyd");
export const userNamed = (name: string): UserName => parseUserName(name);

export interface SharingWorld {
  readonly gateway: Gateway;
  readonly backend: MemoryBackend;
  readonly clock: Clock;
}

/** A started gateway; ada, bob and cyd have accounts, with their own databases. */
export async function sharingWorld(t: TestContext, options: Partial<GatewayOptions> = {}): Promise<SharingWorld> {
  const given = await world(t, options);
  for (const name of ["ada", "bob", "cyd"]) {
    await putUser(given.backend, name, {});
    await given.gateway.provisioning.ownDatabase(identity(name));
  }
  return given;
}

/** Another gateway over the same store. */
export async function another(
  t: TestContext,
  { backend, clock }: Pick<SharingWorld, "clock"> & { readonly backend: Backend },
  options: Partial<GatewayOptions> = {},
): Promise<Gateway> {
  const gateway = newGateway(backend, clock, options);
  await gateway.start();
  t.after(() => gateway.close());
  return gateway;
}

/** What a start does in the background. */
export async function reconcile(gateway: Gateway, backend: Backend): Promise<void> {
  const errors: unknown[] = [];
  const onError = (error: unknown): unknown => errors.push(error);
  await sharingReconciler({ backend, sharing: gateway.sharing, onError }).run();
  await provisioningReconciler({
    backend,
    provisioning: gateway.provisioning,
    removal: gateway.people.removal,
    onError,
  }).run();
  await trashCollector({ backend, trash: gateway.sharing.trash, onError }).run();
  assert.deepEqual(errors, []);
}

/** A shared database of ada's. */
export async function shared(
  { gateway }: Pick<SharingWorld, "gateway">,
  members: Readonly<Record<string, DatabaseRole>> = {},
): Promise<DatabaseName> {
  const { databases } = gateway.sharing;
  const { name } = await databases.make(ada, { template: "team", kind: "shared", title: "Plans" });
  for (const [user, role] of Object.entries(members)) {
    await databases.grant(ada, name as DatabaseName, userNamed(user), role);
  }
  return name as DatabaseName;
}

/** Names of the databases on an account's list, beside its own. */
export async function listOf(backend: Backend, name: string): Promise<readonly string[]> {
  const [document] = await backend.listDocuments(users, { from: `org.couchdb.user:${name}`, limit: 1 });
  const databases = (document?.databases ?? []) as readonly { name: string; kind?: string; state: string }[];
  return databases.filter(({ kind, state }) => kind !== undefined && state === "ready").map((each) => each.name);
}

/** `_security` and accounts' lists say what the registry says, and nobody but whom it names is let in. */
export async function assertInLine(backend: Backend, registry: DatabaseRegistry): Promise<void> {
  const lists = new Map<string, Set<string>>();
  for await (const page of registry.entries()) {
    for (const entry of page) {
      if (entry.kind === "own" && isOpen(entry)) continue;
      assert.notEqual(stateOf(entry), "making", entry.name);
      const { members, settee } = await backend.getSecurity(entry.name);
      if (!isOpen(entry)) {
        assert.deepEqual([members, sharingRules({ settee }).trashed], [{ names: [], roles: ["_admin"] }, true]);
        continue;
      }
      const wanted = membersOf(entry);
      const names = Object.keys(wanted).sort();
      assert.deepEqual(members, { names, roles: [] }, entry.name);
      const readers = names.filter((name) => wanted[name] === "reader");
      if (entry.kind === "shared") assert.deepEqual(sharingRules({ settee }).readers, readers, entry.name);
      for (const name of names) lists.set(name, (lists.get(name) ?? new Set()).add(entry.name));
    }
  }
  for (const { name } of await backend.listDocuments<JsonDocument & { readonly name: string }>(users, {})) {
    assert.deepEqual(new Set(await listOf(backend, name)), lists.get(name) ?? new Set(), `the list of ${name}`);
  }
}

/** `backend`, whose calls take a few turns each: what two gateways do is mixed as chance has it. */
export function unsteady(backend: Backend, random: () => number): Backend {
  const pause = async (): Promise<void> => {
    for (let turns = Math.floor(random() * 6); turns > 0; turns--) await null;
    if (random() < 0.2) await new Promise(setImmediate);
  };
  return new Proxy(backend, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== "function") return member;
      if (property === "subscribe") return member.bind(target);
      return async (...parameters: unknown[]) => {
        await pause();
        const result: unknown = await member.apply(target, parameters);
        await pause();
        return result;
      };
    },
  });
}

export { Clock, MemoryBackend };
