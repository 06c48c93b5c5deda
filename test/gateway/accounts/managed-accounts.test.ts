import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDocId, parseUserName } from "../../../protocol/ids.js";
import { decide } from "../../../server/gateway/access.js";
import { accountsWorld, asker } from "../../helpers/accounts-world.js";
import { identity, origin, putUser, refused, sentBack, users } from "../../helpers/gateway-world.js";

const password = "long enough";
const admin = identity("admin", ["_admin"]);
const mia = identity("mia", ["user-manager"]);

test("the need is met by server administrators and by the role, and by nobody else", () => {
  assert.equal(decide(admin, {}, "user-manager"), "allowed");
  assert.equal(decide(mia, {}, "user-manager"), "allowed");
  for (const who of [identity("ada"), identity("ada", ["user_manager", "_user-manager"]), identity(null)]) {
    assert.notEqual(decide(who, {}, "user-manager"), "allowed");
  }
  assert.notEqual(decide(mia, {}, "server-admin"), "allowed");
});

test("accounts are listed by prefix, a page after the other, and found by address", async (t) => {
  const { gateway, tokenFor } = await accountsWorld(t);
  const { managed, emails } = gateway.people;
  for (const each of ["ada", "adam", "bob", "adele"]) {
    await gateway.signUp({ name: each, password, email: `${each}@example.org` });
  }
  const names = async (query: Parameters<typeof managed.list>[0]) =>
    (await managed.list(query)).users.map(({ name }) => name);
  assert.deepEqual(await names({ prefix: "", limit: 10 }), ["ada", "adam", "adele", "bob"]);
  const first = await managed.list({ prefix: "ad", limit: 2 });
  assert.deepEqual([first.users.map(({ name }) => name), first.next], [["ada", "adam"], "adam"]);
  assert.deepEqual(await names({ prefix: "ad", limit: 2, after: first.next }), ["adele"]);
  assert.deepEqual(await names({ prefix: "", limit: 10, email: "bob@example.org" }), []);
  await emails.verify(await tokenFor("bob@example.org"), asker);
  assert.deepEqual(await names({ prefix: "", limit: 10, email: "Bob@example.org" }), ["bob"]);
  const view = JSON.stringify(await managed.list({ prefix: "", limit: 10 }));
  for (const secret of ["derived_key", "salt", "sealed"]) assert.equal(view.includes(secret), false);
});

test("a manager makes accounts, gives ordinary roles, and vouches for addresses", async (t) => {
  const { gateway, tokenFor } = await accountsWorld(t);
  const { managed, passwords } = gateway.people;
  const email = "ada@example.org";
  const request = { name: parseUserName("ada"), email, email_verified: true, roles: ["team"] };
  await managed.create(mia, request, asker);
  await assert.rejects(managed.create(mia, request, asker), refused("conflict"));
  const other = { name: parseUserName("bob"), email, email_verified: true };
  await assert.rejects(managed.create(mia, other, asker), refused("conflict"));
  const view = await managed.describe("ada");
  assert.deepEqual([view.email, view.email_verified, view.roles], [email, true, ["team"]]);
  // Its user chooses a password.
  await managed.resetPassword(mia, "ada", undefined, asker);
  await passwords.reset(await tokenFor(email), "my own password", asker);
  assert.equal((await gateway.logIn({ name: email, password: "my own password" }, origin)).identity.name, "ada");
  assert.deepEqual((await managed.change(mia, "ada", { roles: ["a", "b"] }, asker)).roles, ["a", "b"]);
});

test("a disabled account is worth nothing at once, and is as it was when it is enabled", async (t) => {
  const { gateway, backend } = await accountsWorld(t);
  const { managed } = gateway.people;
  await gateway.signUp({ name: "ada", password });
  const { setCookie } = await gateway.logIn({ name: "ada", password }, origin);
  const granted = await gateway.grantToken({ grant_type: "password", username: "ada", password }, origin);
  assert.ok("access_token" in granted.body);
  const authorization = `Bearer ${granted.body.access_token}`;
  assert.equal((await gateway.identify({ authorization, ...origin })).identity.name, "ada");
  await managed.change(mia, "ada", { disabled: true }, asker);
  await assert.rejects(async () => gateway.identify({ authorization, ...origin }), refused("unauthorized"));
  assert.equal((await gateway.identify({ cookie: sentBack(setCookie), ...origin })).identity.name, null);
  const unknown = refused("unauthorized", "Name or password is incorrect.");
  await assert.rejects(gateway.logIn({ name: "ada", password }, origin), unknown);
  await managed.change(mia, "ada", { disabled: false }, asker);
  await gateway.logIn({ name: "ada", password }, origin);
  assert.equal((await backend.getDocument(users, parseDocId("org.couchdb.user:ada")))?.disabled, undefined);
  const kinds = (await managed.activityOf("ada")).map(({ kind, by }) => `${kind} ${by ?? ""}`.trim());
  assert.deepEqual(kinds.slice(0, 3), ["logged_in", "enabled mia", "disabled mia"]);
});

test("a manager makes nobody a manager, and touches none", async (t) => {
  const { gateway, backend } = await accountsWorld(t);
  const { managed } = gateway.people;
  await gateway.signUp({ name: "ada", password });
  await putUser(backend, "max", { roles: ["user-manager"] });
  await putUser(backend, "mo", { roles: ["_metrics", "team"] });
  const forbidden = refused("forbidden");
  const attempts = [
    () => managed.change(mia, "ada", { roles: ["user-manager"] }, asker),
    () => managed.create(mia, { name: parseUserName("new"), password, roles: ["user-manager"] }, asker),
    () => managed.invite(mia, { roles: ["user-manager"] }, asker),
    () => managed.change(mia, "max", { roles: [] }, asker),
    () => managed.change(mia, "max", { disabled: true }, asker),
    () => managed.resetPassword(mia, "max", "a new password", asker),
    () => managed.remove(mia, "max"),
    () => managed.change(mia, "mia", { roles: [] }, asker),
  ];
  await putUser(backend, "mia", { roles: ["user-manager"] });
  for (const attempt of attempts) await assert.rejects(attempt() as Promise<unknown>, forbidden, String(attempt));
  assert.deepEqual((await managed.change(admin, "max", { roles: [] }, asker)).roles, []);
  assert.deepEqual((await managed.change(admin, "ada", { roles: ["user-manager"] }, asker)).roles, ["user-manager"]);
  // The server's own roles are neither given nor taken.
  assert.deepEqual((await managed.change(mia, "mo", { roles: ["x"] }, asker)).roles, ["x", "_metrics"]);
  await managed.remove(admin, "max");
  await assert.rejects(managed.describe("max"), refused("not_found"));
});

test("what a user did is kept, the last hundred of it, and guesses do not push it out", async (t) => {
  const { gateway, backend } = await accountsWorld(t);
  const { activity } = gateway.people;
  await gateway.signUp({ name: "ada", password });
  await Promise.all(Array.from({ length: 150 }, () => activity.record("ada", "log_in_failed", "192.0.2.1")));
  const [latest, before] = await activity.of("ada");
  assert.deepEqual([latest?.kind, latest?.count, before?.kind], ["log_in_failed", 150, "signed_up"]);
  for (let n = 0; n < 120; n++) await activity.record("ada", "logged_in", `192.0.2.${n}`);
  const events = await activity.of("ada");
  assert.deepEqual([events.length, events[0]?.address], [100, "192.0.2.119"]);
  assert.equal(events[0]?.time, "2026-01-01T00:00:00.000Z");
  assert.deepEqual(await activity.of("nobody"), []);
  assert.ok(backend);
});
