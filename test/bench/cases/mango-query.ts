import { deepEqual } from "node:assert/strict";
import { type BenchCase, rateOf } from "../bench-case.js";
import { documentOf, documentsOf } from "../load/documents.js";

const count = 20_000;
const perQuery = 20;
const clients = 16;

export const mangoQuery: BenchCase = {
  id: "mango-query",
  rows: [{ id: "mango-query", label: "_find of 20 documents by an index, 16 clients", unit: "queries/s", goal: 4000 }],
  async run({ load, median, createDatabase, fill, roundTime }) {
    const database = await createDatabase();
    await fill(database, documentsOf(0, count));
    await load.ask("POST", `${database}/_index`, {
      index: { fields: ["number"] },
      ddoc: "by-number",
      name: "by-number",
    });
    const requests = Array.from({ length: 10_000 }, (_, index) => {
      const start = (index * 2579) % (count - perQuery);
      return load.prepare("POST", `${database}/_find`, {
        selector: { number: { $gte: start } },
        sort: ["number"],
        limit: perQuery,
      });
    });
    await load.run(requests.slice(0, 1), 1);
    const rate = await median(async () => {
      const result = await load.run(requests, clients, roundTime);
      const docs: readonly { number: number }[] = result.last.json().docs;
      const first = docs[0]?.number as number;
      const found = docs.map(({ _rev, ...document }: { _rev?: string; number: number }) => document);
      deepEqual(found, documentsOf(first, perQuery));
      deepEqual(found[0], documentOf(first));
      return rateOf(result);
    });
    return { "mango-query": rate };
  },
};
