import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonDocument } from "../../server/backend/backend.js";
import { PasswordHasher } from "../../server/gateway/password-hasher.js";
import { passwordMatches, readStoredPassword } from "../../server/gateway/passwords.js";
import {
  mayReadUserDocument,
  prepareUserDocument,
  refusalToReadUserDocument,
  visibleUserDocument,
} from "../../server/gateway/user-documents.js";
import { identity, refused } from "../helpers/gateway-world.js";

const hasher = new PasswordHasher(2);
const admin = identity("admin", ["_admin"]);
const ann = identity("ann", ["red"]);
const guest = identity(null);

function user(name: unknown, members: Record<string, unknown> = {}): JsonDocument {
  return JSON.parse(JSON.stringify({ _id: `org.couchdb.user:${name}`, name, type: "user", roles: [], ...members }));
}

async function storedAnn(): Promise<JsonDocument> {
  const databases = [{ name: "userdb-616e6e", template: "user", state: "ready" }];
  const document = user("ann", { roles: ["red"], password: "pw", databases });
  return { ...(await prepareUserDocument(document, undefined, admin, hasher)), _rev: "1-a" };
}

/** As recorded from CouchDB 3.5, an administrator writing. */
const bad: readonly [JsonDocument, string][] = [
  [{ ...user("eve"), name: undefined }, "doc.name is required"],
  [user("eve", { roles: undefined }), "doc.roles must exist"],
  [user("eve", { type: undefined }), "doc.type must be user"],
  [user("eve", { type: "admin" }), "doc.type must be user"],
  [{ _id: "bad" }, "doc.type must be user"],
  [{ ...user("eve"), name: "other" }, "Doc ID must be of the form org.couchdb.user:name"],
  [{ ...user("eve"), name: 1 }, "Doc ID must be of the form org.couchdb.user:name"],
  [{ ...user("eve"), _id: "eve" }, "Doc ID must be of the form org.couchdb.user:name"],
  [user("eve", { roles: "x" }), "doc.roles must be an array"],
  [user("eve", { roles: [1] }), "doc.roles can only contain strings"],
  [user("eve", { roles: ["_admin"] }), "No system roles (starting with underscore) in users db."],
  [user("eve", { password: 1 }), "Password value of '1' is invalid."],
  [user("_eve"), "Username may not start with underscore."],
  [user("eve:x"), "Character `:` is not allowed in usernames."],
  [user("eve", { password_scheme: "pbkdf2" }), "iterations must be a number."],
  [user("eve", { password_scheme: "pbkdf2", iterations: 1 }), "derived_key must be a string."],
  [user("eve", { password_scheme: "rot13" }), "Password scheme `rot13` not supported."],
  [user("eve", { password_sha: "00" }), "Users with password_sha must have a salt."],
];

for (const [document, reason] of bad) {
  test(`refused: ${reason} (${JSON.stringify(document)})`, async () => {
    await assert.rejects(prepareUserDocument(document, undefined, admin, hasher), refused("forbidden", reason));
  });
}

test("accepted as in CouchDB: no password, an empty one, null, other schemes, other members", async () => {
  const without = user("eve");
  assert.deepEqual(await prepareUserDocument(without, undefined, admin, hasher), without);
  assert.deepEqual(await prepareUserDocument(user("eve", { password: null }), undefined, admin, hasher), without);
  const simple = user("jon", { password_scheme: "simple", salt: "abc", password_sha: "00", color: "blue" });
  assert.deepEqual(await prepareUserDocument(simple, undefined, admin, hasher), simple);
  const empty = await prepareUserDocument(user("gus", { password: "" }), undefined, admin, hasher);
  assert.equal(readStoredPassword(empty)?.scheme, "pbkdf2");
  assert.equal((await prepareUserDocument(user("fay", { roles: ["a_b"] }), undefined, admin, hasher)).name, "fay");
});

