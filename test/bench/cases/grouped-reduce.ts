import { deepEqual } from "node:assert/strict";
import { type BenchCase, type CaseContext, rateOf } from "../bench-case.js";
import { documentsOf } from "../load/documents.js";

const groups = 27;
const clients = 16;
/** Where in the first group a query begins: no two of a handful are the same. */
const starts = 20;

const designDocument = {
  language: "javascript",
  views: {
    groups: {
      map: `function (doc) { emit([doc.number % ${groups}, (doc.number - doc.number % ${groups}) / ${groups}], doc.number); }`,
      reduce: "_sum",
    },
  },
};

/** As many groups over many rows and over a tenth of them: whoever adds up rows is ten times slower over the many. */
export const groupedReduce: BenchCase = {
  id: "grouped-reduce",
  rows: [
    { id: "reduce-27000", label: "27 groups of 27,000 rows, 16 clients", unit: "queries/s", goal: 3000 },
    { id: "reduce-2700", label: "27 groups of 2,700 rows, 16 clients", unit: "queries/s" },
  ],
  async run(context) {
    return { "reduce-2700": await rateOver(context, 2700), "reduce-27000": await rateOver(context, 27_000) };
  },
};

async function rateOver(context: CaseContext, count: number): Promise<number> {
  const { load, median, createDatabase, fill, roundTime } = context;
  const database = await createDatabase();
  await fill(database, documentsOf(0, count));
  await load.ask("PUT", `${database}/_design/app`, designDocument);
  const view = `${database}/_design/app/_view/groups`;
  await load.ask("GET", view);
  const requests = Array.from({ length: 10_000 }, (_, index) =>
    load.prepare("GET", `${view}?group_level=1&startkey=${encodeURIComponent(`[0,${index % starts}]`)}`),
  );
  return await median(async () => {
    const result = await load.run(requests, clients, roundTime);
    const { rows } = result.last.json();
    deepEqual(rows.slice(1), expectedGroups(count).slice(1));
    return rateOf(result);
  });
}

function expectedGroups(count: number): readonly { key: readonly number[]; value: number }[] {
  return Array.from({ length: groups }, (_, group) => {
    let value = 0;
    for (let number = group; number < count; number += groups) value += number;
    return { key: [group], value };
  });
}
