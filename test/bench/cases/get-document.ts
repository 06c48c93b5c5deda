import { type BenchCase, rateOf } from "../bench-case.js";
import { documentId, documentOf, documentsOf } from "../load/documents.js";
import { verifyDocuments } from "./verify-documents.js";

export const getDocument64: BenchCase = {
  id: "get-64",
  rows: [{ id: "get-64", label: "GET one document, 64 at once", unit: "documents/s", goal: 15_000 }],
  async run({ load, median, createDatabase, fill, roundTime }) {
    const count = 5000;
    const database = await createDatabase();
    await fill(database, documentsOf(0, count));
    // Spread over the whole database: neighbours are not asked for one after the other.
    const requests = Array.from({ length: 40_000 }, (_, index) =>
      load.prepare("GET", `${database}/${documentId((index * 2579) % count)}`),
    );
    const rate = await median(async () => {
      const result = await load.run(requests, 64, roundTime);
      const { _id } = result.last.json();
      await verifyDocuments(load, database, count, [documentOf(Number(_id.slice(-8)))]);
      return rateOf(result);
    });
    return { "get-64": rate };
  },
};