test("a password becomes a hash and is not kept", async () => {
  const before = user("ann", { password: "pw", password_sha: "00", salt: "old", email: "a@example.org" });
  const stored = await prepareUserDocument(before, undefined, admin, hasher);
  assert.equal(JSON.stringify(stored).includes('"pw"'), false);
  assert.equal("password" in stored || "password_sha" in stored, false);
  assert.equal(stored.email, "a@example.org");
  const password = readStoredPassword(stored);
  assert.ok(password && (await passwordMatches("pw", password)));
});

test("users change their own password and nothing that is not theirs to change", async () => {
  const old = await storedAnn();
  const shown = visibleUserDocument(old, ann);
  const edit = (members: Record<string, unknown>): Promise<JsonDocument> =>
    prepareUserDocument({ ...shown, ...members }, old, ann, hasher);

  const renewed = readStoredPassword(await edit({ password: "pw2" }));
  assert.ok(renewed && (await passwordMatches("pw2", renewed)));
  const kept = await edit({ color: "blue" });
  assert.deepEqual(kept, { ...old, color: "blue" });

  const forbidden: readonly [Record<string, unknown>, string][] = [
    [{ roles: ["red", "blue"] }, "Only _admin may edit roles"],
    [{ roles: [] }, "Only _admin may edit roles"],
    [{ roles: ["red", "_admin"] }, "Only _admin may edit roles"],
    [{ databases: [{ name: "userdb-626f62", template: "user", state: "wanted" }] }, "Only _admin may edit databases"],
    [{ databases: [], password: "pw2" }, "Only _admin may edit databases"],
    [{ iterations: 9_000_000 }, "Only _admin may edit iterations"],
    [{ derived_key: "00", salt: "x" }, "Only _admin may edit derived_key"],
  ];
  for (const [members, reason] of forbidden) await assert.rejects(edit(members), refused("forbidden", reason));
});

test("another's document is not there to write or to delete", async () => {
  const old = await storedAnn();
  const bob = identity("bob");
  await assert.rejects(
    prepareUserDocument({ ...old, password: "x" }, old, bob, hasher),
    refused("not_found", "missing"),
  );
  const tombstone = { _id: old._id, _rev: "1-a", _deleted: true };
  await assert.rejects(prepareUserDocument(tombstone, old, bob, hasher), refused("not_found"));
  await assert.rejects(prepareUserDocument(tombstone, old, guest, hasher), refused("not_found"));
  assert.equal(await prepareUserDocument(tombstone, old, ann, hasher), tombstone);
  assert.equal(await prepareUserDocument(tombstone, old, admin, hasher), tombstone);
  await assert.rejects(prepareUserDocument({ _id: "_design/x" }, undefined, ann, hasher), refused("forbidden"));
});

test("a guest may register without roles, databases or a hash of their own", async () => {
  const made = await prepareUserDocument(user("cat", { password: "pw" }), undefined, guest, hasher);
  assert.equal(readStoredPassword(made)?.scheme, "pbkdf2");
  const roles = user("dog", { roles: ["x"], password: "pw" });
  await assert.rejects(
    prepareUserDocument(roles, undefined, guest, hasher),
    refused("forbidden", "Only _admin may set roles"),
  );
  const databases = user("dog", { databases: [{ name: "userdb-616e6e", template: "user", state: "wanted" }] });
  await assert.rejects(prepareUserDocument(databases, undefined, guest, hasher), refused("forbidden"));
});

test("who reads which document, and what of it", async () => {
  assert.equal(mayReadUserDocument(admin, "org.couchdb.user:bob"), true);
  assert.equal(mayReadUserDocument(ann, "org.couchdb.user:ann"), true);
  assert.equal(refusalToReadUserDocument(ann, "org.couchdb.user:bob")?.reason, "missing");
  assert.equal(refusalToReadUserDocument(guest, "org.couchdb.user:null")?.status, 404);
  assert.equal(
    refusalToReadUserDocument(ann, "_design/_auth")?.reason,
    "Only administrators can view design docs in the users database.",
  );
  const old = await storedAnn();
  assert.equal(visibleUserDocument(old, admin), old);
  const shown = visibleUserDocument(old, ann);
  assert.equal("derived_key" in shown || "salt" in shown, false);
  assert.equal(shown.password_scheme, "pbkdf2");
});
