import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DatabaseName, parseDatabaseName } from "../../../protocol/ids.js";
import { anonymous, type Identity } from "../../../protocol/security.js";
import type { DatabaseNeed } from "../../../server/gateway/access.js";
import { identity, putUser, refused } from "../../helpers/gateway-world.js";
import {
  ada,
  assertInLine,
  bob,
  cyd,
  listOf,
  type SharingWorld,
  shared,
  sharingWorld,
  userNamed,
} from "../../helpers/sharing-world.js";

const team = { template: "team", kind: "shared" } as const;

function accessOf({ gateway, backend }: SharingWorld) {
  return gateway.accessTo(async (name) => {
    const security = await backend.getSecurity(name);
    return { name, security: () => security };
  });
}

/** What each of the needs is answered with. */
async function needs(world: SharingWorld, who: Identity, name: DatabaseName): Promise<Record<string, number>> {
  const access = accessOf(world);
  const asked: readonly DatabaseNeed[] = ["read", "member", "write", "database-admin", "server-admin"];
  const answers = asked.map(async (need) => [
    need,
    await access.open(who, name, need).then(
      () => 200,
      ({ status }: { status: number }) => status,
    ),
  ]);
  return Object.fromEntries(await Promise.all(answers));
}

const nothing = { read: 403, member: 403, write: 403, "database-admin": 403, "server-admin": 401 };
const reading = { read: 200, member: 200, write: 403, "database-admin": 401, "server-admin": 401 };
const writing = { ...reading, write: 200 };

describe("a database that a user makes", () => {
  it("is made from its template, and lets its owner in and nobody else", async (t) => {
    const world = await sharingWorld(t);
    const { gateway, backend } = world;
    const made = await gateway.sharing.databases.make(ada, { ...team, title: "Plans" });
    const name = parseDatabaseName(made.name);
    assert.match(name, /^shared-[a-z2-7]{20}$/);
    assert.deepEqual([made.owner, made.role, made.members, made.title], ["ada", "owner", { ada: "owner" }, "Plans"]);
    assert.deepEqual(
      (await backend.listDocuments(name, {})).map(({ _id }) => _id),
      ["_design/notes"],
    );
    assert.deepEqual(await needs(world, ada, name), writing);
    assert.deepEqual(await needs(world, bob, name), nothing);
    assert.deepEqual((await needs(world, anonymous, name)).read, 401);
    assert.deepEqual(await listOf(backend, "ada"), [name]);
    await assertInLine(backend, gateway.registry);
  });

  it("comes from templates that users may use, and no other", async (t) => {
    const { gateway } = await sharingWorld(t);
    const { databases } = gateway.sharing;
    for (const template of ["user", "nothing"]) {
      await assert.rejects(databases.make(ada, { ...team, template }), refused("bad_request"));
    }
    const strict = await sharingWorld(t, { sharing: { templates: [] } });
    await assert.rejects(strict.gateway.sharing.databases.make(ada, team), refused("bad_request"));
  });

  it("may be private, and then has no other members", async (t) => {
    const world = await sharingWorld(t);
    const { gateway, backend } = world;
    const { databases, invitations } = gateway.sharing;
    const made = await databases.make(ada, { ...team, kind: "private" });
    const name = parseDatabaseName(made.name);
    assert.match(name, /^private-/);
    assert.deepEqual(await needs(world, ada, name), writing);
    await assert.rejects(databases.grant(ada, name, userNamed("bob"), "reader"), refused("forbidden"));
    await assert.rejects(databases.setPublic(ada, name, true), refused("forbidden"));
    await assert.rejects(invitations.invite(ada, name, { role: "reader", link: true }), refused("forbidden"));
    await assertInLine(backend, gateway.registry);
  });
});

