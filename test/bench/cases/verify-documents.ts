import { deepEqual, equal } from "node:assert/strict";
import type { BenchDocument } from "../load/documents.js";
import type { LoadClient } from "../load/load-client.js";

/** What was acknowledged is there: the count, and a sample to the letter. */
export async function verifyDocuments(
  load: LoadClient,
  database: string,
  count: number,
  sample: readonly BenchDocument[],
): Promise<void> {
  equal((await load.ask("GET", database)).json().doc_count, count, "doc_count");
  for (const document of sample) {
    const { _rev, ...stored } = (await load.ask("GET", `${database}/${document._id}`)).json();
    deepEqual(stored, document);
  }
}
