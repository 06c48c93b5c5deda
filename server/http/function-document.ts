/** Documents as functions of design documents see them. */
import { isLocalDocId } from "../../protocol/ids.js";
import { textForFunction } from "../documents/function-text.js";
import type { RevisionNode } from "../documents/revisions/tree.js";
import { losingLeaves } from "../documents/show-document.js";
import type { DatabaseCall } from "./call.js";
import { isMember } from "./is-member.js";
import { localDocumentText, localIdOf } from "./routes/local-document.js";

/** The winner, with its conflicts, as show and update functions are given it; null when it is not there, or no longer. */
export function findForFunction(call: DatabaseCall, id: string): string | null {
  const { database } = call;
  if (isLocalDocId(id)) {
    const local = isMember(call) ? database.findLocal(localIdOf(id)) : undefined;
    return local ? localDocumentText(id, local).toString() : null;
  }
  const document = database.find(id);
  if (!document) return null;
  const { tree, winner } = document.record;
  const value = (tree[winner] as RevisionNode).deleted ? undefined : database.value(document, winner);
  if (!value) return null;
  const conflicts = losingLeaves(document, false);
  return textForFunction({ document, index: winner, value }, conflicts.length > 0 ? [["_conflicts", conflicts]] : []);
}
