import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDatabaseName, parseDocId, parseUserName } from "../../protocol/ids.js";
import { anonymous } from "../../protocol/security.js";
import { provisioningReconciler } from "../../server/jobs/provisioning-reconciler.js";
import {
  Clock,
  changeUser,
  identity,
  newGateway,
  origin,
  putUser,
  refused,
  users,
  world,
} from "../helpers/gateway-world.js";
import { failingFrom, InjectedFault, MemoryBackend } from "../helpers/memory-backend.js";

const database = parseDatabaseName("userdb-616461");
const ada = { name: "ada", password: "long enough" };

/** What is there for ada when everything is done: the only state that a crash may end in. */
async function stateOf(backend: MemoryBackend): Promise<unknown> {
  const account = await backend.getDocument(users, parseDocId("org.couchdb.user:ada"));
  if (!account) return "no account";
  const documents = await backend.listDocuments(database, {});
  return {
    databases: account.databases,
    security: await backend.getSecurity(database),
    documents: documents.map(({ _id, _rev }) => `${_id} ${Number.parseInt(_rev ?? "", 10)}`),
  };
}

const complete = {
  databases: [{ name: database, template: "user", state: "ready" }],
  security: { admins: { roles: ["_admin"] }, members: { names: ["ada"], roles: [] } },
  documents: ["_design/notes 1", "_design/rules 1"],
};

for (const moment of ["before", "after"] as const) {
  test(`a crash ${moment} any step of a sign-up is finished by the next start`, async (t) => {
    const clock = new Clock();
    let crashes = 0;
    for (let n = 1; ; n++) {
      const backend = new MemoryBackend();
      await world(t, { backend, clock });
      let isArmed = false;
      const dying = newGateway(
        failingFrom(backend, n, moment, () => isArmed),
        clock,
      );
      await dying.start();
      t.after(() => dying.close());
      isArmed = true;
      const signedUp = await dying.signUp(ada).then(
        () => true,
        (error: unknown) => {
          assert.ok(error instanceof InjectedFault, String(error));
          return false;
        },
      );
      if (signedUp) break;
      crashes++;

      const { gateway } = await world(t, { backend, clock });
      const errors: unknown[] = [];
      const onError = (error: unknown): unknown => errors.push(error);
      await provisioningReconciler({
        backend,
        provisioning: gateway.provisioning,
        removal: gateway.people.removal,
        onError,
      }).run();
      assert.deepEqual(errors, []);
      const state = await stateOf(backend);
      if (state === "no account") await gateway.signUp(ada);
      assert.deepEqual(await stateOf(backend), complete, `crash at call ${n}`);
    }
    assert.ok(crashes >= 12, `only ${crashes} steps were tried`);
  });
}

test("a crash at any step of the very first start loses no password", async (t) => {
  const clock = new Clock();
  let crashes = 0;
  for (let n = 1; ; n++) {
    const backend = new MemoryBackend();
    const dying = newGateway(failingFrom(backend, n, "before"), clock, { admin: undefined });
    const started = await dying.start().then(
      () => true,
      () => false,
    );
    if (started) break;
    crashes++;
    const gateway = newGateway(backend, clock, { admin: undefined });
    t.after(() => gateway.close());
    const made = await gateway.start();
    assert.ok(made, `the password was lost at call ${n}`);
    assert.equal((await gateway.logIn(made, origin)).identity.roles[0], "_admin");
  }
  assert.ok(crashes >= 8);
});

