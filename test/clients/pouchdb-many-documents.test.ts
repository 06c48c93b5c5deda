import { deepEqual, equal } from "node:assert/strict";
import { after, before, test } from "node:test";
import { leavesOf, newDevice } from "../helpers/pouchdb-device.js";
import { type SetteeProcess, startSettee } from "../helpers/settee-process.js";
import { namedDatabase, notes, ownDatabase, signUp } from "./users.js";

let settee: SetteeProcess;
before(async () => {
  settee = await startSettee();
});
after(() => settee.close());

test("10,000 documents go up from one device and come down on a second", async () => {
  const ada = await signUp(settee, "ada");
  const first = newDevice();
  const documents = notes(10_000);
  await first.bulkDocs(documents);
  const pushed = await first.replicate.to(ownDatabase(settee, ada), { batch_size: 1000 });
  equal(pushed.docs_written, 10_000);
  equal(pushed.doc_write_failures, 0);

  const second = newDevice();
  const pulled = await second.replicate.from(namedDatabase(settee, ada), { batch_size: 1000 });
  equal(pulled.doc_write_failures, 0);
  const { rows } = await second.allDocs({ include_docs: true, startkey: "note-", endkey: "note-\ufff0" });
  deepEqual(
    rows.map(({ doc }) => ({ _id: doc?._id, type: doc?.type, text: doc?.text })),
    documents,
  );
  const [here, there] = [await leavesOf(first), await leavesOf(second)];
  for (const [id, leaves] of here) equal(there.get(id), leaves, id);

  const again = await first.replicate.to(ownDatabase(settee, ada), { batch_size: 1000 });
  equal(again.docs_read, 0, "the checkpoint is remembered");
  await Promise.all([first.destroy(), second.destroy()]);
});
