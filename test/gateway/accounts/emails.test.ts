import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUserName } from "../../../protocol/ids.js";
import { accountsDatabase } from "../../../server/gateway/system-databases.js";
import { accountsWorld, asker } from "../../helpers/accounts-world.js";
import { changeUser, identity, origin, refused } from "../../helpers/gateway-world.js";

const password = "long enough";
const ada = { name: "ada", password, email: "ada@example.org" };
const name = parseUserName("ada");

test("log-in is by name, and by the address once it is verified, in any letter case", async (t) => {
  const { gateway, tokenFor } = await accountsWorld(t);
  await gateway.signUp(ada);
  await assert.rejects(gateway.logIn({ name: ada.email, password }, origin), refused("unauthorized"));
  await gateway.people.emails.verify(await tokenFor(ada.email), asker);
  for (const text of ["ada", ada.email, "ADA@Example.ORG"]) {
    assert.equal((await gateway.logIn({ name: text, password }, origin)).identity.name, "ada", text);
  }
  const grant = { grant_type: "password", username: ada.email, password };
  assert.equal((await gateway.grantToken(grant, origin)).status, 200);
  await assert.rejects(gateway.logIn({ name: ada.email, password: "wrong" }, origin), refused("unauthorized"));
});

test("a token is kept as a hash, is used once, expires, and serves its own purpose alone", async (t) => {
  const { gateway, backend, clock, tokenFor } = await accountsWorld(t);
  const { emails, passwords, magicLinks } = gateway.people;
  await gateway.signUp(ada);
  const token = await tokenFor(ada.email);
  const kept = JSON.stringify(await backend.listDocuments(accountsDatabase, {}));
  assert.equal(kept.includes(token), false);
  await assert.rejects(passwords.reset(token, "another one", asker), refused("forbidden"));
  await assert.rejects(magicLinks.use(token, undefined), refused("forbidden"));
  const uses = await Promise.allSettled(Array.from({ length: 5 }, () => emails.verify(token, asker)));
  assert.equal(uses.filter(({ status }) => status === "fulfilled").length, 1);
  await assert.rejects(emails.verify(token, asker), refused("forbidden"));

  await emails.change(name, "next@example.org", asker);
  const late = await tokenFor("next@example.org");
  clock.advance(48 * 3600);
  await assert.rejects(emails.verify(late, asker), refused("forbidden"));
  for (const forged of ["", "x", "A".repeat(43), `${token}=`]) {
    await assert.rejects(emails.verify(forged, asker), refused("forbidden"), forged);
  }
});

test("another address is confirmed there and told to the former one, which is free afterwards", async (t) => {
  const { gateway, tokenFor, sendMails } = await accountsWorld(t);
  const { emails, own } = gateway.people;
  await gateway.signUp(ada);
  await emails.verify(await tokenFor(ada.email), asker);
  await emails.change(name, "next@example.org", asker);
  const waiting = await own.describe(name);
  assert.deepEqual([waiting.email, waiting.pending_email], [ada.email, "next@example.org"]);
  await emails.verify(await tokenFor("next@example.org"), asker);
  const [told] = await sendMails();
  assert.deepEqual([told?.to, told?.subject], [ada.email, "Your address was changed"]);
  assert.match(told?.text ?? "", /next@example\.org/);
  const changed = await own.describe(name);
  assert.deepEqual(
    [changed.email, changed.email_verified, changed.pending_email],
    ["next@example.org", true, undefined],
  );
  await assert.rejects(gateway.logIn({ name: ada.email, password }, origin), refused("unauthorized"));
  await gateway.logIn({ name: "next@example.org", password }, origin);

  await gateway.signUp({ name: "bob", password, email: ada.email });
  await emails.verify(await tokenFor(ada.email), asker);
  assert.equal((await gateway.logIn({ name: ada.email, password }, origin)).identity.name, "bob");
});

test("an address is one account's alone, however many want it at once", async (t) => {
  const { gateway, backend, sendMails } = await accountsWorld(t);
  const { emails, own } = gateway.people;
  const names = ["a", "b", "c", "d", "e"];
  await Promise.all(names.map((each) => gateway.signUp({ name: each, password, email: "one@example.org" })));
  const mails = await sendMails();
  assert.equal(mails.length, 5);
  const tokens = mails.map(({ text }) => /token=([\w-]+)/.exec(text)?.[1] as string);
  const outcomes = await Promise.allSettled(tokens.map((token) => emails.verify(token, asker)));
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") assert.ok(refused("conflict")(outcome.reason));
  }
  const verified = await Promise.all(
    names.map(async (each) => (await own.describe(parseUserName(each))).email_verified),
  );
  assert.equal(verified.filter(Boolean).length, 1);
  const owner = names[verified.indexOf(true)] as string;
  assert.equal((await gateway.logIn({ name: "one@example.org", password }, origin)).identity.name, owner);

  // An account that is gone, or names another address, holds nothing back.
  await changeUser(backend, owner, { verified_email: undefined });
  await assert.rejects(gateway.logIn({ name: "one@example.org", password }, origin), refused("unauthorized"));
});

test("a name that looks like somebody's address does not stand in their way", async (t) => {
  const { gateway, tokenFor } = await accountsWorld(t);
  await gateway.signUp({ name: "ada@example.org", email: "ada@example.org", password: "the squatter's" });
  await tokenFor("ada@example.org");
  await gateway.signUp(ada);
  const token = await tokenFor("ada@example.org");
  assert.equal(await gateway.people.emails.verify(token, asker), "ada");
  assert.equal((await gateway.logIn({ name: ada.email, password }, origin)).identity.name, "ada");
});

test("sending the token again says the same to everybody, and mails who waits for it", async (t) => {
  const { gateway, backend, sendMails } = await accountsWorld(t);
  const { emails } = gateway.people;
  await gateway.signUp(ada);
  await sendMails();
  const writes: number[] = [];
  for (const each of ["ada", "nobody"]) {
    const before = backend.calls.get("putDocument") ?? 0;
    assert.equal(await emails.resendVerification(parseUserName(each), asker), undefined);
    writes.push((backend.calls.get("putDocument") ?? 0) - before);
  }
  assert.deepEqual(writes, [1, 1]);
  assert.deepEqual(
    (await sendMails()).map(({ to }) => to),
    [ada.email],
  );
});

test("the verified address is not for its owner to write into the user document", async (t) => {
  const { gateway, backend } = await accountsWorld(t);
  await gateway.signUp(ada);
  const { parseDocId } = await import("../../../protocol/ids.js");
  const { users } = await import("../../helpers/gateway-world.js");
  const old = await backend.getDocument(users, parseDocId("org.couchdb.user:ada"));
  assert.ok(old);
  const who = identity("ada");
  for (const member of [
    "verified_email",
    "pending_email",
    "anonymous",
    "disabled",
    "totp",
    "awaits_email",
    "removed",
  ]) {
    const forged = { ...old, [member]: "victim@example.org" };
    await assert.rejects(gateway.prepareUserDocument(forged, old, who), refused("forbidden"), member);
  }
});
