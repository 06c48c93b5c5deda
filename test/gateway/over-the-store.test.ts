import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseDatabaseName, parseDocId } from "../../protocol/ids.js";
import { defaultSecurity } from "../../protocol/security.js";
import { EmbeddedBackend } from "../../server/backend/embedded.js";
import { Databases } from "../../server/documents/databases.js";
import { provisioningReconciler } from "../../server/jobs/provisioning-reconciler.js";
import {
  admin,
  Clock,
  changeUser,
  logOut,
  newGateway,
  origin,
  refused,
  sentBack,
  users,
} from "../helpers/gateway-world.js";

const ada = { name: "ada", password: "long enough" };
const own = parseDatabaseName("userdb-616461");

test("over the real store: sign-up, sessions, a new password, a restart", async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), "settee-gateway-"));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const clock = new Clock();
  const open = async () => {
    const databases = await Databases.open({
      dataDir,
      validate: () => Promise.reject(new Error("nothing to validate")),
    });
    const backend = new EmbeddedBackend(databases);
    const gateway = newGateway(backend, clock, { admin: undefined });
    return { databases, backend, gateway, made: await gateway.start() };
  };

  const first = await open();
  assert.ok(first.made);
  assert.deepEqual(await first.backend.getSecurity(users), defaultSecurity);
  assert.equal((await first.gateway.signUp(ada)).database, own);
  await assert.rejects(first.gateway.signUp(ada), refused("conflict"));
  const cookie = sentBack((await first.gateway.logIn(ada, origin)).setCookie);
  const ended = sentBack((await first.gateway.logIn(first.made, origin)).setCookie);
  await logOut(first.gateway, ended);
  const grant = { grant_type: "password", username: ada.name, password: ada.password };
  const { body: pair } = await first.gateway.grantToken(grant, origin);
  assert.ok("refresh_token" in pair);
  const design = await first.backend.getDocument(own, parseDocId("_design/notes"));
  first.gateway.close();
  await first.databases.close();

  const second = await open();
  t.after(() => second.databases.close());
  const { gateway, backend } = second;
  assert.equal(second.made, undefined);
  await provisioningReconciler({
    backend,
    provisioning: gateway.provisioning,
    removal: gateway.people.removal,
    onError: assert.fail,
  }).run();
  const access = gateway.accessTo((name) => second.databases.open(name));
  const { identity } = await gateway.identify({ cookie, ...origin });
  const { database } = await access.open(identity, "_me", "write");
  assert.equal(database.name, own);
  assert.deepEqual(await backend.getDocument(own, parseDocId("_design/notes")), design);
  assert.equal((await gateway.identify({ cookie: ended, ...origin })).identity.name, null);
  await assert.rejects(access.open(identity, users, "read"), refused("forbidden"));
  await assert.rejects(access.open(identity, parseDatabaseName("settee_sessions"), "read"), refused("forbidden"));

  const refresh = { grant_type: "refresh_token", refresh_token: pair.refresh_token };
  assert.equal((await gateway.grantToken(refresh, origin)).status, 200);
  await changeUser(backend, ada.name, { salt: "0".repeat(32) });
  assert.equal((await gateway.identify({ cookie, ...origin })).identity.name, null);
  assert.equal((await gateway.grantToken(refresh, origin)).status, 400);
  await assert.rejects(gateway.logIn(admin, origin), refused("unauthorized"));
  assert.deepEqual((await gateway.logIn(first.made, origin)).identity.roles, ["_admin"]);
  gateway.close();
});
