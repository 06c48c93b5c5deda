import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDatabaseName, parseDocId, parseUserName } from "../../../protocol/ids.js";
import { profileSchemaOf } from "../../../server/gateway/accounts/profile.js";
import { accountSweeper } from "../../../server/jobs/account-sweeper.js";
import { accountsWorld, asker } from "../../helpers/accounts-world.js";
import { identity, origin, refused, users } from "../../helpers/gateway-world.js";

const admin = identity("admin", ["_admin"]);
const password = "long enough";

test("whom each way of sign-up lets in", async (t) => {
  const table = {
    open: { guest: true, invited: true, manager: true },
    invitation: { guest: false, invited: true, manager: true },
    administrators: { guest: false, invited: false, manager: true },
    closed: { guest: false, invited: false, manager: false },
  } as const;
  for (const [signUp, expected] of Object.entries(table)) {
    const { gateway } = await accountsWorld(t, { accounts: { signUp: signUp as keyof typeof table } });
    const { managed } = gateway.people;
    const { code } = await managed.invite(admin, {}, asker);
    const attempts = {
      guest: () => gateway.signUp({ name: "guest", password }),
      invited: () => gateway.signUp({ name: "invited", password, invitation: code }),
      manager: () =>
        managed.create(identity("mia", ["user-manager"]), { name: parseUserName("managed"), password }, asker),
    };
    for (const [who, attempt] of Object.entries(attempts)) {
      const outcome = await attempt().then(
        () => true,
        (error: unknown) => {
          assert.ok(refused("forbidden")(error), `${signUp} ${who}: ${error}`);
          return false;
        },
      );
      assert.equal(outcome, expected[who as keyof typeof expected], `${signUp}: ${who}`);
    }
    assert.equal((await managed.create(admin, { name: parseUserName("made"), password }, asker)).ok, true);
    // And by writing to `_users`, as pouchdb-authentication does.
    const document = { _id: "org.couchdb.user:put", name: "put", type: "user", roles: [], password };
    const put = gateway.prepareUserDocument(document, undefined, identity(null), asker);
    if (signUp === "open") assert.equal((await put).name, "put");
    else await assert.rejects(put, refused("forbidden"));
  }
});

test("an invitation gives its roles, has an end, and is used as often as it says", async (t) => {
  const { gateway, clock } = await accountsWorld(t, { accounts: { signUp: "invitation" } });
  const { managed } = gateway.people;
  const { code } = await managed.invite(admin, { uses: 2, roles: ["team"], expires_in: 3600 }, asker);
  const outcomes = await Promise.allSettled(
    ["a", "b", "c", "d"].map((name) => gateway.signUp({ name, password, invitation: code })),
  );
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 2);
  const made = ["a", "b", "c", "d"].filter((_, index) => outcomes[index]?.status === "fulfilled");
  assert.deepEqual((await managed.describe(made[0] as string)).roles, ["team"]);

  const late = await managed.invite(admin, { expires_in: 3600 }, asker);
  clock.advance(3601);
  await assert.rejects(gateway.signUp({ name: "late", password, invitation: late.code }), refused("forbidden"));
  for (const invitation of ["", "x", `${late.id}.${"A".repeat(43)}`, `${"0".repeat(32)}.${"A".repeat(43)}`]) {
    await assert.rejects(gateway.signUp({ name: "forger", password, invitation }), refused("forbidden"), invitation);
  }
});

test("a taken name costs no use of an invitation", async (t) => {
  const { gateway } = await accountsWorld(t);
  const { managed } = gateway.people;
  const { code } = await managed.invite(admin, {}, asker);
  await gateway.signUp({ name: "ada", password });
  await assert.rejects(gateway.signUp({ name: "ada", password, invitation: code }), refused("conflict"));
  assert.equal((await gateway.signUp({ name: "bob", password, invitation: code })).name, "bob");
});

