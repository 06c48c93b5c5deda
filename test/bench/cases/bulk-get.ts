import { deepEqual, equal } from "node:assert/strict";
import { type BenchCase, rateOf } from "../bench-case.js";
import { documentId, documentOf, firstRevisionOf, replicatedDocumentsOf } from "../load/documents.js";

const stored = 10_000;
const perRequest = 100;

/** What PouchDB and CouchDB ask when they pull. */
export const bulkGet: BenchCase = {
  id: "bulk-get",
  rows: [{ id: "bulk-get", label: "_bulk_get by 100 with revs, four clients", unit: "documents/s", goal: 75_000 }],
  async run({ load, median, createDatabase, fill, roundTime }) {
    const database = await createDatabase();
    await fill(database, replicatedDocumentsOf(0, stored));
    const requests = Array.from({ length: 2000 }, (_, index) => {
      const from = (index * perRequest) % stored;
      const docs = Array.from({ length: perRequest }, (_, offset) => ({
        id: documentId(from + offset),
        rev: firstRevisionOf(from + offset),
      }));
      return load.prepare("POST", `${database}/_bulk_get?revs=true&latest=true`, { docs });
    });
    const rate = await median(async () => {
      const result = await load.run(requests, 4, roundTime);
      const { results } = result.last.json();
      equal(results.length, perRequest);
      for (const { id, docs } of results) {
        const { _rev, _revisions, ...document } = docs[0].ok;
        const number = Number(id.slice(-8));
        deepEqual(document, documentOf(number));
        deepEqual(_revisions, { start: 1, ids: [firstRevisionOf(number).slice(2)] });
      }
      return rateOf(result, perRequest);
    });
    return { "bulk-get": rate };
  },
};
