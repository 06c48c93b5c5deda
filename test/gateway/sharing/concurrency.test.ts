import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { DatabaseName } from "../../../protocol/ids.js";
import type { DatabaseRole } from "../../../protocol/sharing.js";
import type { Gateway } from "../../../server/gateway/gateway.js";
import { Random } from "../../faults/random.js";
import { identity, putUser, refused } from "../../helpers/gateway-world.js";
import {
  ada,
  another,
  assertInLine,
  listOf,
  type SharingWorld,
  shared,
  sharingWorld,
  unsteady,
  userNamed,
} from "../../helpers/sharing-world.js";

/** Two gateways over one store, whose calls are mixed by chance. */
async function twoGateways(t: TestContext) {
  const world = await sharingWorld(t);
  const random = new Random(Math.floor(Math.random() * 2 ** 32));
  t.diagnostic(`seed ${random.seed}`);
  const backend = unsteady(world.backend, () => random.below(1000) / 1000);
  const gateways = [
    await another(t, { backend, clock: world.clock }),
    await another(t, { backend, clock: world.clock }),
  ] as const;
  return { ...world, random, gateways };
}

function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  return items
    .map((item) => ({ item, place: random.below(2 ** 31) }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

async function people({ backend }: Pick<SharingWorld, "backend">, count: number): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, index) => `user-${String(index).padStart(3, "0")}`);
  for (const name of names) await putUser(backend, name, {});
  return names;
}

describe("lost grants: 100 concurrent grants and revocations over two gateways", () => {
  it("leave exactly the right `_security`, and every account's list right", async (t) => {
    const { gateway, backend, gateways, random } = await twoGateways(t);
    const names = await people({ backend }, 100);
    const before: Record<string, DatabaseRole> = {};
    for (const name of names.slice(0, 50)) before[name] = "writer";
    const database = await shared({ gateway });
    await gateway.registry.change(database, { members: { ada: "owner", ...before } });
    const works = names.map((name, index) => (at: Gateway) => {
      const { databases } = at.sharing;
      const user = userNamed(name);
      return index < 50 ? databases.revoke(ada, database, user) : databases.grant(ada, database, user, "reader");
    });
    await Promise.all(shuffled(works, random).map((work, index) => work(gateways[index % 2] as Gateway)));

    const wanted = ["ada", ...names.slice(50)];
    const { members, settee } = await backend.getSecurity(database);
    assert.deepEqual(members, { names: wanted, roles: [] });
    assert.deepEqual(settee, { readers: names.slice(50) });
    const entry = await gateway.registry.find(database);
    assert.equal(entry?.aligning, undefined);
    await assertInLine(backend, gateway.registry);
  });

  it("of the very same users end as the registry says, whatever came last", async (t) => {
    const { gateway, backend, gateways, random } = await twoGateways(t);
    const names = await people({ backend }, 5);
    const database = await shared({ gateway });
    const works = Array.from({ length: 100 }, (_, index) => async (at: Gateway) => {
      const user = userNamed(names[index % 5] as string);
      const { databases } = at.sharing;
      if (random.below(2) === 0) await databases.grant(ada, database, user, "writer");
      else await databases.revoke(ada, database, user).catch(refusedAsMissing);
    });
    await Promise.all(works.map((work, index) => work(gateways[index % 2] as Gateway)));
    await assertInLine(backend, gateway.registry);
  });
});

function refusedAsMissing(error: unknown): void {
  assert.ok(refused("not_found", "There is no such member.")(error), String(error));
}

describe("many databases at once", () => {
  it("come to one account's list without one being lost", async (t) => {
    const { gateway, backend, gateways } = await twoGateways(t);
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (gateways[index % 2] as Gateway).sharing.databases.make(ada, { template: "team", kind: "shared" }),
      ),
    );
    const bob = userNamed("bob");
    await Promise.all(
      made.map(({ name }, index) =>
        (gateways[index % 2] as Gateway).sharing.databases.grant(ada, name as DatabaseName, bob, "reader"),
      ),
    );
    assert.equal((await listOf(backend, "bob")).length, 20);
    await assertInLine(backend, gateway.registry);
  });

  it("pass only as many as the account may have", async (t) => {
    const world = await sharingWorld(t, { quotas: { databases: 4 } });
    const random = new Random(Math.floor(Math.random() * 2 ** 32));
    t.diagnostic(`seed ${random.seed}`);
    const backend = unsteady(world.backend, () => random.below(1000) / 1000);
    const options = { quotas: { databases: 4 } };
    const gateways = [
      await another(t, { backend, clock: world.clock }, options),
      await another(t, { backend, clock: world.clock }, options),
    ] as const;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 12 }, (_, index) =>
        (gateways[index % 2] as Gateway).sharing.databases.make(ada, { template: "team", kind: "private" }),
      ),
    );
    const failures = outcomes.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
    for (const failure of failures) assert.ok(refused("insufficient_storage")(failure), String(failure));
    // One of the four is the user's own.
    assert.equal(outcomes.length - failures.length, 3);
  });
});

describe("a link for ten, used by fifty at once", () => {
  it("lets in exactly ten", async (t) => {
    const { gateway, backend, gateways } = await twoGateways(t);
    const names = await people({ backend }, 50);
    const database = await shared({ gateway });
    const { invitations } = gateway.sharing;
    const { token } = await invitations.invite(ada, database, { role: "writer", link: true, uses: 10 });
    const outcomes = await Promise.allSettled(
      names.map((name, index) =>
        (gateways[index % 2] as Gateway).sharing.invitations.accept(identity(name), { token }),
      ),
    );
    const accepted = names.filter((_, index) => outcomes[index]?.status === "fulfilled");
    for (const each of outcomes) {
      if (each.status === "rejected") assert.ok(refused("not_found", "The invitation has been used.")(each.reason));
    }
    assert.equal(accepted.length, 10);
    const { members } = await backend.getSecurity(database);
    assert.deepEqual(members?.names, ["ada", ...accepted]);
    const [told] = await invitations.list(ada, database);
    assert.deepEqual([...(told?.accepted_by ?? [])].sort(), accepted);
    await assertInLine(backend, gateway.registry);
  });
});
