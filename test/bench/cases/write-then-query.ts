import { deepEqual, equal } from "node:assert/strict";
import { type BenchCase, rateOf } from "../bench-case.js";
import { documentOf, documentsOf } from "../load/documents.js";

const count = 20_000;
const pairsPerRound = 2000;

/** A screen that writes and then shows: each query must see the write before it. */
export const writeThenQuery: BenchCase = {
  id: "write-then-query",
  rows: [{ id: "write-then-query", label: "a write, then a view query that sees it", unit: "pairs/s", goal: 450 }],
  async run({ load, median, createDatabase, fill, roundTime }) {
    const database = await createDatabase();
    await fill(database, documentsOf(0, count));
    await load.ask("PUT", `${database}/_design/app`, {
      language: "javascript",
      views: { "by-number": { map: "function (doc) { emit(doc.number, null); }", reduce: "_count" } },
    });
    const view = `${database}/_design/app/_view/by-number`;
    await load.ask("GET", view);
    let next = count;
    const rate = await median(async () => {
      const from = next;
      const requests = Array.from({ length: pairsPerRound }, (_, offset) => {
        const { _id, ...body } = documentOf(from + offset);
        return [
          load.prepare("PUT", `${database}/${_id}`, body),
          load.prepare("GET", `${view}?reduce=false&key=${from + offset}`),
        ];
      }).flat();
      const result = await load.run(requests, 1, roundTime);
      next = from + Math.ceil(result.sent / 2);
      const { ok, rows } = result.last.json();
      if (ok !== true) deepEqual(rows, [{ id: documentOf(next - 1)._id, key: next - 1, value: null }]);
      equal((await load.ask("GET", view)).json().rows[0].value, next);
      return rateOf(result) / 2;
    });
    return { "write-then-query": rate };
  },
};
