/** Which changes a selector wants: documents are read and parsed for it. */
import { leavesInOrder, revisionOfRow } from "../../documents/changes/changed-revisions.js";
import type { Database } from "../../documents/database.js";
import { idOfRow, type SequenceEntry } from "../../documents/sequence-entry.js";
import { documentValue } from "../mango/document-value.js";
import type { SelectorFilter, Wanted } from "./changes-filter.js";

/** Undefined when the change is not wanted. */
export function findWanted(
  database: Database,
  { matches }: SelectorFilter,
  entry: SequenceEntry,
  allLeaves: boolean,
): Wanted | undefined {
  const document = database.find(idOfRow(entry.row));
  if (!document) return undefined;
  if (!allLeaves || !entry.severalLeaves) {
    const shown = revisionOfRow(database, document, entry);
    return shown && matches(documentValue(database, shown)) ? { document, leaves: undefined } : undefined;
  }
  const leaves = leavesInOrder(document).filter((index) => {
    const value = database.value(document, index);
    return value !== undefined && matches(documentValue(database, { document, index, value }));
  });
  return leaves.length > 0 ? { document, leaves } : undefined;
}
