/** Which changes a function of a design document wants: documents are shown to it in the sandbox, many at a time. */
import { leavesInOrder, revisionOfRow } from "../../documents/changes/changed-revisions.js";
import type { Database } from "../../documents/database.js";
import { textForFunction } from "../../documents/function-text.js";
import { idOfRow, type SequenceEntry } from "../../documents/sequence-entry.js";
import type { ShownRevision } from "../../documents/show-document.js";
import type { FilterBatch } from "../../sandbox/filter-documents.js";
import type { FunctionFilter, Wanted } from "./changes-filter.js";

/** For each change what is wanted of it, or undefined. @throws CouchError when the function fails: a feed with holes would be no feed */
export type Judge = (entries: readonly SequenceEntry[]) => Promise<readonly (Wanted | undefined)[]>;

/** Changes judged in one go. */
export const judgedAtOnce = 100;

/** Runs filter functions: the sandbox does. */
export interface FilterRunner {
  filter(batch: FilterBatch): Promise<readonly boolean[]>;
}

export interface JudgeOptions {
  readonly sandbox: FilterRunner;
  /** All leaves of a document are shown, not only the winner. */
  readonly allLeaves: boolean;
  /** JSON text of what the function may know of the request. */
  readonly req: string;
}

export function functionJudge(
  database: Database,
  { filter, byView }: FunctionFilter,
  { sandbox, allLeaves, req }: JudgeOptions,
): Judge {
  return async (entries) => {
    const candidates = entries.map((entry) => candidatesOf(database, entry, allLeaves));
    const documents = candidates.flatMap((revisions) => revisions.map((revision) => textForFunction(revision)));
    const passes = (await sandbox.filter({ database: database.name, filter, byView, req, documents })).values();
    return candidates.map((revisions, index) => {
      const passed = revisions.filter(() => passes.next().value === true);
      const document = passed[0]?.document;
      const withLeaves = allLeaves && entries[index]?.severalLeaves;
      return document && { document, leaves: withLeaves ? passed.map((revision) => revision.index) : undefined };
    });
  };
}

/** The winner, or all leaves where the reader asks for them. */
function candidatesOf(database: Database, entry: SequenceEntry, allLeaves: boolean): readonly ShownRevision[] {
  const document = database.find(idOfRow(entry.row));
  if (!document) return [];
  if (!allLeaves || !entry.severalLeaves) {
    const shown = revisionOfRow(database, document, entry);
    return shown ? [shown] : [];
  }
  return leavesInOrder(document).flatMap((index) => {
    const value = database.value(document, index);
    return value ? [{ document, index, value }] : [];
  });
}
