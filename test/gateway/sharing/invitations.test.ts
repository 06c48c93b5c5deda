import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { parseDatabaseName } from "../../../protocol/ids.js";
import type { InvitationMail } from "../../../server/gateway/sharing/invitations.js";
import { expiredInvitations } from "../../../server/jobs/expired-invitations.js";
import { changeUser, refused } from "../../helpers/gateway-world.js";
import { ada, bob, cyd, shared, sharingWorld, userNamed } from "../../helpers/sharing-world.js";

const stored = parseDatabaseName("settee_invitations");
const gone = refused("not_found", "There is no such invitation.");
const used = refused("not_found", "The invitation has been used.");

async function start(t: TestContext) {
  const sent: { readonly to: string; readonly data: InvitationMail }[] = [];
  const mailer = { send: async (_kind: string, to: string, data: InvitationMail) => void sent.push({ to, data }) };
  const world = await sharingWorld(t, { sharing: { mailer } });
  const database = await shared(world);
  return { ...world, database, sent, invitations: world.gateway.sharing.invitations };
}

describe("an invitation by name", () => {
  it("is shown to whom it is for, who accepts it or declines", async (t) => {
    const { gateway, database, invitations } = await start(t);
    const { id, token } = await invitations.invite(ada, database, { role: "writer", name: userNamed("bob") });
    assert.equal(token, undefined);
    assert.deepEqual(
      (await invitations.mine(bob)).map((each) => [each.id, each.database, each.title, each.role, each.invited_by]),
      [[id, database, "Plans", "writer", "ada"]],
    );
    assert.deepEqual(await invitations.mine(cyd), []);
    await assert.rejects(invitations.accept(cyd, { id }), gone);
    await assert.rejects(invitations.decline(cyd, id), gone);
    assert.equal(await invitations.accept(bob, { id }), database);
    assert.equal((await gateway.sharing.databases.describe(bob, database)).role, "writer");
    // Again, as after an answer that got lost.
    await invitations.accept(bob, { id });

    const other = await invitations.invite(ada, database, { role: "owner", name: userNamed("cyd") });
    await invitations.decline(cyd, other.id);
    assert.deepEqual(await invitations.mine(cyd), []);
    await assert.rejects(invitations.accept(cyd, { id: other.id }), refused("not_found"));
    assert.equal((await invitations.list(ada, database)).find((each) => each.id === other.id)?.declined, true);
  });

  it("does not say whether there is such a user, and waits for them", async (t) => {
    const { database, invitations } = await start(t);
    const known = await invitations.invite(ada, database, { role: "reader", name: userNamed("bob") });
    const unknown = await invitations.invite(ada, database, { role: "reader", name: userNamed("zoe") });
    assert.deepEqual(Object.keys(unknown).sort(), Object.keys(known).sort());
  });

  it("raises a role and never lowers it", async (t) => {
    const { gateway, database, invitations } = await start(t);
    await gateway.sharing.databases.grant(ada, database, userNamed("bob"), "writer");
    const lower = await invitations.invite(ada, database, { role: "reader", name: userNamed("bob") });
    await invitations.accept(bob, { id: lower.id });
    assert.equal((await gateway.sharing.databases.describe(bob, database)).role, "writer");
    const higher = await invitations.invite(ada, database, { role: "owner", name: userNamed("bob") });
    await invitations.accept(bob, { id: higher.id });
    assert.equal((await gateway.sharing.databases.describe(bob, database)).role, "owner");
  });
});

