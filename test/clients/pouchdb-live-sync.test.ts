import { equal } from "node:assert/strict";
import { after, before, test } from "node:test";
import { newDevice, type Pouch, type Replication } from "../helpers/pouchdb-device.js";
import { type SetteeProcess, startSettee } from "../helpers/settee-process.js";
import { waitFor, within } from "../helpers/wait-for.js";
import { note, ownDatabase, signUp } from "./users.js";

let settee: SetteeProcess;
before(async () => {
  settee = await startSettee();
});
after(() => settee.close());

test("two devices in live sync see each other's writes, edits and deletions", async () => {
  const ada = await signUp(settee, "ada");
  const phone = newDevice();
  const laptop = newDevice();
  const syncs = [phone, laptop].map((device) => device.sync(ownDatabase(settee, ada), { live: true, retry: true }));

  await phone.put(note("from-phone", "hello"));
  await laptop.put(note("from-laptop", "good day"));
  await textBecomes(laptop, "from-phone", "hello");
  await textBecomes(phone, "from-laptop", "good day");

  const edited = await laptop.get("from-phone");
  await laptop.put({ ...edited, text: "hello again" });
  await textBecomes(phone, "from-phone", "hello again");

  const { _id, _rev } = await phone.get("from-laptop");
  await phone.remove(_id, _rev);
  await waitFor("the deletion to arrive", () =>
    laptop.get("from-laptop").then(
      () => false,
      (error) => error.status === 404,
    ),
  );

  await Promise.all(syncs.map(ended));
  equal((await phone.info()).doc_count, (await laptop.info()).doc_count);
});

test("a hundred writes in quick succession all arrive, in both directions", async () => {
  const bob = await signUp(settee, "bob");
  const phone = newDevice();
  const laptop = newDevice();
  const syncs = [phone, laptop].map((device) => device.sync(ownDatabase(settee, bob), { live: true, retry: true }));
  for (let index = 0; index < 100; index += 1) {
    await phone.put(note(`phone-${index}`, "p"));
    await laptop.put(note(`laptop-${index}`, "l"));
  }
  for (const device of [phone, laptop]) {
    await waitFor("all 200 notes", async () => (await notesOn(device)) === 200, { timeout: 20_000 });
  }
  await Promise.all(syncs.map(ended));
});

async function notesOn(device: Pouch): Promise<number> {
  const { rows } = await device.allDocs();
  return rows.filter(({ id }) => !id.startsWith("_design/")).length;
}

async function textBecomes(device: Pouch, id: string, text: string): Promise<void> {
  await waitFor(`${id} to say "${text}"`, async () => (await device.get(id)).text === text);
}

async function ended(sync: Replication<unknown>): Promise<void> {
  const complete = new Promise((resolve) => sync.once("complete", resolve));
  sync.cancel();
  await within("the sync to end", complete);
}
