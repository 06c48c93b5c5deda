import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret, TOTP } from "otpauth";
import { parseDocId, parseUserName } from "../../../protocol/ids.js";
import { type AccountsWorld, accountsWorld, asker } from "../../helpers/accounts-world.js";
import { basic, identity, origin, putUser, refused, users } from "../../helpers/gateway-world.js";
import { MemoryBackend } from "../../helpers/memory-backend.js";

const password = "long enough";
const ada = { name: "ada", password, email: "ada@example.org" };
const name = parseUserName("ada");

async function enabled(given: AccountsWorld) {
  const { gateway, clock } = given;
  await gateway.signUp(ada);
  const { secondFactors } = gateway.people;
  const { secret, uri } = await secondFactors.setUp(name);
  const totp = new TOTP({ secret: Secret.fromBase32(secret) });
  const code = (): string => totp.generate({ timestamp: clock.now() });
  const recovery = await secondFactors.enable(name, code(), asker);
  return { secret, uri, code, recovery };
}

test("a log-in needs the code of the app, which works once", async (t) => {
  const given = await accountsWorld(t);
  const { gateway, backend, clock } = given;
  const { secret, uri, code } = await enabled(given);
  assert.match(uri, /^otpauth:\/\/totp\/Settee:ada\?issuer=Settee&secret=[A-Z2-7]{32}/);
  const stored = JSON.stringify(await backend.getDocument(users, parseDocId("org.couchdb.user:ada")));
  assert.equal(stored.includes(secret), false, "it is sealed");

  await assert.rejects(gateway.logIn(ada, origin), refused("unauthorized", "A one-time code is required."));
  await assert.rejects(gateway.logIn({ ...ada, totp: code() }, origin), refused("unauthorized"), "used to enable it");
  clock.advance(30);
  const next = code();
  const outcomes = await Promise.allSettled(
    Array.from({ length: 4 }, () => gateway.logIn({ ...ada, token: next }, origin)),
  );
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1, "of several at once one is let in");
  await assert.rejects(gateway.logIn({ ...ada, totp: next }, origin), refused("unauthorized"));
  clock.advance(30);
  const grant = { grant_type: "password", username: "ada", password };
  assert.deepEqual((await gateway.grantToken(grant, origin)).body, {
    error: "invalid_grant",
    reason: "A one-time code is required.",
    totp: true,
  });
  assert.equal((await gateway.grantToken({ ...grant, totp: code() }, origin)).status, 200);
  const authorization = basic("ada", password);
  await assert.rejects(async () => gateway.identify({ authorization, ...origin }), refused("unauthorized"));
});

test("clocks may differ by half a minute, not by more", async (t) => {
  const given = await accountsWorld(t);
  const { gateway, clock } = given;
  const { code } = await enabled(given);
  clock.advance(3600);
  const early = code();
  clock.advance(30);
  await gateway.logIn({ ...ada, totp: early }, origin);
  const old = code();
  clock.advance(61);
  await assert.rejects(gateway.logIn({ ...ada, totp: old }, origin), refused("unauthorized"));
});

test("a few wrong codes lock the account's second factor, from everywhere", async (t) => {
  const given = await accountsWorld(t);
  const { gateway, clock } = given;
  const { code } = await enabled(given);
  clock.advance(60);
  for (let n = 0; n < 5; n++) {
    const guess = { ...ada, totp: "000000" };
    await assert.rejects(gateway.logIn(guess, { address: `192.0.2.${n}` }), refused("unauthorized"));
  }
  await assert.rejects(gateway.logIn({ ...ada, totp: code() }, { address: "192.0.2.9" }), refused("forbidden"));
  clock.advance(301);
  await gateway.logIn({ ...ada, totp: code() }, origin);
});

