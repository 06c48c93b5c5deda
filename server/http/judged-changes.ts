/** Which changes a function of a design document wants: documents are shown to it in the sandbox, many at a time. */
import { idOfRow, type SequenceEntry } from "../documents/sequence-entry.js";
import type { ShownRevision } from "../documents/show-document.js";
import type { DatabaseCall } from "./call.js";
import { leavesInOrder, revisionOfRow, type Wanted } from "./change-rows.js";
import type { FunctionFilter } from "./changes-filter.js";
import type { ChangesQuery } from "./changes-query.js";
import { textForFunction } from "./function-document.js";
import { requestObject } from "./request-object.js";

/** For each change what is wanted of it, or undefined. @throws CouchError when the function fails: a feed with holes would be no feed */
export type Judge = (entries: readonly SequenceEntry[]) => Promise<readonly (Wanted | undefined)[]>;

/** Changes judged in one go. */
export const judgedAtOnce = 100;

export async function functionJudge(
  call: DatabaseCall,
  { filter, byView }: FunctionFilter,
  { allLeaves }: ChangesQuery,
  body: unknown,
): Promise<Judge> {
  const { database, services } = call;
  const subject = body === undefined ? {} : { body: JSON.stringify(body) };
  const req = JSON.stringify(await requestObject(call, subject));

  return async (entries) => {
    const candidates = entries.map((entry) => candidatesOf(call, entry, allLeaves));
    const documents = candidates.flatMap((revisions) => revisions.map((revision) => textForFunction(revision)));
    const passes = (
      await services.sandbox.filter({ database: database.name, filter, byView, req, documents })
    ).values();
    return candidates.map((revisions, index) => {
      const passed = revisions.filter(() => passes.next().value === true);
      const document = passed[0]?.document;
      const withLeaves = allLeaves && entries[index]?.severalLeaves;
      return document && { document, leaves: withLeaves ? passed.map((revision) => revision.index) : undefined };
    });
  };
}

/** The winner, or all leaves where the reader asks for them. */
function candidatesOf({ database }: DatabaseCall, entry: SequenceEntry, allLeaves: boolean): readonly ShownRevision[] {
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
