import { equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { leavesOf, newDevice, type Pouch, type Replication } from "../helpers/pouchdb-device.js";
import { type SetteeProcess, startSettee } from "../helpers/settee-process.js";
import { waitFor, within } from "../helpers/wait-for.js";
import { notes, ownDatabase, signUp } from "./users.js";

const count = 4000;
/** Small batches, so that the server goes away between many requests; a short back-off, so that the test is short. */
const live = { live: true, retry: true, batch_size: 100, back_off_function: () => 50 };

const endings = {
  SIGTERM: (settee: SetteeProcess) => settee.stop(),
  SIGKILL: (settee: SetteeProcess) => settee.kill(),
} as const;

for (const [signal, end] of Object.entries(endings)) {
  test(`a push interrupted by ${signal} goes on when the server is back, and nothing is lost`, async (t) => {
    const settee = await startSettee();
    t.after(() => settee.close());
    const user = await signUp(settee, "ada");
    const remote = ownDatabase(settee, user);
    const device = newDevice();
    await device.bulkDocs(notes(count));
    const replication = device.replicate.to(remote, live);
    await someWritten(replication, 500);
    await end(settee);
    await settee.restart();
    const before = await notesIn(remote);
    ok(before < count, `the server went away in the middle: ${before} documents had arrived`);
    await waitFor("the rest", async () => (await notesIn(remote)) === count, { timeout: 30_000, interval: 100 });
    await ended(replication);
    await sameOnBoth(device, remote);
  });

  test(`a pull interrupted by ${signal} goes on when the server is back, and nothing is lost`, async (t) => {
    const settee = await startSettee();
    t.after(() => settee.close());
    const user = await signUp(settee, "ada");
    const remote = ownDatabase(settee, user);
    const origin = newDevice();
    await origin.bulkDocs(notes(count));
    await origin.replicate.to(remote, { batch_size: 1000 });
    const device = newDevice();
    const replication = device.replicate.from(withPatientInfo(remote), live);
    await someWritten(replication, 500);
    await end(settee);
    const before = await notesIn(device);
    ok(before < count, `the server went away in the middle: ${before} documents had arrived`);
    await settee.restart();
    await waitFor("the rest", async () => (await notesIn(device)) === count, { timeout: 30_000, interval: 100 });
    await ended(replication);
    await sameOnBoth(origin, device);
  });
}

function someWritten(replication: Replication, wanted: number): Promise<void> {
  const written = new Promise<void>((resolve) => {
    replication.on("change", ({ docs_written }: { docs_written: number }) => {
      if (docs_written >= wanted) resolve();
    });
  });
  return within(`${wanted} documents to be replicated`, written, 20_000);
}

/**
 * After each batch PouchDB asks its source for `info()` and does not look at a failure: an unhandled rejection, which
 * would end the test and not the replication. Here the question is asked again until the server is back.
 */
function withPatientInfo(remote: Pouch): Pouch {
  const info = remote.info.bind(remote);
  return Object.assign(remote, { info: () => waitFor("the server", info, { timeout: 30_000, interval: 50 }) });
}

async function notesIn(database: Pouch): Promise<number> {
  const { rows } = await database.allDocs({ startkey: "note-", endkey: "note-\ufff0" });
  return rows.length;
}

async function sameOnBoth(origin: Pouch, copy: Pouch): Promise<void> {
  const there = await leavesOf(copy);
  for (const [id, leaves] of await leavesOf(origin)) equal(there.get(id), leaves, id);
}

async function ended(replication: Replication): Promise<void> {
  const complete = new Promise((resolve) => replication.once("complete", resolve));
  replication.cancel();
  await within("the replication to end", complete);
}
