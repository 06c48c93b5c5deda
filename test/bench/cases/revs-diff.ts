import { deepEqual } from "node:assert/strict";
import { type BenchCase, rateOf } from "../bench-case.js";
import { documentId, firstRevisionOf, replicatedDocumentsOf } from "../load/documents.js";

const stored = 10_000;
const perRequest = 500;

/** Of every two documents asked for, the server has one: what a device sends that was away for a while. */
export const revsDiff: BenchCase = {
  id: "revs-diff",
  rows: [{ id: "revs-diff", label: "_revs_diff by 500, half of them new", unit: "documents/s", goal: 150_000 }],
  async run({ load, median, createDatabase, fill, roundTime }) {
    const database = await createDatabase();
    await fill(database, replicatedDocumentsOf(0, stored));
    const requests = Array.from({ length: 1000 }, (_, index) => {
      const from = (index * perRequest) % stored;
      return load.prepare("POST", `${database}/_revs_diff`, questions(from));
    });
    const rate = await median(async () => {
      const result = await load.run(requests, 1, roundTime);
      const from = ((result.sent - 1) * perRequest) % stored;
      const missing = Object.keys(result.last.json()).sort();
      const expected = Object.keys(questions(from)).filter((id) => Number(id.slice(-8)) >= stored);
      deepEqual(missing, expected.sort());
      return rateOf(result, perRequest);
    });
    return { "revs-diff": rate };
  },
};

function questions(from: number): Record<string, readonly string[]> {
  const numbers = Array.from({ length: perRequest }, (_, offset) =>
    offset % 2 === 0 ? from + offset : stored + from + offset,
  );
  return Object.fromEntries(numbers.map((number) => [documentId(number), [firstRevisionOf(number)]]));
}
