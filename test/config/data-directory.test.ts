import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { keptSecret, keptUuid, openDataDirectory } from "../../server/config/data-directory.js";

const folder = mkdtempSync(join(tmpdir(), "settee-data-directory-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const modeOf = (file: string) => statSync(file).mode & 0o777;

test("a new data directory and its secret are for their owner alone", () => {
  const dataDir = join(folder, "new", "data");
  openDataDirectory(dataDir);
  keptSecret(dataDir);
  assert.equal(modeOf(dataDir), 0o700);
  assert.equal(modeOf(join(dataDir, "secret")), 0o600);
});

test("the secret and the uuid are made once", () => {
  const dataDir = join(folder, "once");
  openDataDirectory(dataDir);
  const secret = keptSecret(dataDir);
  const uuid = keptUuid(dataDir);
  assert.match(secret, /^[\w-]{43}$/);
  assert.match(uuid, /^[0-9a-f]{32}$/);
  openDataDirectory(dataDir);
  assert.equal(keptSecret(dataDir), secret);
  assert.equal(keptUuid(dataDir), uuid);
  assert.deepEqual(readdirSync(dataDir).toSorted(), ["secret", "uuid"]);
});

test("two directories have two secrets", () => {
  const [one, other] = ["one", "other"].map((name) => join(folder, name)) as [string, string];
  openDataDirectory(one);
  openDataDirectory(other);
  assert.notEqual(keptSecret(one), keptSecret(other));
  assert.notEqual(keptUuid(one), keptUuid(other));
});

test("an empty secret is no secret: the start is stopped", () => {
  const dataDir = join(folder, "emptied");
  openDataDirectory(dataDir);
  writeFileSync(join(dataDir, "secret"), "\n");
  assert.throws(() => keptSecret(dataDir), /secret is empty/);
});
