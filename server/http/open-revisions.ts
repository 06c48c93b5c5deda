/** `GET /{db}/{docid}?open_revs=`: several leaves of one document, as a JSON array or as multipart/mixed. */
import { CouchError } from "../../protocol/errors.js";
import { generationOf, hashOf, type RevId } from "../../protocol/ids.js";
import { ByteWriter } from "../documents/bytes.js";
import type { Database, StoredDocument } from "../documents/database.js";
import { findRevision, leavesOf, type RevisionNode } from "../documents/revisions/tree.js";
import { leavesFrom, type ShownRevision, showRevision } from "../documents/show-document.js";
import { type DatabaseCall, jsonText, type Reply } from "./call.js";
import type { DocumentQuery } from "./document-query.js";
import { openRevsReply } from "./multipart-document.js";
import { wantsMultipart } from "./wants-multipart.js";

/** A leaf, or the name of a revision that cannot be shown. */
export type OpenRevision = ShownRevision | { readonly missing: RevId };

/** @throws CouchError not_found when all are wanted and there is no document */
export function openRevisions(
  call: DatabaseCall,
  document: StoredDocument | undefined,
  query: DocumentQuery,
): Reply | Promise<Reply> {
  // As in CouchDB `atts_since` counts for single revisions only.
  const { attsSince: _, ...show } = query.show;
  const { openRevs, latest } = query;
  if (!document && openRevs === "all") throw new CouchError("not_found", "missing");
  const revs = openRevs as "all" | readonly RevId[];
  const items = document ? leavesToShow(call.database, document, revs, latest) : missing(revs as readonly RevId[]);
  const options = { ...show, revsInfo: false, conflicts: false, deletedConflicts: false, localSeq: false };
  if (wantsMultipart(call.headers.accept, "mixed")) return openRevsReply(call, items, options);
  return asArray(call.database, items, options);
}

/** Ordered by generation and hash, each once; what is not there comes last, in the order of asking. */
function leavesToShow(
  database: Database,
  document: StoredDocument,
  wanted: "all" | readonly RevId[],
  latest: boolean,
): readonly OpenRevision[] {
  const { tree } = document.record;
  const absent: RevId[] = [];
  const indices = new Set<number>();
  if (wanted === "all") {
    for (const leaf of leavesOf(tree)) indices.add(leaf);
  } else {
    for (const rev of new Set(wanted)) {
      const found = latest ? leavesFrom(tree, rev) : exactly(document, rev);
      for (const index of found) indices.add(index);
      if (found.length === 0) absent.push(rev);
    }
  }
  const shown: OpenRevision[] = [];
  for (const index of [...indices].sort((a, b) => a - b)) {
    const value = database.value(document, index);
    const { generation, hash } = tree[index] as RevisionNode;
    shown.push(value ? { document, index, value } : { missing: `${generation}-${hash}` as RevId });
  }
  return [...shown, ...missing(absent)];
}

function exactly({ record: { tree } }: StoredDocument, rev: RevId): readonly number[] {
  const index = findRevision(tree, generationOf(rev), hashOf(rev));
  return index >= 0 && tree[index]?.stored ? [index] : [];
}

function missing(revs: readonly RevId[]): readonly OpenRevision[] {
  return revs.map((rev) => ({ missing: rev }));
}

async function asArray(
  database: Database,
  items: readonly OpenRevision[],
  options: DocumentQuery["show"],
): Promise<Reply> {
  const out = new ByteWriter(4096).latin1("[");
  let first = true;
  for (const item of items) {
    if (!first) out.latin1(",");
    first = false;
    if ("missing" in item) {
      out.utf8(JSON.stringify(item));
      continue;
    }
    out.latin1('{"ok":');
    await showRevision(out, database, item, options);
    out.latin1("}");
  }
  return jsonText(out.latin1("]").take());
}
