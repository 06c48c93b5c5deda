import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newDevice, type Pouch, remoteDatabase } from "../helpers/pouchdb-device.js";
import { password, type SharedServer, startSharedServer } from "../helpers/shared-server.js";
import { waitFor, within } from "../helpers/wait-for.js";
import { note } from "./users.js";

let server: SharedServer;
before(async () => {
  server = await startSharedServer({ bob: "writer", cyd: "reader" });
});
after(() => server.close());

function remote(user: string): Pouch {
  return remoteDatabase(`${server.url}/${server.name}`, user, password);
}

async function textBecomes(device: Pouch, id: string, text: string): Promise<void> {
  await waitFor(`${id} to say "${text}"`, async () => (await device.get(id)).text === text);
}

test("two users share a database in live sync, and one who only reads follows", async () => {
  const [ada, bob, cyd] = [newDevice(), newDevice(), newDevice()];
  const syncs = [
    ada.sync(remote("ada"), { live: true, retry: true }),
    bob.sync(remote("bob"), { live: true, retry: true }),
    cyd.replicate.from(remote("cyd"), { live: true, retry: true }),
  ];
  await ada.put(note("plan", "picnic"));
  for (const device of [bob, cyd]) await textBecomes(device, "plan", "picnic");
  const seen = await bob.get("plan");
  await bob.put({ ...seen, text: "picnic on Sunday" });
  for (const device of [ada, cyd]) await textBecomes(device, "plan", "picnic on Sunday");
  for (const sync of syncs) {
    const ended = new Promise((resolve) => sync.once("complete", resolve));
    sync.cancel();
    await within("the sync to end", ended);
  }
});

test("who only reads goes on from the checkpoint, and writes nothing", async () => {
  const device = newDevice();
  await remote("ada").put(note("first", "one"));
  const whole = await device.replicate.from(remote("cyd"));
  assert.ok(whole.docs_read >= 1);
  await remote("ada").put(note("second", "two"));
  const rest = await device.replicate.from(remote("cyd"));
  assert.equal(rest.docs_read, 1);

  await device.put(note("mine", "three"));
  await assert.rejects(device.replicate.to(remote("cyd")), ({ status }: { status: number }) => status === 403);
  await assert.rejects(remote("cyd").put(note("mine", "three")), ({ status }: { status: number }) => status === 403);
  assert.equal((await server.admin.get(`/${server.name}/mine`)).status, 404);
});

test("a live replication ends for whoever is put out", async () => {
  const ada = await server.as("ada");
  await server.as("dan");
  const member = `/_settee/databases/${server.name}/members/dan`;
  await ada.expect(200, "PUT", member, { body: { role: "reader" } });
  const device = newDevice();
  const replication = device.replicate.from(remote("dan"), { live: true });
  const failed = new Promise<{ status?: number }>((resolve) => replication.once("error", resolve));
  replication.catch(() => undefined);
  await waitFor("the documents", async () => (await device.info()).doc_count > 0);
  await ada.expect(200, "DELETE", member);
  await remote("ada").put(note("later", "not for dan"));
  assert.equal((await within("the replication to fail", failed)).status, 403);
  await assert.rejects(device.get("later"));
});

test("anybody reads what is open to the public, and takes it along", async () => {
  const ada = await server.as("ada");
  await ada.expect(200, "PUT", `/_settee/databases/${server.name}/public`, { body: { read: true } });
  await server.as("eve");
  const { rows } = await remote("eve").allDocs();
  assert.ok(rows.length > 0);
  await assert.rejects(remote("eve").put(note("forged", "x")), ({ status }: { status: number }) => status === 403);
});
