import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDatabaseName, parseUserName } from "../../protocol/ids.js";
import type { JsonDocument } from "../../server/backend/backend.js";
import { userDatabaseName } from "../../server/gateway/database-names.js";
import { provisioningReconciler } from "../../server/jobs/provisioning-reconciler.js";
import { putUser, users, world } from "../helpers/gateway-world.js";

const names = Array.from({ length: 1_201 }, (_, index) => `u${String(index).padStart(4, "0")}`);

function wanted(name: string): Record<string, unknown> {
  return { databases: [{ name: userDatabaseName(parseUserName(name)), template: "user", state: "wanted" }] };
}

test("every page of accounts is walked, and one that fails does not stop the others", async (t) => {
  const { gateway, backend } = await world(t);
  for (const [index, name] of names.entries()) await putUser(backend, name, index % 400 === 0 ? wanted(name) : {});
  const create = backend.createDatabase.bind(backend);
  backend.createDatabase = async (name) => {
    if (name === "userdb-7530343030") throw new Error("no room");
    return create(name);
  };
  const errors: string[] = [];
  const job = provisioningReconciler({
    backend,
    provisioning: gateway.provisioning,
    removal: gateway.people.removal,
    onError: (error, user) => errors.push(`${user}: ${error}`),
  });
  await Promise.all([job.run(), job.run()]);
  assert.deepEqual(errors, ["u0400: Error: no room"]);
  const states = (await backend.listDocuments(users, { limit: 2_000 })).flatMap(
    (document: JsonDocument) => (document.databases as { name: string; state: string }[] | undefined) ?? [],
  );
  assert.deepEqual(
    states.map(({ state }) => state),
    ["ready", "wanted", "ready", "ready"],
  );
  assert.equal(await backend.databaseExists(parseDatabaseName("userdb-7531323030")), true);
});

test("a run stops between two accounts, and the next one does the rest", async (t) => {
  const { gateway, backend } = await world(t);
  for (const name of ["a1", "a2", "a3"]) await putUser(backend, name, wanted(name));
  const job = provisioningReconciler({
    backend,
    provisioning: gateway.provisioning,
    removal: gateway.people.removal,
    onError: assert.fail,
  });
  const create = backend.createDatabase.bind(backend);
  let stopped: Promise<void> | undefined;
  backend.createDatabase = async (name) => {
    stopped ??= job.stop();
    return create(name);
  };
  await job.run();
  await stopped;
  assert.equal(await backend.databaseExists(userDatabaseName(parseUserName("a1"))), true);
  assert.equal(await backend.databaseExists(userDatabaseName(parseUserName("a2"))), false);
  await job.run();
  assert.equal(await backend.databaseExists(userDatabaseName(parseUserName("a3"))), true);
});
