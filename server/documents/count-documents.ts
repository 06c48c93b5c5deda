/** How many documents of a range of ids are there. */
import type { DatabaseKeys } from "../storage/keys.js";
import type { Store } from "../storage/store.js";
import { decodeDocumentRecord } from "./document-record.js";
import { type IdRange, keyRange } from "./id-range.js";
import type { RevisionNode } from "./revisions/tree.js";

/** Documents that are not deleted. `noneDeleted`: every key is one, so that no record need be read. */
export async function countDocuments(
  { store, keys }: { readonly store: Store; readonly keys: DatabaseKeys },
  range: Pick<IdRange, "from" | "to">,
  noneDeleted: boolean,
): Promise<number> {
  let count = 0;
  const within = keyRange(range, keys.documents, (id) => keys.document(id));
  if (noneDeleted) {
    for await (const entries of store.range({ ...within, values: false, step: 2000 })) count += entries.length;
    return count;
  }
  for await (const entries of store.range(within)) {
    for (const { value } of entries) {
      const { tree, winner } = decodeDocumentRecord(value);
      if (!(tree[winner] as RevisionNode).deleted) count++;
    }
  }
  return count;
}