describe("an invitation by e-mail", () => {
  it("is mailed, and is for whoever has verified the address or holds the token", async (t) => {
    const { gateway, backend, database, invitations, sent } = await start(t);
    const { id, token } = await invitations.invite(ada, database, { role: "reader", email: "Bob@example.org" });
    assert.equal(token, undefined);
    assert.deepEqual(
      sent.map(({ to, data }) => [to, data.title, data.role]),
      [["Bob@example.org", "Plans", "reader"]],
    );
    assert.deepEqual(await invitations.mine(bob), []);
    await changeUser(backend, "bob", { email: "bob@example.org" });
    await assert.rejects(invitations.accept(bob, { id }), gone);
    await changeUser(backend, "bob", { verified_email: "bob@example.org" });
    assert.deepEqual(
      (await invitations.mine(bob)).map((each) => each.id),
      [id],
    );
    await invitations.accept(bob, { id });

    const other = await invitations.invite(ada, database, { role: "reader", email: "cyd@example.org" });
    const mailed = sent.at(-1)?.data.token as string;
    assert.ok(mailed.startsWith(other.id));
    await invitations.accept(cyd, { token: mailed });
    assert.equal((await gateway.sharing.databases.describe(cyd, database)).role, "reader");
  });

  it("is refused where no mail is sent", async (t) => {
    const world = await sharingWorld(t);
    const database = await shared(world);
    const asked = world.gateway.sharing.invitations.invite(ada, database, { role: "reader", email: "a@example.org" });
    await assert.rejects(asked, refused("bad_request"));
  });
});

describe("an invitation by link", () => {
  it("keeps only a hash of its token, and takes no other", async (t) => {
    const { backend, database, invitations } = await start(t);
    const { id, token = "" } = await invitations.invite(ada, database, { role: "reader", link: true });
    const secret = token.slice(id.length + 1);
    assert.match(secret, /^[a-z2-7]{32}$/);
    const documents = await backend.listDocuments(stored, {});
    assert.equal(documents.length, 1);
    assert.ok(!JSON.stringify(documents).includes(secret));
    const forged = `${id}-${"a".repeat(32)}`;
    await assert.rejects(invitations.accept(bob, { token: forged }), gone);
    await assert.rejects(invitations.accept(bob, { id }), gone);
    assert.deepEqual(Object.keys((await invitations.list(ada, database))[0] ?? {}).includes("token"), false);
    await invitations.accept(bob, { token });
    await assert.rejects(invitations.accept(cyd, { token }), used);
  });

  it("is worth nothing after its time, and goes a day later", async (t) => {
    const { backend, clock, database, invitations } = await start(t);
    const { token } = await invitations.invite(ada, database, { role: "reader", link: true, expires_in: 60 });
    await invitations.invite(ada, database, { role: "reader", name: userNamed("bob"), expires_in: 60 });
    const job = expiredInvitations({ backend, now: clock.now, onError: (error) => assert.fail(String(error)) });
    clock.advance(60);
    await assert.rejects(invitations.accept(bob, { token }), refused("not_found", "The invitation has expired."));
    assert.deepEqual(await invitations.mine(bob), []);
    await job.run();
    assert.equal((await backend.listDocuments(stored, {})).length, 3);
    clock.advance(86_400);
    await job.run();
    assert.deepEqual(await backend.listDocuments(stored, {}), []);
  });

  it("brings nobody back who was put out, and none of an owner's who is owner no more", async (t) => {
    const { gateway, database, invitations } = await start(t);
    const { databases } = gateway.sharing;
    const { token } = await invitations.invite(ada, database, { role: "owner", link: true, uses: 5 });
    await invitations.accept(bob, { token });
    const bobs = await invitations.invite(bob, database, { role: "owner", link: true, uses: 5 });
    await databases.revoke(ada, database, userNamed("bob"));
    await assert.rejects(invitations.accept(bob, { token }), used);
    await assert.rejects(invitations.accept(bob, { token: bobs.token }), gone);
    await assert.rejects(invitations.accept(cyd, { token: bobs.token }), gone);
    await invitations.accept(cyd, { token });
  });

  it("can be taken back, by owners alone", async (t) => {
    const { gateway, database, invitations } = await start(t);
    await gateway.sharing.databases.grant(ada, database, userNamed("cyd"), "writer");
    const { id, token } = await invitations.invite(ada, database, { role: "reader", link: true });
    for (const asked of [
      invitations.withdraw(cyd, database, id),
      invitations.list(cyd, database),
      invitations.invite(cyd, database, { role: "reader", link: true }),
    ]) {
      await assert.rejects(asked, refused("forbidden"));
    }
    const other = await shared({ gateway });
    await assert.rejects(invitations.withdraw(ada, other, id), gone);
    await invitations.withdraw(ada, database, id);
    await assert.rejects(invitations.accept(bob, { token }), gone);
  });
});

