import { equal } from "node:assert/strict";
import type { BenchCase } from "../bench-case.js";
import { documentOf } from "../load/documents.js";
import { verifyDocuments } from "./verify-documents.js";

const clients = 64;
/** Milliseconds: a slow peer gets no further than it gets. */
const patience = 20_000;

export const createMany: BenchCase = {
  id: "create-many",
  rows: [
    { id: "create-many", label: "2,000 databases created with a document each", unit: "databases/s", goal: 2500 },
    { id: "create-many-rss", label: "resident memory after that", unit: "MB", lessIsBetter: true },
  ],
  async run({ load, newDatabasePath, peer, quick }) {
    const paths = Array.from({ length: quick ? 300 : 2000 }, newDatabasePath);
    const creations = paths.map((path) => load.prepare("PUT", path));
    const document = documentOf(1);
    const { _id, ...body } = document;
    const writes = paths.map((path) => load.prepare("PUT", `${path}/${_id}`, body));
    const created = await load.run(creations, clients, patience);
    const written = await load.run(writes.slice(0, created.sent), clients);
    equal(written.sent, created.sent);
    for (const path of [paths[0], paths[created.sent >> 1], paths[created.sent - 1]]) {
      await verifyDocuments(load, path as string, 1, [document]);
    }
    const memory = peer.residentBytes();
    return {
      "create-many": created.sent / (created.seconds + written.seconds),
      ...(memory === undefined ? {} : { "create-many-rss": memory / 2 ** 20 }),
    };
  },
};
