import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { type DatabaseName, parseDatabaseName } from "../../../protocol/ids.js";
import { stateOf } from "../../../server/gateway/databases/managed-database.js";
import type { Gateway } from "../../../server/gateway/gateway.js";
import { type Clock, changeUser, newGateway, refused } from "../../helpers/gateway-world.js";
import { failingFrom, InjectedFault, type MemoryBackend } from "../../helpers/memory-backend.js";
import {
  ada,
  assertInLine,
  bob,
  cyd,
  listOf,
  reconcile,
  shared,
  sharingWorld,
  userNamed,
} from "../../helpers/sharing-world.js";

interface Scene {
  readonly gateway: Gateway;
  readonly backend: MemoryBackend;
  readonly clock: Clock;
  /** A shared database of ada's with bob as a writer. */
  readonly database: DatabaseName;
  /** What `prepare` gave. */
  readonly given: string;
}

interface Action {
  readonly name: string;
  /** Backend calls that it makes at least: shows that the steps are really tried. */
  readonly steps: number;
  prepare?(scene: Omit<Scene, "given">): Promise<string>;
  act(scene: Scene): Promise<unknown>;
  /** Done: nothing is left to do. Otherwise it is done once more. */
  isDone(scene: Scene): Promise<boolean>;
}

const week = 7 * 86_400;

const memberIs = async ({ gateway, database }: Scene, name: string, role: string | undefined) =>
  (await gateway.registry.find(database))?.members?.[name] === role;
const isIn = async ({ gateway, database }: Scene, state: string | undefined) => {
  const entry = await gateway.registry.find(database);
  return (entry && stateOf(entry)) === state;
};

const actions: readonly Action[] = [
  {
    name: "making a database",
    steps: 12,
    act: ({ gateway }) => gateway.sharing.databases.make(cyd, { template: "team", kind: "shared" }),
    isDone: async ({ backend }) => (await listOf(backend, "cyd")).length === 1,
  },
  {
    name: "making a private database",
    steps: 12,
    act: ({ gateway }) => gateway.sharing.databases.make(cyd, { template: "team", kind: "private" }),
    isDone: async ({ backend }) => (await listOf(backend, "cyd")).length === 1,
  },
  {
    name: "a grant",
    steps: 9,
    act: ({ gateway, database }) => gateway.sharing.databases.grant(ada, database, userNamed("cyd"), "reader"),
    isDone: (scene) => memberIs(scene, "cyd", "reader"),
  },
  {
    name: "a revocation",
    steps: 7,
    act: ({ gateway, database }) => gateway.sharing.databases.revoke(ada, database, userNamed("bob")),
    isDone: (scene) => memberIs(scene, "bob", undefined),
  },
  {
    name: "opening to the public",
    steps: 5,
    act: ({ gateway, database }) => gateway.sharing.databases.setPublic(ada, database, true),
    isDone: async ({ gateway, database }) => (await gateway.registry.find(database))?.public_read === true,
  },
  {
    name: "a transfer",
    steps: 12,
    act: ({ gateway, database }) => gateway.sharing.databases.transfer(ada, database, userNamed("bob")),
    isDone: async ({ gateway, database }) => (await gateway.registry.find(database))?.owner === "bob",
  },
  {
    name: "accepting an invitation",
    steps: 14,
    prepare: async ({ gateway, database }) => {
      const { invitations } = gateway.sharing;
      return (await invitations.invite(ada, database, { role: "writer", link: true })).token as string;
    },
    act: ({ gateway, given }) => gateway.sharing.invitations.accept(cyd, { token: given }),
    isDone: (scene) => memberIs(scene, "cyd", "writer"),
  },
  {
    name: "deleting a database",
    steps: 9,
    act: ({ gateway, database }) => gateway.sharing.databases.remove(ada, database),
    isDone: (scene) => isIn(scene, "trashed"),
  },
  {
    name: "restoring a database",
    steps: 9,
    prepare: async ({ gateway, database }) => {
      await gateway.sharing.databases.remove(ada, database);
      return "";
    },
    act: ({ gateway, database }) => gateway.sharing.trash.restore(database),
    isDone: (scene) => isIn(scene, "ready"),
  },
  {
    name: "erasing a database",
    steps: 4,
    prepare: async ({ gateway, database, clock }) => {
      await gateway.sharing.databases.remove(ada, database);
      clock.advance(2 * week);
      return "";
    },
    act: ({ gateway, database }) => gateway.sharing.trash.eraseIfDue(database),
    isDone: async ({ gateway, backend, database }) => {
      assert.equal(await backend.databaseExists(database), false);
      return (await gateway.registry.find(database)) === undefined;
    },
  },
  {
    name: "removing the databases of an account",
    steps: 20,
    prepare: async ({ gateway, database }) => {
      await gateway.sharing.databases.grant(ada, database, userNamed("cyd"), "owner");
      return (await gateway.sharing.databases.make(ada, { template: "team", kind: "private" })).name;
    },
    act: ({ gateway }) => gateway.sharing.removeAccountDatabases(userNamed("ada")),
    isDone: async ({ gateway, database, given }) => {
      const [own, lone, common] = await Promise.all([
        gateway.registry.find(parseDatabaseName("userdb-616461")),
        gateway.registry.find(parseDatabaseName(given)),
        gateway.registry.find(database),
      ]);
      return (
        own?.state === "trashed" &&
        lone?.trashed?.because === "account" &&
        common?.owner === "cyd" &&
        common.members?.["ada"] === undefined
      );
    },
  },
];

