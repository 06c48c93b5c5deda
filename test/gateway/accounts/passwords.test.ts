import assert from "node:assert/strict";
import { createHash, pbkdf2Sync } from "node:crypto";
import { test } from "node:test";
import { parseDocId, parseUserName } from "../../../protocol/ids.js";
import { type AccountsWorld, accountsWorld, asker } from "../../helpers/accounts-world.js";
import { basic, changeUser, origin, putUser, refused, sentBack, users } from "../../helpers/gateway-world.js";
import { waitFor } from "../../helpers/wait-for.js";

const password = "long enough";
const ada = { name: "ada", password, email: "ada@example.org" };
const name = parseUserName("ada");

async function withAda(given: AccountsWorld): Promise<void> {
  await given.gateway.signUp(ada);
  await given.gateway.people.emails.verify(await given.tokenFor(ada.email), asker);
}

test("a change needs the password, ends every session, and is told by mail", async (t) => {
  const given = await accountsWorld(t);
  await withAda(given);
  const { gateway, sendMails } = given;
  const { passwords } = gateway.people;
  const { setCookie } = await gateway.logIn(ada, origin);
  const granted = await gateway.grantToken({ grant_type: "password", username: "ada", password }, origin);
  assert.ok("refresh_token" in granted.body);
  const refused_ = refused("forbidden", "Your password is incorrect.");
  await assert.rejects(passwords.change(name, "wrong", "a new password", asker), refused_);
  await assert.rejects(passwords.change(name, password, "short", asker), refused("bad_request"));
  await passwords.change(name, password, "a new password", asker);

  const cookie = sentBack(setCookie);
  assert.equal((await gateway.identify({ cookie, ...origin })).identity.name, null);
  const authorization = `Bearer ${granted.body.access_token}`;
  await assert.rejects(async () => gateway.identify({ authorization, ...origin }), refused("unauthorized"));
  const refresh = { grant_type: "refresh_token", refresh_token: granted.body.refresh_token };
  assert.equal((await gateway.grantToken(refresh, origin)).status, 400);
  await assert.rejects(gateway.logIn(ada, origin), refused("unauthorized"));
  await gateway.logIn({ name: "ada", password: "a new password" }, origin);
  assert.deepEqual(
    (await sendMails()).map(({ to, subject }) => [to, subject]),
    [[ada.email, "Your password was changed"]],
  );
});

test("who forgot it is mailed a token: one write and no answer, whether they are known or not", async (t) => {
  const given = await accountsWorld(t);
  await withAda(given);
  const { gateway, backend, sendMails } = given;
  const { passwords } = gateway.people;
  await gateway.signUp({ name: "bob", password, email: "bob@example.org" });
  await sendMails();
  const asked = [
    { address: ada.email },
    { address: "nobody@example.org" },
    { user: "ada" },
    { user: "bob" },
    { user: "no" },
  ];
  const writes: number[] = [];
  const reads: number[] = [];
  for (const who of asked) {
    const before = [backend.calls.get("putDocument") ?? 0, backend.calls.get("getDocument") ?? 0] as const;
    assert.equal(await passwords.forgot(who, asker), undefined);
    writes.push((backend.calls.get("putDocument") ?? 0) - before[0]);
    reads.push((backend.calls.get("getDocument") ?? 0) - before[1]);
  }
  assert.deepEqual(
    [writes, reads],
    [
      [1, 1, 1, 1, 1],
      [0, 0, 0, 0, 0],
    ],
  );
  // bob's address was never verified: whose it is, nobody knows.
  assert.deepEqual(
    (await sendMails()).map(({ to }) => to),
    [ada.email, ada.email],
  );
});

test("a token sets a new password once; another password or address since makes it void", async (t) => {
  const given = await accountsWorld(t);
  await withAda(given);
  const { gateway, tokenFor } = given;
  const { passwords, emails } = gateway.people;
  const ask = async () => {
    await passwords.forgot({ address: ada.email }, asker);
    return tokenFor(ada.email);
  };
  const token = await ask();
  await assert.rejects(passwords.reset(token, "short", asker), refused("bad_request"));
  const other = await ask();
  await passwords.reset(token, "a second password", asker);
  await gateway.logIn({ name: "ada", password: "a second password" }, origin);
  await assert.rejects(passwords.reset(token, "a third password", asker), refused("forbidden"));
  await assert.rejects(passwords.reset(other, "a third password", asker), refused("forbidden"));

  const before = await ask();
  await emails.change(name, "next@example.org", asker);
  await emails.verify(await tokenFor("next@example.org"), asker);
  await assert.rejects(passwords.reset(before, "a third password", asker), refused("forbidden"));
  await gateway.logIn({ name: "ada", password: "a second password" }, origin);
});