test("recovery codes work once each, in any writing, and are kept as hashes", async (t) => {
  const given = await accountsWorld(t);
  const { gateway, backend } = given;
  const { recovery } = await enabled(given);
  assert.equal(new Set(recovery).size, 10);
  const stored = JSON.stringify(await backend.getDocument(users, parseDocId("org.couchdb.user:ada")));
  for (const each of recovery) assert.equal(stored.includes(each), false);
  const [first = "", second = ""] = recovery;
  await gateway.logIn({ ...ada, totp: first.toLowerCase().replaceAll("-", " ") }, origin);
  await assert.rejects(gateway.logIn({ ...ada, totp: first }, origin), refused("unauthorized"));
  const renewed = await gateway.people.secondFactors.renewRecoveryCodes(name);
  await assert.rejects(gateway.logIn({ ...ada, totp: second }, origin), refused("unauthorized"));
  await gateway.logIn({ ...ada, totp: renewed[0] }, origin);
  assert.ok((await gateway.people.activity.of("ada")).some(({ kind }) => kind === "recovery_code_used"));
});

test("nothing changes before a code proves that the app has the secret, and not after a quarter of an hour", async (t) => {
  const { gateway, clock } = await accountsWorld(t);
  const { secondFactors } = gateway.people;
  await gateway.signUp(ada);
  await assert.rejects(secondFactors.enable(name, "123456", asker), refused("conflict"));
  const { secret } = await secondFactors.setUp(name);
  await gateway.logIn(ada, origin);
  await assert.rejects(secondFactors.enable(name, "nonsense", asker), refused("forbidden"));
  clock.advance(15 * 60);
  const late = new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: clock.now() });
  await assert.rejects(secondFactors.enable(name, late, asker), refused("conflict"));
});

test("a magic link is no way around it, nor is deleting the account", async (t) => {
  const given = await accountsWorld(t);
  const { gateway, clock, tokenFor } = given;
  const { code } = await enabled(given);
  await gateway.people.emails.verify(await tokenFor(ada.email), asker);
  await gateway.people.magicLinks.send(ada.email, asker);
  const token = await tokenFor(ada.email);
  await assert.rejects(gateway.people.magicLinks.use(token, undefined), refused("unauthorized"));
  clock.advance(30);
  assert.equal((await gateway.people.magicLinks.use(token, code())).name, "ada");
  await assert.rejects(gateway.people.prove(name, password, undefined, asker), refused("forbidden"));
  await gateway.people.secondFactors.disable(name, asker);
  await gateway.logIn(ada, origin);
});

test("the plain key of a CouchDB document works, and its owner does not see it", async (t) => {
  const given = await accountsWorld(t);
  const { gateway, backend, clock } = given;
  const secret = new Secret({ size: 20 });
  const document = { _id: "org.couchdb.user:bob", name: "bob", type: "user", roles: [], password };
  const { _id, ...members } = await gateway.prepareUserDocument(document, undefined, identity("admin", ["_admin"]));
  await putUser(backend, "bob", { ...members, totp: { key: secret.base32, algorithm: "sha256" } });
  const bob = { name: "bob", password };
  await assert.rejects(gateway.logIn(bob, origin), refused("unauthorized"));
  const code = new TOTP({ secret, algorithm: "SHA256" }).generate({ timestamp: clock.now() });
  await gateway.logIn({ ...bob, token: code }, origin);
  assert.equal(JSON.stringify(await gateway.people.own.document(parseUserName("bob"))).includes(secret.base32), false);

  // A damaged one opens nothing.
  await putUser(backend, "eve", { ...members, name: "eve", totp: { key: 1 } });
  await assert.rejects(gateway.logIn({ name: "eve", password }, origin), refused("unauthorized"));
});

test("a sealed secret opens for its own account and server alone", async (t) => {
  const backend = new MemoryBackend();
  const given = await accountsWorld(t, { backend });
  const { code } = await enabled(given);
  const { clock } = given;
  clock.advance(30);
  const other = await accountsWorld(t, { backend, clock, secret: "another secret of a server" });
  await assert.rejects(other.gateway.logIn({ ...ada, totp: code() }, origin), refused("unauthorized"));
  const { totp, ...rest } = (await backend.getDocument(users, parseDocId("org.couchdb.user:ada"))) ?? { _id: "" };
  const { _id, _rev, name: _name, ...members } = rest;
  await putUser(backend, "eve", { ...members, totp });
  const eve = { name: "eve", password, totp: code() };
  await assert.rejects(given.gateway.logIn(eve, origin), refused("unauthorized", "The one-time code is not valid."));
});
