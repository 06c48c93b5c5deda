import { deepEqual, equal } from "node:assert/strict";
import { after, before, test } from "node:test";
import { newDevice, type Pouch } from "../helpers/pouchdb-device.js";
import { type SetteeProcess, startSettee } from "../helpers/settee-process.js";
import { note, ownDatabase, signUp } from "./users.js";

let settee: SetteeProcess;
before(async () => {
  settee = await startSettee();
});
after(() => settee.close());

test("two devices make a conflict, both see it alike, one resolves it for both", async () => {
  const ada = await signUp(settee, "ada");
  const server = () => ownDatabase(settee, ada);
  const phone = newDevice();
  const laptop = newDevice();
  await phone.put(note("shopping", "bread"));
  await phone.replicate.to(server());
  await laptop.replicate.from(server());

  for (const [device, text] of [
    [phone, "bread, milk"],
    [laptop, "bread, wine"],
  ] as const) {
    await device.put({ ...(await device.get("shopping")), text });
  }
  await synced(phone, laptop, server());

  const seen = await Promise.all(
    [phone, laptop, server()].map((replica) => replica.get("shopping", { conflicts: true })),
  );
  const [winner] = seen;
  equal(winner?._conflicts?.length, 1);
  for (const one of seen) deepEqual(one, winner);

  const losing = winner?._conflicts?.[0] as string;
  const other = await laptop.get("shopping", { rev: losing });
  deepEqual([winner?.text, other.text].sort(), ["bread, milk", "bread, wine"]);
  const { _conflicts, ...kept } = winner as NonNullable<typeof winner>;
  await laptop.put({ ...kept, text: "bread, milk, wine" });
  await laptop.remove("shopping", losing);
  await synced(phone, laptop, server());

  for (const replica of [phone, laptop, server()]) {
    const resolved = await replica.get("shopping", { conflicts: true });
    equal(resolved.text, "bread, milk, wine");
    equal(resolved._conflicts, undefined);
  }
});

/** Twice around, so that what the second device brought reaches the first. */
async function synced(phone: Pouch, laptop: Pouch, server: Pouch): Promise<void> {
  for (const device of [phone, laptop, phone]) {
    await device.replicate.to(server);
    await device.replicate.from(server);
  }
}
