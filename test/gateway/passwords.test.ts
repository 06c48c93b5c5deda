import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sameSecret } from "../../server/gateway/constant-time.js";
import { PasswordHasher } from "../../server/gateway/password-hasher.js";
import {
  derivedKeyOf,
  formatAdminPassword,
  maxIterations,
  parseAdminPassword,
  passwordMatches,
  passwordMembers,
  readStoredPassword,
} from "../../server/gateway/passwords.js";

/** The user document that CouchDB's manual shows; SHA-1, as CouchDB wrote it before 3.4. */
const jan = {
  password_scheme: "pbkdf2",
  iterations: 10,
  derived_key: "e579375db0e0c6a6fc79cd9e36a36859f71575c3",
  salt: "1112283cf988a34f124200a050d308a1",
};

test("keys are those of CouchDB's own tests and of RFC 7914", async () => {
  assert.equal(await derivedKeyOf("password", "salt", 2, "sha"), "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957");
  assert.equal(await derivedKeyOf("password", "salt", 4096, "sha"), "4b007901b765489abead49d926f721d065a429c1");
  const rfc7914 = await derivedKeyOf("passwd", "salt", 1, "sha256");
  assert.equal(rfc7914, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
});

test("documents of CouchDB log in: SHA-1 without and with its name, SHA-256, simple", async () => {
  const sha256 = await derivedKeyOf("apple", jan.salt, 3, "sha256");
  const documents = [
    jan,
    { ...jan, pbkdf2_prf: "sha" },
    { ...jan, derived_key: jan.derived_key.toUpperCase() },
    { ...jan, pbkdf2_prf: "sha256", iterations: 3, derived_key: sha256 },
    // SHA-1 of "applesalt".
    { password_scheme: "simple", salt: "salt", password_sha: "e21216acd080d1077e4f9894c0945eb4b023202c" },
  ];
  for (const document of documents) {
    const stored = readStoredPassword(document);
    assert.ok(stored, JSON.stringify(document));
    assert.equal(await passwordMatches("apple", stored), true, JSON.stringify(document));
    assert.equal(await passwordMatches("Apple", stored), false, JSON.stringify(document));
  }
});

test("a document without a usable hash has none", () => {
  const bad: Record<string, unknown>[] = [
    {},
    { ...jan, salt: undefined },
    { ...jan, derived_key: "" },
    { ...jan, derived_key: jan.derived_key.slice(2) },
    { ...jan, iterations: 0 },
    { ...jan, iterations: "10" },
    { ...jan, iterations: maxIterations + 1 },
    { ...jan, pbkdf2_prf: "md5" },
    { ...jan, pbkdf2_prf: "__proto__" },
    { ...jan, password_scheme: "bcrypt" },
    { password_scheme: "simple", salt: "x", password_sha: "" },
  ];
  for (const document of bad) assert.equal(readStoredPassword(document), undefined, JSON.stringify(document));
});

test("new hashes are what CouchDB 3.5 writes, and differ each time", async () => {
  const hasher = new PasswordHasher(5);
  const [one, two] = [await hasher.hash("pw"), await hasher.hash("pw")];
  assert.notEqual(one.salt, two.salt);
  const members = passwordMembers(one);
  assert.deepEqual(Object.keys(members).sort(), ["derived_key", "iterations", "password_scheme", "pbkdf2_prf", "salt"]);
  assert.match(String(members.salt), /^[0-9a-f]{32}$/);
  assert.match(String(members.derived_key), /^[0-9a-f]{64}$/);
  assert.deepEqual(readStoredPassword(members), one);
  assert.equal(new PasswordHasher().iterations, 600_000);
  for (const iterations of [0, 1.5, maxIterations + 1]) assert.throws(() => new PasswordHasher(iterations), RangeError);
});

test("an administrator's line is read back as it was written", () => {
  const line = "-pbkdf2-e579375db0e0c6a6fc79cd9e36a36859f71575c3,1112283cf988a34f124200a050d308a1,10";
  const legacy = parseAdminPassword(line);
  assert.ok(legacy);
  assert.equal(legacy.prf, "sha");
  assert.equal(formatAdminPassword(legacy), line);
  const modern = `-pbkdf2:sha256-${"ab".repeat(32)},${"0".repeat(32)},600000`;
  const parsed = parseAdminPassword(modern);
  assert.ok(parsed);
  assert.equal(formatAdminPassword(parsed), modern);
  for (const bad of ["", "plain", "-pbkdf2-xyz", "-pbkdf2:md5-00,salt,1", `-pbkdf2:sha256-${"ab".repeat(32)},s,0`]) {
    assert.equal(parseAdminPassword(bad), undefined, bad);
  }
});

test("nobody's password costs what a wrong one costs", async () => {
  const hasher = new PasswordHasher(60_000);
  const stored = await hasher.hash("right");
  const cheap = await new PasswordHasher(1).hash("right");
  // Processor time of this process, in microseconds: what else the machine does is not in it.
  const cost = async (attempt: () => Promise<boolean>): Promise<number> => {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 5; round++) {
      const from = process.cpuUsage();
      assert.equal(await attempt(), false);
      best = Math.min(best, process.cpuUsage(from).user);
    }
    return best;
  };
  const wrong = await cost(() => hasher.verify("wrong", stored));
  for (const other of [undefined, cheap]) {
    const ratio = (await cost(() => hasher.verify("wrong", other))) / wrong;
    assert.ok(ratio > 0.5 && ratio < 2, `${ratio} times the cost of a wrong password`);
  }
});

test("hashing does not queue without end", async () => {
  const hasher = new PasswordHasher(1);
  const outcomes = await Promise.allSettled(Array.from({ length: 150 }, () => hasher.hash("pw")));
  const refused = outcomes.filter(({ status }) => status === "rejected");
  assert.equal(refused.length, 150 - 2 - 100);
  assert.match(String((refused[0] as PromiseRejectedResult).reason), /service_unavailable/);
  assert.equal((await hasher.hash("pw")).iterations, 1);
});

test("secrets are the same exactly when their bytes are", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      assert.equal(sameSecret(a, a), true);
      assert.equal(sameSecret(a, Buffer.from(a)), true);
      assert.equal(sameSecret(a, b), Buffer.from(a).equals(Buffer.from(b)));
      assert.equal(sameSecret(a, `${a}x`), false);
    }),
  );
});