test("an invitation by mail is for its address alone, and its code is told to nobody else", async (t) => {
  const { gateway, tokenFor } = await accountsWorld(t, { accounts: { signUp: "invitation" } });
  const invited = await gateway.people.managed.invite(admin, { email: "ada@example.org" }, asker);
  assert.equal(invited.code, undefined);
  const invitation = await tokenFor("ada@example.org");
  const eve = { name: "eve", password, invitation };
  await assert.rejects(gateway.signUp(eve), refused("forbidden", "The invitation is for another address."));
  assert.equal((await gateway.signUp({ ...eve, name: "ada", email: "Ada@example.org" })).name, "ada");
});

test("an address alone is enough: the name is made, and the answer is the same for a known address", async (t) => {
  const { gateway, backend, tokenFor, sendMails } = await accountsWorld(t);
  const first = await gateway.signUp({ email: "ada@example.org", password });
  assert.match(first.name, /^user-[0-9a-z]{16}$/);
  await gateway.people.emails.verify(await tokenFor("ada@example.org"), asker);
  const writes = () => backend.calls.get("putDocument") ?? 0;
  const before = writes();
  const again = await gateway.signUp({ email: "ada@example.org", password });
  const ofKnown = writes() - before;
  const other = await gateway.signUp({ email: "new@example.org", password });
  assert.equal(writes() - before - ofKnown, ofKnown);
  assert.deepEqual(Object.keys(again), Object.keys(other));
  const mails = await sendMails();
  const [toKnown, toNew] = ["ada@example.org", "new@example.org"].map((to) => mails.find((mail) => mail.to === to));
  assert.equal(toKnown?.subject, "You have an account already");
  assert.doesNotMatch(toKnown?.text ?? "", /token=/);
  assert.equal(toNew?.subject, "Please confirm your address");
  // Still the first one's.
  assert.equal((await gateway.logIn({ name: "ada@example.org", password }, origin)).identity.name, first.name);
});

test("where it is demanded, log-in and the database wait until the address is verified", async (t) => {
  const { gateway, backend, clock, tokenFor } = await accountsWorld(t, { accounts: { requireVerifiedEmail: true } });
  const ada = { name: "ada", password, email: "ada@example.org" };
  await assert.rejects(gateway.signUp({ name: "ada", password }), refused("bad_request"));
  assert.equal((await gateway.signUp(ada)).verify_email, true);
  assert.equal(await backend.databaseExists(parseDatabaseName("userdb-616461")), false);
  const early = "Confirm your e-mail address first: look into your mail.";
  await assert.rejects(gateway.logIn(ada, origin), refused("forbidden", early));
  await assert.rejects(gateway.logIn({ ...ada, password: "wrong" }, origin), refused("unauthorized"));
  await gateway.people.emails.verify(await tokenFor(ada.email), asker);
  assert.equal((await gateway.logIn(ada, origin)).identity.name, "ada");
  assert.equal(await backend.databaseExists(parseDatabaseName("userdb-616461")), true);

  await gateway.signUp({ name: "bob", password, email: "bob@example.org" });
  const { removal } = gateway.people;
  const sweep = () => accountSweeper({ backend, removal, now: clock.now, onError: assert.fail }).run();
  await sweep();
  assert.ok(await backend.getDocument(users, parseDocId("org.couchdb.user:bob")));
  clock.advance(32 * 86_400);
  await sweep();
  assert.equal(await backend.getDocument(users, parseDocId("org.couchdb.user:bob")), undefined);
  assert.ok(await backend.getDocument(users, parseDocId("org.couchdb.user:ada")));
});

