import { equal } from "node:assert/strict";
import { type BenchCase, rateOf } from "../bench-case.js";
import { documentId, documentOf, documentsOf } from "../load/documents.js";
import { verifyDocuments } from "./verify-documents.js";

const batch = 500;
const batchesPerRound = 120;

function bulkDocsCase(id: string, label: string, clients: number, goal: number): BenchCase {
  return {
    id,
    rows: [{ id, label, unit: "documents/s", goal }],
    async run({ load, median, createDatabase, roundTime }) {
      const rate = await median(async () => {
        const database = await createDatabase();
        const requests = Array.from({ length: batchesPerRound }, (_, index) =>
          load.prepare("POST", `${database}/_bulk_docs`, { docs: documentsOf(index * batch, batch) }),
        );
        const result = await load.run(requests, clients, roundTime);
        equal(result.last.status, 201);
        const last = result.sent * batch - 1;
        await verifyDocuments(load, database, result.sent * batch, [documentOf(0), documentOf(last)]);
        equal(result.last.json().length, batch, `${documentId(last)} and its batch were answered`);
        return rateOf(result, batch);
      });
      return { [id]: rate };
    },
  };
}

export const bulkDocsOneClient = bulkDocsCase("bulk-docs-1", "_bulk_docs by 500, one client", 1, 32_000);
export const bulkDocsFourClients = bulkDocsCase("bulk-docs-4", "_bulk_docs by 500, four clients", 4, 40_000);
