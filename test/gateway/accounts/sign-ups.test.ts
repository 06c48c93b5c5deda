import assert from "node:assert/strict";
import { test } from "node:test";
import { CouchError } from "../../../protocol/errors.js";
import { parseDatabaseName, parseDocId, parseUserName } from "../../../protocol/ids.js";
import { notes, origin, refused, users, world } from "../../helpers/gateway-world.js";

const database = parseDatabaseName("userdb-616461");
const ada = { name: "ada", password: "long enough", email: "ada@example.org" };

test("a sign-up makes the account, its database, who may use it, and its design documents", async (t) => {
  const { gateway, backend } = await world(t);
  assert.deepEqual(await gateway.signUp(ada), { ok: true, name: "ada", database });

  const account = await backend.getDocument(users, parseDocId("org.couchdb.user:ada"));
  assert.deepEqual(account?.databases, [{ name: database, template: "user", state: "ready" }]);
  assert.deepEqual([account?.roles, account?.email, account?.password], [[], ada.email, undefined]);
  const security = { admins: { roles: ["_admin"] }, members: { names: ["ada"], roles: [] } };
  assert.deepEqual(await backend.getSecurity(database), security);
  const { _rev, ...stored } = (await backend.getDocument(database, parseDocId("_design/notes"))) ?? { _id: "" };
  assert.deepEqual(stored, notes);
  await gateway.logIn(ada, origin);
});

test("a taken name is a conflict, for two at once as well", async (t) => {
  const { gateway } = await world(t);
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => gateway.signUp(ada)));
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
  await assert.rejects(gateway.signUp(ada), refused("conflict", "The name is taken."));
});

test("whoever takes a former user's name does not get their database", async (t) => {
  const { gateway, backend } = await world(t);
  await gateway.signUp(ada);
  const account = await backend.getDocument(users, parseDocId("org.couchdb.user:ada"));
  await backend.putDocument(users, { _id: "org.couchdb.user:ada", _rev: account?._rev as string, _deleted: true });
  await assert.rejects(gateway.signUp(ada), refused("conflict"));
});

test("a deployment may demand longer passwords, wherever one is chosen", async (t) => {
  const { gateway } = await world(t, { accounts: { minPasswordLength: 12 } });
  await assert.rejects(gateway.signUp(ada), refused("bad_request"));
  const long = "long enough for them";
  await gateway.signUp({ ...ada, password: long });
  const { passwords } = gateway.people;
  const name = parseUserName("ada");
  await assert.rejects(passwords.change(name, long, "eight chars", { address: "" }), refused("bad_request"));
});

test("every bad field has its one reason", async (t) => {
  const { gateway } = await world(t);
  const fieldsOf = async (body: unknown): Promise<unknown> => {
    const error = await gateway.signUp(body).then(
      () => assert.fail("accepted"),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof CouchError && error.error === "bad_request");
    return error.detail?.fields;
  };
  assert.deepEqual(await fieldsOf({}), { password: "A password is required." });
  assert.deepEqual(await fieldsOf({ password: "12345678" }), { name: "A user name or an e-mail address is required." });
  assert.deepEqual(await fieldsOf({ ...ada, password: "1234567", email: "nobody" }), {
    password: "A password has at least 8 characters.",
    email: "This is not an e-mail address.",
  });
  assert.deepEqual(await fieldsOf({ ...ada, name: "ada@example.net" }), {
    name: "A name with @ in it must be the e-mail address.",
  });
  assert.deepEqual(await fieldsOf({ ...ada, name: "_admin" }), {
    name: "A user name must not start with an underscore.",
  });
  assert.deepEqual(await fieldsOf({ ...ada, name: "é".repeat(58) }), {
    name: "A user name is at most 115 bytes of UTF-8.",
  });
  assert.deepEqual(await fieldsOf({ ...ada, roles: ["_admin"] }), { roles: "There is no such field." });
  for (const body of [undefined, null, [], "x", 1]) assert.equal(await fieldsOf(body), undefined);
});
