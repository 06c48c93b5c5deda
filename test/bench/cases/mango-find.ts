import { equal } from "node:assert/strict";
import { type BenchCase, rateOf } from "../bench-case.js";
import { documentOf } from "../load/documents.js";

const found = 20;

/** Every group of documents is found by an index on its number. */
export const mangoFind: BenchCase = {
  id: "mango-find",
  rows: [{ id: "mango-find", label: `_find, ${found} documents by an index`, unit: "requests/s", goal: 4000 }],
  async run({ load, median, createDatabase, fill, roundTime, quick }) {
    const groups = quick ? 250 : 1000;
    const database = await createDatabase();
    const documents = Array.from({ length: groups * found }, (_, i) => ({ ...documentOf(i), group: i % groups }));
    await fill(database, documents);
    await load.ask("POST", `${database}/_index`, { index: { fields: ["group"] }, ddoc: "by-group", name: "group" });
    const ask = (group: number): unknown => ({ selector: { group }, limit: found });
    // The first query waits until the index is built.
    await load.ask("POST", `${database}/_find`, ask(0));
    const requests = Array.from({ length: 20_000 }, (_, i) =>
      load.prepare("POST", `${database}/_find`, ask((i * 7) % groups)),
    );
    const rate = await median(async () => {
      const result = await load.run(requests, 16, roundTime);
      equal(result.last.json().docs.length, found);
      return rateOf(result);
    });
    return { "mango-find": rate };
  },
};