describe("members", () => {
  it("read, write or own, and are told nothing once they are put out", async (t) => {
    const world = await sharingWorld(t);
    const { gateway, backend } = world;
    const { databases } = gateway.sharing;
    const name = await shared(world);
    await databases.grant(ada, name, userNamed("bob"), "reader");
    assert.deepEqual(await needs(world, bob, name), reading);
    await databases.grant(ada, name, userNamed("bob"), "writer");
    assert.deepEqual(await needs(world, bob, name), writing);
    await assert.rejects(databases.grant(bob, name, userNamed("cyd"), "reader"), refused("forbidden"));
    await databases.grant(ada, name, userNamed("bob"), "owner");
    await databases.grant(bob, name, userNamed("cyd"), "reader");
    await databases.revoke(ada, name, userNamed("bob"));
    assert.deepEqual(await needs(world, bob, name), nothing);
    await assert.rejects(databases.describe(bob, name), refused("not_found", "Database does not exist."));
    await assert.rejects(databases.describe(bob, parseDatabaseName("shared-x")), refused("not_found"));
    assert.deepEqual(await listOf(backend, "bob"), []);
    await assertInLine(backend, gateway.registry);
  });

  it("must have an account", async (t) => {
    const world = await sharingWorld(t);
    const name = await shared(world);
    const { databases } = world.gateway.sharing;
    await assert.rejects(databases.grant(ada, name, userNamed("zoe"), "reader"), refused("not_found"));
    await assert.rejects(databases.revoke(ada, name, userNamed("zoe")), refused("not_found"));
  });

  it("may leave; the last owner may not, and nobody puts out whose database it is", async (t) => {
    const world = await sharingWorld(t);
    const { gateway, backend } = world;
    const { databases } = gateway.sharing;
    const name = await shared(world, { bob: "owner", cyd: "reader" });
    await databases.revoke(cyd, name, userNamed("cyd"));
    await assert.rejects(databases.revoke(bob, name, userNamed("ada")), refused("conflict"));
    await assert.rejects(databases.grant(bob, name, userNamed("ada"), "reader"), refused("conflict"));
    await databases.revoke(ada, name, userNamed("ada"));
    assert.equal((await databases.describe(bob, name)).owner, "bob");
    await assert.rejects(databases.revoke(bob, name, userNamed("bob")), refused("conflict"));
    await assertInLine(backend, gateway.registry);
  });

  it("get it by transfer, and it counts for them from then on", async (t) => {
    const world = await sharingWorld(t);
    const { gateway, backend } = world;
    const { databases, quotas } = gateway.sharing;
    const name = await shared(world, { bob: "reader" });
    await assert.rejects(databases.transfer(ada, name, userNamed("cyd")), refused("not_found"));
    await assert.rejects(databases.transfer(bob, name, userNamed("bob")), refused("forbidden"));
    const now = await databases.transfer(ada, name, userNamed("bob"));
    assert.deepEqual([now.owner, now.members], ["bob", { ada: "owner", bob: "owner" }]);
    const used = async (who: string) => (await quotas.describe(userNamed(who))).databases.used;
    assert.deepEqual([await used("ada"), await used("bob")], [1, 2]);
    await assertInLine(backend, gateway.registry);
  });

  it("superlogin#174: taking the last member away opens nothing, not to CouchDB either", async (t) => {
    const world = await sharingWorld(t);
    const { gateway, backend } = world;
    const name = await shared(world);
    await gateway.registry.change(name, { members: {} });
    await gateway.sharing.alignments.settle(name);
    assert.deepEqual((await backend.getSecurity(name)).members, { names: [], roles: ["_admin"] });
    for (const who of [ada, bob]) assert.deepEqual(await needs(world, who, name), nothing);
    assert.equal((await needs(world, anonymous, name)).read, 401);
  });
});

describe("a database open to the public", () => {
  it("is read by anybody, guests too, and nothing more", async (t) => {
    const world = await sharingWorld(t);
    const { databases } = world.gateway.sharing;
    const name = await shared(world, { cyd: "reader" });
    await assert.rejects(databases.setPublic(cyd, name, true), refused("forbidden"));
    await databases.setPublic(ada, name, true);
    assert.deepEqual(await needs(world, bob, name), { ...nothing, read: 200 });
    assert.deepEqual(await needs(world, cyd, name), reading);
    const guest = { read: 200, member: 401, write: 401, "database-admin": 401, "server-admin": 401 };
    assert.deepEqual(await needs(world, anonymous, name), guest);
    await databases.setPublic(ada, name, false);
    assert.deepEqual(await needs(world, bob, name), nothing);
  });
});

describe("what the operator wrote to _security", () => {
  it("stays, but for names of members", async (t) => {
    const world = await sharingWorld(t);
    const { gateway, backend } = world;
    const name = await shared(world);
    const written = {
      admins: { names: ["ops", "bob"], roles: ["_admin", "boss"] },
      members: { names: ["mallory"], roles: ["support"] },
      note: "kept",
    };
    await backend.putSecurity(name, written);
    await gateway.sharing.databases.grant(ada, name, userNamed("bob"), "writer");
    const { admins, members, note } = await backend.getSecurity(name);
    assert.deepEqual(admins, { names: ["ops"], roles: ["_admin", "boss"] });
    assert.deepEqual([members, note], [{ names: ["ada", "bob"], roles: ["support"] }, "kept"]);

    await gateway.sharing.databases.remove(ada, name);
    assert.deepEqual((await backend.getSecurity(name)).admins, { names: [], roles: ["_admin"] });
    await gateway.sharing.trash.restore(name);
    assert.deepEqual((await backend.getSecurity(name)).members, { names: ["ada", "bob"], roles: ["support"] });
    assert.deepEqual((await backend.getSecurity(name)).admins, { names: ["ops"], roles: ["_admin", "boss"] });
  });
});

describe("an account that claims a database", () => {
  it("is given none that is somebody else's", async (t) => {
    const world = await sharingWorld(t);
    const { gateway, backend } = world;
    const name = await shared(world);
    const claims = [name, "_users", "settee_sessions", "notes", "userdb-616461"];
    const databases = claims.map((claimed) => ({ name: claimed, template: "team", kind: "shared", state: "wanted" }));
    const eve = await putUser(backend, "eve", { databases });
    await gateway.provisioning.finish(eve);
    assert.deepEqual(await needs(world, identity("eve"), name), nothing);
    assert.equal(await backend.databaseExists(parseDatabaseName("notes")), false);
    assert.deepEqual(await listOf(backend, "eve"), []);
    await assertInLine(backend, gateway.registry);
  });
});