test("profile fields follow the schema of the deployment", async (t) => {
  const profile = profileSchemaOf({
    type: "object",
    properties: { team: { type: "string", maxLength: 5 }, age: { type: "integer", minimum: 0 } },
    required: ["team"],
    additionalProperties: false,
  });
  const { gateway } = await accountsWorld(t, { accounts: { profile } });
  const ada = { name: "ada", password };
  for (const bad of [
    undefined,
    { team: "longer than five" },
    { team: "a", age: 1.5 },
    { team: "a", more: 1 },
    { age: 1 },
  ]) {
    await assert.rejects(gateway.signUp({ ...ada, profile: bad }), refused("bad_request"), JSON.stringify(bad));
  }
  await gateway.signUp({ ...ada, profile: { team: "red", age: 36 } });
  const { own } = gateway.people;
  const name = parseUserName("ada");
  assert.deepEqual((await own.describe(name)).profile, { team: "red", age: 36 });
  await assert.rejects(own.change(name, { profile: { team: 1 } }, asker), refused("bad_request"));
  const changed = await own.change(name, { profile: { team: "blue" }, display_name: "Ada L." }, asker);
  assert.deepEqual([changed.profile, changed.display_name], [{ team: "blue" }, "Ada L."]);
  assert.equal((await own.change(name, { display_name: null }, asker)).display_name, undefined);

  const without = await accountsWorld(t);
  await assert.rejects(without.gateway.signUp({ ...ada, profile: {} }), refused("bad_request"));
});

test("hooks refuse, give roles, and are told; what they throw afterwards changes nothing", async (t) => {
  const told: unknown[] = [];
  const errors: unknown[] = [];
  const hooks = {
    async beforeSignUp({ name }: { readonly name: string }) {
      if (name === "eve") throw new Error("Not you.");
      return { roles: ["guest", "_admin"] };
    },
    async afterSignUp(facts: unknown) {
      told.push(facts);
      throw new Error("too late");
    },
  };
  const { gateway, backend } = await accountsWorld(t, { accounts: { hooks }, onError: (error) => errors.push(error) });
  await assert.rejects(gateway.signUp({ name: "eve", password }), refused("forbidden", "Not you."));
  assert.equal(await backend.getDocument(users, parseDocId("org.couchdb.user:eve")), undefined);
  await gateway.signUp({ name: "ada", password, email: "ada@example.org" }, { address: "192.0.2.1" });
  assert.deepEqual((await backend.getDocument(users, parseDocId("org.couchdb.user:ada")))?.roles, ["guest"]);
  assert.deepEqual(told, [{ name: "ada", email: "ada@example.org", address: "192.0.2.1" }]);
  assert.equal(errors.length, 1);
});

test("an anonymous account becomes a real one and keeps its name and data", async (t) => {
  const { gateway, backend, tokenFor } = await accountsWorld(t);
  const { own, signUps, emails } = gateway.people;
  const made = await signUps.anonymous(asker);
  const name = parseUserName(made.name);
  const { identity: who, setCookie } = await gateway.logIn({ name, password: made.password }, origin);
  const database = await gateway.provisioning.ownDatabase(who);
  await backend.putDocument(database, { _id: "note", type: "note" });
  assert.equal((await own.describe(name)).anonymous, true);

  const claimed = await own.claim(name, { password: "a new password", email: "ada@example.org" }, asker);
  assert.deepEqual([claimed.anonymous, claimed.email, claimed.email_verified], [false, "ada@example.org", false]);
  await assert.rejects(own.claim(name, { password: "another one" }, asker), refused("conflict"));
  const cookie = setCookie.slice(0, setCookie.indexOf(";"));
  assert.equal(
    (await gateway.identify({ cookie, ...origin })).identity.name,
    null,
    "the device's own password is void",
  );
  await emails.verify(await tokenFor("ada@example.org"), asker);
  const again = await gateway.logIn({ name: "ada@example.org", password: "a new password" }, origin);
  assert.equal(again.identity.name, name);
  assert.equal(await gateway.provisioning.ownDatabase(again.identity), database);
  assert.ok(await backend.getDocument(database, parseDocId("note")));

  for (const accounts of [{ anonymous: false }, { signUp: "invitation" }, { requireVerifiedEmail: true }] as const) {
    const closed = await accountsWorld(t, { accounts });
    await assert.rejects(closed.gateway.people.signUps.anonymous(asker), refused("forbidden"));
  }
});