test("log-in, token and /_me each finish what is wanted", async (t) => {
  const finishers = {
    logIn: (given: Awaited<ReturnType<typeof world>>) => given.gateway.logIn(ada, origin),
    token: (given: Awaited<ReturnType<typeof world>>) =>
      given.gateway.grantToken({ grant_type: "password", username: ada.name, password: ada.password }, origin),
    me: (given: Awaited<ReturnType<typeof world>>) => {
      const access = given.gateway.accessTo(async (name) => {
        const security = await given.backend.getSecurity(name);
        return { name, security: () => security };
      });
      return access.open(identity("ada"), "_me", "write");
    },
  };
  for (const [name, finish] of Object.entries(finishers)) {
    const given = await world(t);
    await given.gateway.signUp(ada);
    await given.backend.deleteDatabase(database);
    await changeUser(given.backend, "ada", { databases: [{ name: database, template: "user", state: "wanted" }] });
    await finish(given);
    assert.deepEqual(await stateOf(given.backend), complete, name);
  }
});

test("/_me is the caller's own; a guest has none, and the account of a deleted user does not come back", async (t) => {
  const { gateway, backend } = await world(t);
  await putUser(backend, "ada", {});
  assert.equal(await gateway.provisioning.ownDatabase(identity("ada")), database);
  assert.deepEqual(await stateOf(backend), complete);
  const calls = new Map(backend.calls);
  assert.equal(await gateway.provisioning.ownDatabase(identity("ada")), database);
  assert.deepEqual(backend.calls.get("putDocument"), calls.get("putDocument"));

  await assert.rejects(gateway.provisioning.ownDatabase(anonymous), refused("unauthorized"));
  await assert.rejects(gateway.provisioning.ownDatabase(identity("gone")), refused("unauthorized"));
  assert.equal(await backend.getDocument(users, parseDocId("org.couchdb.user:gone")), undefined);
});

test("whom a proxy vouches for gets an account that has no password", async (t) => {
  const { gateway, backend } = await world(t);
  const vouched = { name: parseUserName("ada"), roles: [], method: "proxy" } as const;
  await Promise.all(Array.from({ length: 5 }, () => gateway.provisioning.ownDatabase(vouched)));
  assert.deepEqual(await stateOf(backend), complete);
  await assert.rejects(gateway.logIn({ name: "ada", password: "" }, origin), refused("unauthorized"));
});

test("requests at once share one run", async (t) => {
  const { gateway, backend } = await world(t);
  await putUser(backend, "ada", { databases: [{ name: database, template: "user", state: "wanted" }] });
  await Promise.all(Array.from({ length: 20 }, () => gateway.provisioning.finish(parseUserName("ada"))));
  assert.equal(backend.calls.get("putSecurity"), 1);
  assert.deepEqual(await stateOf(backend), complete);
});

test("an account cannot claim a database that is not its own", async (t) => {
  const { gateway, backend } = await world(t);
  await gateway.signUp(ada);
  const claims = ["userdb-616461", "_users", "settee_sessions", "shared"];
  const databases = claims.map((name) => ({ name, template: "user", state: "wanted" }));
  const eve = await putUser(backend, "eve", { databases });
  await gateway.provisioning.finish(eve);
  assert.deepEqual(await backend.getSecurity(database), complete.security);
  assert.deepEqual((await backend.getSecurity(users)).members, { roles: ["_admin"] });
  assert.equal(await backend.databaseExists(parseDatabaseName("shared")), false);
});

test("a database from couch_peruser keeps its members and loses its user as administrator", async (t) => {
  const { gateway, backend } = await world(t);
  await putUser(backend, "ada", {});
  await backend.createDatabase(database);
  await backend.putDocument(database, { _id: "_design/notes", views: {} });
  await backend.putSecurity(database, {
    admins: { names: ["ada", "ops"] },
    members: { names: ["ada", "bob"], roles: ["support"] },
    note: "kept",
  });
  await gateway.provisioning.ownDatabase(identity("ada"));
  assert.deepEqual(await backend.getSecurity(database), {
    admins: { names: ["ops"], roles: ["_admin"] },
    members: { names: ["ada", "bob"], roles: ["support"] },
    note: "kept",
  });
  const design = await backend.getDocument(database, parseDocId("_design/notes"));
  assert.match(String(design?._rev), /^2-/);
});