async function scene(t: TestContext, action: Action): Promise<Scene> {
  const world = await sharingWorld(t);
  const database = await shared(world, { bob: "writer" });
  const given = (await action.prepare?.({ ...world, database })) ?? "";
  world.gateway.close();
  return { ...world, database, given };
}

for (const action of actions) {
  for (const moment of ["before", "after"] as const) {
    it(`a crash ${moment} any step of ${action.name} is repaired by the next start`, async (t) => {
      let crashes = 0;
      for (let n = 1; ; n++) {
        const before = await scene(t, action);
        const { backend, clock } = before;
        let isArmed = false;
        const dying = newGateway(
          failingFrom(backend, n, moment, () => isArmed),
          clock,
        );
        await dying.start();
        isArmed = true;
        const outcome: unknown = await action.act({ ...before, gateway: dying }).then(
          () => undefined,
          (error: unknown) => error,
        );
        dying.close();
        if (outcome === undefined) break;
        assert.ok(outcome instanceof InjectedFault, String((outcome as Error).stack));
        crashes++;

        const gateway = newGateway(backend, clock);
        await gateway.start();
        await reconcile(gateway, backend);
        await assertInLine(backend, gateway.registry);
        const after = { ...before, gateway };
        if (!(await action.isDone(after))) {
          await action.act(after);
          assert.ok(await action.isDone(after), `call ${n}`);
          await assertInLine(backend, gateway.registry);
        }
        // Notes of the dead are taken away in the end.
        clock.advance(61);
        await reconcile(gateway, backend);
        for await (const page of gateway.registry.entries()) {
          for (const entry of page) assert.equal(entry.aligning, undefined, `a note stayed after call ${n}`);
        }
        gateway.close();
      }
      assert.ok(crashes >= action.steps, `only ${crashes} steps were tried`);
    });
  }
}

describe("what a crash left undone", () => {
  it("is repaired by the next access, before it is decided", async (t) => {
    const world = await sharingWorld(t);
    const database = await shared(world, { bob: "writer" });
    const { backend, gateway } = world;
    // As after a crash right behind the registry's write.
    const since = new Date(world.clock.now()).toISOString();
    await gateway.registry.change(database, {
      members: { ada: "owner", cyd: "reader" },
      aligning: { dead: { users: ["bob", "cyd"], since } },
    });
    const access = gateway.accessTo(async (name) => {
      const security = await backend.getSecurity(name);
      return { name, security: () => security };
    });
    await assert.rejects(access.open(bob, database, "read"), refused("forbidden"));
    await access.open(cyd, database, "read");
    await assertInLine(backend, gateway.registry);
    // The note may be of a gateway that is only slow; it costs no second look.
    const reads = backend.calls.get("getSecurity");
    await Promise.all(Array.from({ length: 5 }, () => access.open(cyd, database, "read")));
    assert.equal(backend.calls.get("getSecurity"), (reads ?? 0) + 5);
  });

  it("is repaired by a log-in", async (t) => {
    const world = await sharingWorld(t);
    const { backend, gateway } = world;
    const database = await shared(world, { bob: "writer" });
    await gateway.registry.change(database, {
      members: { ada: "owner", bob: "reader" },
      aligning: { dead: { users: [], since: new Date(0).toISOString() } },
    });
    // Counted as bob's for a transfer that never came.
    await changeUser(backend, "bob", {
      databases: [{ name: database, template: "team", state: "ready", kind: "shared", n: 1, owned: true }],
    });
    await gateway.provisioning.finish(userNamed("bob"));
    await assertInLine(backend, gateway.registry);
    assert.equal((await gateway.sharing.quotas.describe(userNamed("bob"))).databases.used, 0);
  });
});
