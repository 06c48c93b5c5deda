import { deepEqual, equal, match } from "node:assert/strict";
import { after, before, test } from "node:test";
import { newDevice, type PouchOutcome } from "../helpers/pouchdb-device.js";
import { type SetteeProcess, startSettee } from "../helpers/settee-process.js";
import { administrator, notes, ownDatabase, signUp, type User } from "./users.js";

let settee: SetteeProcess;
before(async () => {
  settee = await startSettee();
});
after(() => settee.close());

/** The template of user databases may ask the same in words of its own, and answer first. */
const reason = "documents must have a string `type`";
const anyReason = /must have a .*`type`/;

test("what validation refuses is denied to the device, and the rest goes through", async () => {
  const ada = await validatedUser("ada");
  const device = newDevice();
  const good = notes(50);
  const bad = [{ _id: "bad-1" }, { _id: "bad-2", type: 7 }, { _id: "bad-3", type: null }];
  await device.bulkDocs([...good, ...bad]);
  const denied: { id: string; name: string; reason: string }[] = [];
  const replication = device.replicate.to(ownDatabase(settee, ada));
  replication.on("denied", (event) => denied.push(event));
  const result = await replication;

  equal(result.docs_written, good.length);
  equal(result.doc_write_failures, bad.length);
  deepEqual(denied.map(({ id }) => id).sort(), ["bad-1", "bad-2", "bad-3"]);
  for (const refusal of denied) {
    equal(refusal.name, "forbidden");
    match(refusal.reason, anyReason);
  }
  const server = await ownDatabase(settee, ada).allDocs();
  const ids = server.rows.map(({ id }) => id).filter((id) => !id.startsWith("_design/"));
  deepEqual(
    ids,
    good.map(({ _id }) => _id),
  );
});

test("a direct write is refused with the function's own reason, an edit like a new document", async () => {
  const bob = await validatedUser("bob");
  const remote = ownDatabase(settee, bob);
  const { rev } = await remote.put({ _id: "fine", type: "note" });
  for (const document of [{ _id: "worse" }, { _id: "fine", _rev: rev, type: ["note"] }]) {
    const refusal = await remote
      .put(document)
      .catch((error: PouchOutcome & { status: number; reason: string }) => error);
    equal((refusal as { status?: number }).status, 403);
    match((refusal as { reason: string }).reason, anyReason);
  }
  equal((await remote.get("fine")).type, "note");
  const deletion = await remote.remove("fine", rev);
  equal(deletion.ok, true);
});

async function validatedUser(name: string): Promise<User> {
  const user = await signUp(settee, name);
  const admin = administrator(settee);
  await admin.expect(201, "PUT", `/${user.database}/_design/only-typed`, {
    body: {
      language: "javascript",
      validate_doc_update: `function (doc) {
        if (!doc._deleted && typeof doc.type !== "string") throw({forbidden: ${JSON.stringify(reason)}});
      }`,
    },
  });
  admin.close();
  return user;
}
