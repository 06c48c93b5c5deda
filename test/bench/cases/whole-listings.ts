import { deepEqual, equal } from "node:assert/strict";
import { type BenchCase, rateOf } from "../bench-case.js";
import { documentOf, documentsOf } from "../load/documents.js";

interface ListingCase {
  readonly id: string;
  readonly label: string;
  readonly goal: number;
  readonly path: string;
  readonly rowsMember: "results" | "rows";
  readonly withDocuments: boolean;
}

function listingCase({ id, label, goal, path, rowsMember, withDocuments }: ListingCase): BenchCase {
  return {
    id,
    rows: [{ id, label, unit: "rows/s", goal }],
    async run({ load, median, createDatabase, fill, roundTime, quick }) {
      const count = quick ? 5000 : 20_000;
      const database = await createDatabase();
      await fill(database, documentsOf(0, count));
      const requests = Array.from({ length: 200 }, () => load.prepare("GET", `${database}/${path}`));
      const rate = await median(async () => {
        const result = await load.run(requests, 1, roundTime);
        const rows: readonly { id: string; doc?: Record<string, unknown> }[] = result.last.json()[rowsMember];
        equal(new Set(rows.map((row) => row.id)).size, count);
        if (withDocuments) {
          const { doc, id } = rows[Math.floor(count / 2)] as { id: string; doc: Record<string, unknown> };
          const { _rev, ...document } = doc;
          deepEqual(document, documentOf(Number(id.slice(-8))));
        }
        return rateOf(result, count);
      });
      return { [id]: rate };
    },
  };
}

export const changesWhole = listingCase({
  id: "changes",
  label: "_changes, whole",
  goal: 150_000,
  path: "_changes",
  rowsMember: "results",
  withDocuments: false,
});

export const changesWithDocuments = listingCase({
  id: "changes-docs",
  label: "_changes, whole, with documents",
  goal: 80_000,
  path: "_changes?include_docs=true",
  rowsMember: "results",
  withDocuments: true,
});

export const allDocsWithDocuments = listingCase({
  id: "all-docs",
  label: "_all_docs, whole, with documents",
  goal: 90_000,
  path: "_all_docs?include_docs=true",
  rowsMember: "rows",
  withDocuments: true,
});