describe("a database in the trash", () => {
  it("is closed to its members at once, and comes back with them", async (t) => {
    const { gateway, backend, database, invitations, clock } = await start(t);
    const { databases, trash } = gateway.sharing;
    await databases.grant(ada, database, userNamed("bob"), "reader");
    const { token } = await invitations.invite(ada, database, { role: "reader", link: true });
    await assert.rejects(databases.remove(bob, database), refused("forbidden"));
    await databases.remove(ada, database);
    await assert.rejects(databases.describe(ada, database), refused("not_found"));
    await assert.rejects(invitations.accept(cyd, { token }), gone);
    assert.deepEqual(
      (await gateway.sharing.mine.describe(bob)).databases.map(({ name }) => name),
      ["userdb-626f62"],
    );
    const [told] = await trash.list();
    assert.deepEqual([told?.name, told?.owner, told?.because, told?.title], [database, "ada", "database", "Plans"]);

    clock.advance(14 * 86_400 - 1);
    await trash.eraseIfDue(database);
    await trash.restore(database);
    assert.deepEqual((await databases.describe(bob, database)).members, { ada: "owner", bob: "reader" });
    await assert.rejects(trash.restore(database), refused("not_found"));

    await databases.remove(ada, database);
    clock.advance(14 * 86_400);
    await trash.eraseIfDue(database);
    assert.equal(await backend.databaseExists(database), false);
    assert.deepEqual(await trash.list(), []);
    await assert.rejects(trash.restore(database), refused("not_found"));
  });

  it("is erased at once where there is no grace", async (t) => {
    const world = await sharingWorld(t, { sharing: { trashSeconds: 0 } });
    const database = await shared(world);
    await world.gateway.sharing.databases.remove(ada, database);
    assert.equal(await world.backend.databaseExists(database), false);
  });

  it("counts for its owner until it is erased", async (t) => {
    const world = await sharingWorld(t);
    const { gateway, backend } = world;
    const database = await shared(world);
    await backend.putDocument(database, { _id: "big", text: "x".repeat(5000) });
    await gateway.sharing.databases.remove(ada, database);
    assert.ok((await gateway.sharing.quotas.describe(userNamed("ada"))).bytes.used > 5000);
  });

  it("is where an account's own goes; the name stays taken until then", async (t) => {
    const { gateway, backend, clock } = await start(t);
    const own = parseDatabaseName("userdb-626f62");
    await gateway.sharing.removeAccountDatabases(userNamed("bob"));
    assert.deepEqual(
      (await gateway.sharing.trash.list()).map(({ name, because }) => [name, because]),
      [[own, "account"]],
    );
    assert.deepEqual((await backend.getSecurity(own)).members, { names: [], roles: ["_admin"] });
    const [bobs] = await backend.listDocuments(parseDatabaseName("_users"), { from: "org.couchdb.user:bob", limit: 1 });
    await backend.putDocument(parseDatabaseName("_users"), { ...bobs, _id: bobs?._id ?? "", _deleted: true });
    await assert.rejects(gateway.signUp({ name: "bob", password: "long enough" }), refused("conflict"));
    await gateway.sharing.trash.restore(own);
    assert.deepEqual((await backend.getSecurity(own)).members, { names: ["bob"], roles: [] });
    await gateway.sharing.removeAccountDatabases(userNamed("bob"));
    clock.advance(14 * 86_400);
    await gateway.sharing.trash.eraseIfDue(own);
    await gateway.signUp({ name: "bob", password: "long enough" });
  });
});
