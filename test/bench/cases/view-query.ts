import { deepEqual } from "node:assert/strict";
import { type BenchCase, rateOf } from "../bench-case.js";
import { documentId, documentsOf } from "../load/documents.js";

const count = 20_000;
const perQuery = 20;
const clients = 16;

export const viewQuery: BenchCase = {
  id: "view-query",
  rows: [{ id: "view-query", label: "view queries of 20 rows, 16 clients", unit: "queries/s", goal: 6000 }],
  async run({ load, median, createDatabase, fill, roundTime }) {
    const database = await createDatabase();
    await fill(database, documentsOf(0, count));
    await load.ask("PUT", `${database}/_design/app`, {
      language: "javascript",
      views: { "by-number": { map: "function (doc) { emit(doc.number, doc.done); }" } },
    });
    const view = `${database}/_design/app/_view/by-number`;
    await load.ask("GET", `${view}?limit=1`);
    // Spread over the whole view: neighbours are not asked for one after the other.
    const startOf = (index: number): number => (index * 2579) % (count - perQuery);
    const requests = Array.from({ length: 20_000 }, (_, index) =>
      load.prepare("GET", `${view}?startkey=${startOf(index)}&limit=${perQuery}`),
    );
    const rate = await median(async () => {
      const result = await load.run(requests, clients, roundTime);
      const { rows } = result.last.json();
      const expected = Array.from({ length: perQuery }, (_, row) => {
        const number = rows[0].key + row;
        return { id: documentId(number), key: number, value: number % 3 === 0 };
      });
      deepEqual(rows, expected);
      return rateOf(result);
    });
    return { "view-query": rate };
  },
};
