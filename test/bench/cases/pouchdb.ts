import { deepEqual, equal } from "node:assert/strict";
import { newDevice, type Pouch, PouchDB } from "../../helpers/pouchdb-device.js";
import type { BenchCase } from "../bench-case.js";
import { documentId, documentOf, documentsOf } from "../load/documents.js";
import type { RunningPeer } from "../peers/peer.js";

/** As many as an app would ask for that knows it is on a good line; PouchDB's own default is 100. */
const batchSize = 1000;

function remoteOf(peer: RunningPeer, path: string): Pouch {
  const auth = peer.auth ? { auth: peer.auth } : {};
  return new PouchDB(`${peer.target.url}${path}`, { skip_setup: true, ...auth });
}

async function verifySame(database: Pouch, count: number): Promise<void> {
  equal((await database.info()).doc_count, count);
  const { _rev, ...document } = await database.get(documentId(count - 1));
  deepEqual(document, documentOf(count - 1));
}

export const pouchPush: BenchCase = {
  id: "pouchdb-push",
  rows: [{ id: "pouchdb-push", label: "PouchDB pushes 5,000 documents", unit: "documents/s", goal: 8500 }],
  async run({ peer, median, createDatabase, quick }) {
    const count = quick ? 1000 : 5000;
    const device = newDevice();
    await device.bulkDocs(documentsOf(0, count));
    const rate = await median(async () => {
      const remote = remoteOf(peer, await createDatabase());
      const started = performance.now();
      await device.replicate.to(remote, { batch_size: batchSize });
      const seconds = (performance.now() - started) / 1000;
      await verifySame(remote, count);
      return count / seconds;
    });
    await device.destroy();
    return { "pouchdb-push": rate };
  },
};

export const pouchPull: BenchCase = {
  id: "pouchdb-pull",
  rows: [{ id: "pouchdb-pull", label: "PouchDB pulls 5,000 documents", unit: "documents/s", goal: 8500 }],
  async run({ peer, median, createDatabase, fill, quick }) {
    const count = quick ? 1000 : 5000;
    const path = await createDatabase();
    await fill(path, documentsOf(0, count));
    const rate = await median(async () => {
      const device = newDevice();
      const started = performance.now();
      await device.replicate.from(remoteOf(peer, path), { batch_size: batchSize });
      const seconds = (performance.now() - started) / 1000;
      await verifySame(device, count);
      await device.destroy();
      return count / seconds;
    });
    return { "pouchdb-pull": rate };
  },
};
