import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDatabaseName, parseDocId } from "../../protocol/ids.js";
import { defaultSecurity } from "../../protocol/security.js";
import { Clock, newGateway, origin, refused, world } from "../helpers/gateway-world.js";
import { MemoryBackend } from "../helpers/memory-backend.js";

const config = parseDatabaseName("settee_config");
const admins = parseDocId("admins");

test("the first start makes an administrator once, and keeps only a hash", async (t) => {
  const backend = new MemoryBackend();
  const clock = new Clock();
  const first = newGateway(backend, clock, { admin: undefined });
  const made = await first.start();
  assert.equal(made?.name, "admin");
  assert.match(String(made?.password), /^[A-Za-z0-9_-]{24}$/);
  assert.deepEqual((await first.logIn(made, origin)).identity.roles, ["_admin"]);
  const stored = JSON.stringify(await backend.listDocuments(config, {}));
  assert.equal(stored.includes(made?.password as string), false);
  assert.match(stored, /"admin":"-pbkdf2:sha256-/);

  const second = newGateway(backend, clock, { admin: undefined });
  assert.equal(await second.start(), undefined);
  assert.deepEqual((await second.logIn(made, origin)).identity.roles, ["_admin"]);
  for (const gateway of [first, second]) gateway.close();
  assert.equal(backend.listenerCount, 0);
  await world(t, { backend, clock });
});

test("two first starts at once make one administrator", async () => {
  const backend = new MemoryBackend();
  const gateways = [1, 2].map(() => newGateway(backend, new Clock(), { admin: undefined }));
  const made = (await Promise.all(gateways.map((gateway) => gateway.start()))).filter((each) => each !== undefined);
  assert.equal(made.length, 1);
  for (const gateway of gateways) {
    assert.deepEqual((await gateway.logIn(made[0], origin)).identity.roles, ["_admin"]);
    gateway.close();
  }
});

test("a configured administrator replaces the stored one, and is written only when it differs", async () => {
  const backend = new MemoryBackend();
  const clock = new Clock();
  const generated = await newGateway(backend, clock, { admin: undefined }).start();
  const start = async (name: string, password: string) => {
    const gateway = newGateway(backend, clock, { admin: { name, password } });
    assert.equal(await gateway.start(), undefined);
    return gateway;
  };
  const revision = async (): Promise<string | undefined> => (await backend.getDocument(config, admins))?._rev;

  const gateway = await start("root", "one");
  await assert.rejects(gateway.logIn(generated, origin), refused("unauthorized"));
  const before = await revision();
  await start("root", "one");
  assert.equal(await revision(), before);
  const cookie = (await gateway.logIn({ name: "root", password: "one" }, origin)).setCookie.split(";")[0];
  assert.equal((await gateway.identify({ cookie, ...origin })).identity.name, "root");

  const changed = await start("root", "two");
  assert.notEqual(await revision(), before);
  for (const each of [gateway, changed]) {
    await assert.rejects(each.logIn({ name: "root", password: "one" }, origin), refused("unauthorized"));
    await each.logIn({ name: "root", password: "two" }, origin);
    assert.equal((await each.identify({ cookie, ...origin })).identity.name, null);
  }
  await assert.rejects(start("_root", "x"), refused("bad_request"));
});

test("the system's databases are there and closed; what an operator opened stays open, the gateway's own do not", async (t) => {
  const { backend, clock } = await world(t);
  const names = ["_users", "_replicator", "settee_config", "settee_sessions"].map(parseDatabaseName);
  for (const name of names) assert.deepEqual(await backend.getSecurity(name), defaultSecurity);
  const opened = { members: { names: ["ops"], roles: [] } };
  for (const name of names) await backend.putSecurity(name, opened);
  await world(t, { backend, clock });
  const after = await Promise.all(names.map((name) => backend.getSecurity(name)));
  assert.deepEqual(after, [opened, opened, defaultSecurity, defaultSecurity]);
});

test("administrators are made, changed and removed while the server runs, and are there after a restart", async () => {
  const backend = new MemoryBackend();
  const clock = new Clock();
  const start = async (name = "root") => {
    const gateway = newGateway(backend, clock, { admin: { name, password: "one" } });
    await gateway.start();
    return gateway;
  };
  const gateway = await start();
  await gateway.admins.set("bob", "a");
  await gateway.admins.set("eve", "b");
  await gateway.admins.set("bob", "c");
  assert.deepEqual(gateway.admins.names(), ["bob", "eve", "root"]);
  await assert.rejects(gateway.logIn({ name: "bob", password: "a" }, origin), refused("unauthorized"));
  const { identity, setCookie } = await gateway.logIn({ name: "bob", password: "c" }, origin);
  assert.deepEqual(identity.roles, ["_admin"]);
  await gateway.admins.remove("bob");
  const cookie = setCookie.split(";")[0];
  assert.equal((await gateway.identify({ cookie, ...origin })).identity.name, null, "the session is over as well");

  assert.deepEqual((await start()).admins.names(), ["eve", "root"]);
  assert.deepEqual((await start("boss")).admins.names(), ["boss", "eve"], "only the configured one is replaced");
});

test("neither the configured administrator nor the last one can be taken away", async () => {
  const backend = new MemoryBackend();
  const configured = newGateway(backend, new Clock(), { admin: { name: "root", password: "one" } });
  await configured.start();
  await assert.rejects(configured.admins.set("root", "two"), refused("forbidden"));
  await assert.rejects(configured.admins.remove("root"), refused("forbidden"));
  await assert.rejects(configured.admins.remove("nobody"), refused("not_found"));

  const generated = newGateway(new MemoryBackend(), new Clock(), { admin: undefined });
  await generated.start();
  await assert.rejects(generated.admins.remove("admin"), refused("forbidden"));
  await generated.admins.set("admin", "a password of my own");
  await generated.logIn({ name: "admin", password: "a password of my own" }, origin);
});

test("a hash of CouchDB's configuration is taken as it is, and one that cannot be checked not at all", async () => {
  const gateway = newGateway(new MemoryBackend(), new Clock(), { admin: { name: "root", password: "one" } });
  await gateway.start();
  const hash = "-pbkdf2:sha256-5e7eb4ea2b4ba6b1ac4ddb3c2c1dd9eb8c1dbd2ee09e2a3f58eabc2cfe4d2d4e,0123456789abcdef,10";
  await gateway.admins.set("bob", hash);
  await assert.rejects(gateway.logIn({ name: "bob", password: hash }, origin), refused("unauthorized"));
  for (const bad of ["", "-hashed-0123,4567", "-pbkdf2-xyz,1,2", "-pbkdf2:md5-00,1,2"]) {
    await assert.rejects(gateway.admins.set("eve", bad), refused("bad_request"), bad);
  }
  assert.deepEqual(gateway.admins.names(), ["bob", "root"]);
});
