import { deepEqual, equal } from "node:assert/strict";
import { type BenchCase, rateOf } from "../bench-case.js";
import { documentId, documentOf, documentsOf } from "../load/documents.js";

const count = 20_000;

/** Two maps and a sum; equal but for a comment, since an index that is there already is not built again. */
function designDocument(round: number): object {
  return {
    language: "javascript",
    views: {
      "by-number": { map: `function (doc) { /* ${round} */ emit(doc.number, null); }` },
      "by-text": {
        map: `function (doc) { /* ${round} */ emit([doc.type, doc.done, doc.text.slice(0, 8)], doc.number); }`,
        reduce: "_sum",
      },
    },
  };
}

/** From writing the design document to the first answer of its view. */
export const viewBuild: BenchCase = {
  id: "view-build",
  rows: [
    {
      id: "view-build",
      label: "a view built: 20,000 documents, two maps, one _sum",
      unit: "documents/s",
      goal: 25_000,
    },
  ],
  async run({ load, median, createDatabase, fill }) {
    const database = await createDatabase();
    await fill(database, documentsOf(0, count));
    const rate = await median(async (round) => {
      const path = `${database}/_design/app${round}`;
      const requests = [load.prepare("PUT", path, designDocument(round)), load.prepare("GET", `${path}/_view/by-text`)];
      const result = await load.run(requests, 1);
      const { rows } = result.last.json();
      equal(rows[0].value, (count * (count - 1)) / 2);
      const middle = (await load.ask("GET", `${path}/_view/by-number?key=777`)).json();
      deepEqual([middle.total_rows, middle.rows], [count, [{ id: documentId(777), key: 777, value: null }]]);
      const { done } = documentOf(0);
      const some = (
        await load.ask("GET", `${path}/_view/by-text?group_level=2&startkey=${encodeURIComponent('["note",true]')}`)
      ).json();
      equal(done, true);
      deepEqual(some.rows, [{ key: ["note", true], value: sumOfThirds() }]);
      return (rateOf(result) / 2) * count;
    });
    return { "view-build": rate };
  },
};

/** Every third document is done. */
function sumOfThirds(): number {
  const thirds = Math.ceil(count / 3);
  return (3 * (thirds * (thirds - 1))) / 2;
}