test("one address gets so many mails an hour, and nobody is told", async (t) => {
  const given = await accountsWorld(t, { accounts: { mailsPerHour: 3 } });
  await withAda(given);
  const { gateway, sendMails, clock } = given;
  for (let n = 0; n < 5; n++) await gateway.people.passwords.forgot({ address: "ADA@example.org" }, asker);
  assert.equal((await sendMails()).length, 2, "the verification was the first");
  clock.advance(3601);
  await gateway.people.passwords.forgot({ address: ada.email }, asker);
  assert.equal((await sendMails()).length, 1);
});

const salt = "0a0b0c0d0e0f00010203040506070809";
const derived = (iterations: number, digest: string, bytes: number) =>
  pbkdf2Sync("pw", salt, iterations, bytes, digest).toString("hex");
/** As CouchDB's versions wrote them. */
const old: Readonly<Record<string, Record<string, unknown>>> = {
  "1.2": { password_scheme: "simple", salt, password_sha: createHash("sha1").update("pw").update(salt).digest("hex") },
  "1.3": { password_scheme: "pbkdf2", salt, iterations: 10, derived_key: derived(10, "sha1", 20) },
  "3.3": { password_scheme: "pbkdf2", salt, iterations: 50, derived_key: derived(50, "sha1", 20) },
  "3.4": {
    password_scheme: "pbkdf2",
    pbkdf2_prf: "sha256",
    salt,
    iterations: 30,
    derived_key: derived(30, "sha256", 32),
  },
};

for (const [version, members] of Object.entries(old)) {
  test(`an account from CouchDB ${version} logs in unchanged, is hashed as today, and keeps its sessions`, async (t) => {
    const { gateway, backend } = await accountsWorld(t, { passwordIterations: 100 });
    await putUser(backend, "ada", { ...members, roles: ["red"], color: "blue" });
    const { setCookie } = await gateway.logIn({ name: "ada", password: "pw" }, origin);
    const document = await waitFor("the new hash", async () => {
      const found = await backend.getDocument(users, parseDocId("org.couchdb.user:ada"));
      return found?.iterations === 100 ? found : undefined;
    });
    assert.deepEqual(
      [document.pbkdf2_prf, document.salt, document.derived_key, document.password_sha],
      ["sha256", salt, derived(100, "sha256", 32), undefined],
    );
    assert.deepEqual([document.roles, document.color], [["red"], "blue"]);
    const { identity } = await gateway.identify({ cookie: sentBack(setCookie), ...origin });
    assert.deepEqual([identity.name, identity.roles], ["ada", ["red"]]);
    const authorization = basic("ada", "pw");
    assert.equal((await gateway.identify({ authorization, ...origin })).identity.name, "ada");
  });
}

test("a stronger hash stays, and a wrong password changes none", async (t) => {
  const { gateway, backend } = await accountsWorld(t, { passwordIterations: 20 });
  await putUser(backend, "ada", old["3.4"] as object as Record<string, unknown>);
  await putUser(backend, "bob", old["1.3"] as object as Record<string, unknown>);
  await gateway.logIn({ name: "ada", password: "pw" }, origin);
  await assert.rejects(gateway.logIn({ name: "bob", password: "no" }, origin), refused("unauthorized"));
  // Whatever is written for bob afterwards comes behind what the log-ins might have begun.
  await changeUser(backend, "bob", { color: "red" });
  await gateway.logIn({ name: "ada", password: "pw" }, origin);
  const iterationsOf = async (user: string) =>
    (await backend.getDocument(users, parseDocId(`org.couchdb.user:${user}`)))?.iterations;
  assert.deepEqual([await iterationsOf("ada"), await iterationsOf("bob")], [30, 10]);
});

test("magic links log in, once, and only who has verified the address", async (t) => {
  const given = await accountsWorld(t);
  await withAda(given);
  const { gateway, tokenFor, sendMails } = given;
  const { magicLinks } = gateway.people;
  for (const address of ["nobody@example.org", "Ada@Example.org"]) await magicLinks.send(address, asker);
  const token = await tokenFor(ada.email);
  assert.deepEqual(await sendMails(), []);
  assert.equal((await magicLinks.use(token, undefined)).name, "ada");
  await assert.rejects(magicLinks.use(token, undefined), refused("forbidden"));

  const without = await accountsWorld(t, { accounts: { magicLinks: false } });
  await assert.rejects(without.gateway.people.magicLinks.send(ada.email, asker), refused("forbidden"));
});
