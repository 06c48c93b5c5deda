/** `POST /{db}/_bulk_docs`: many revisions in one request, edits or (`new_edits: false`) revisions of another server. */
import { CouchError } from "../../../protocol/errors.js";
import { type DocId, isLocalDocId, type RevId } from "../../../protocol/ids.js";
import type { TakenContent } from "../../documents/attachments/intake.js";
import { quote } from "../../documents/document-text.js";
import type { IncomingRevision } from "../../documents/incoming-revision.js";
import { scanBulk } from "../../documents/json/json-text.js";
import {
  editOrigin,
  type ParsedDocument,
  parseDocument,
  replicatedOrigin,
  toRevision,
} from "../../documents/parse-document.js";
import type { WriteOutcome } from "../../documents/write.js";
import { requireJson } from "../body.js";
import { type DatabaseCall, json, type Reply } from "../call.js";
import { checkDocumentSize, readDocumentBody } from "../document-limits.js";
import { takeInlineAttachments } from "../multipart-document.js";
import { newDocId } from "../uuids.js";
import { writeDocuments } from "../write-documents.js";
import { storeLocal } from "./local-document.js";

const noContents: ReadonlyMap<string, TakenContent> = new Map();

export async function bulkDocs(call: DatabaseCall): Promise<Reply> {
  requireJson(call);
  const { documents, rest } = scanBulk(await readDocumentBody(call), "docs");
  const { new_edits: newEdits = true, all_or_nothing: allOrNothing } = rest;
  if (typeof newEdits !== "boolean") throw new CouchError("bad_request", "`new_edits` parameter must be a boolean.");
  // One bad document refuses the request before anything of it is written.
  const parsed = documents.map((document) => parseDocument(document));
  const ids = parsed.map(({ id }) => id ?? newDocId(call.services.config.uuids));
  for (const [index, document] of parsed.entries()) checkDocumentSize(call, document, ids[index] as DocId);
  if (allOrNothing === true) return notAtomic(ids);

  const locals: { readonly index: number; readonly id: DocId; readonly document: ParsedDocument }[] = [];
  const revisions: IncomingRevision[] = [];
  for (let index = 0; index < parsed.length; index++) {
    const document = parsed[index] as ParsedDocument;
    const id = ids[index] as DocId;
    if (isLocalDocId(id)) {
      locals.push({ index, id, document });
      continue;
    }
    const origin = newEdits ? editOrigin(document) : replicatedOrigin(document);
    const contents = document.attachments.length === 0 ? noContents : await takeInlineAttachments(call, document);
    revisions.push(toRevision(document, id, origin, contents));
  }
  const outcomes: WriteOutcome[] = [...(await writeDocuments(call, revisions))];
  for (const { index, id, document } of locals) {
    const rev = (await storeLocal(call, id, document, document.rev)) as RevId;
    outcomes.splice(index, 0, { id, rev });
  }
  return { status: 201, headers: { "Content-Type": "application/json" }, body: rowsOf(outcomes, newEdits) };
}

/** Replicators are told of refusals only. */
function rowsOf(outcomes: readonly WriteOutcome[], newEdits: boolean): string {
  const rows: string[] = [];
  for (const { id, rev, error } of outcomes) {
    if (error)
      rows.push(JSON.stringify({ id, ...(newEdits ? {} : { rev }), error: error.error, reason: error.reason }));
    else if (newEdits) rows.push(`{"ok":true,"id":${quote(id)},"rev":${quote(rev as string)}}`);
  }
  return `[${rows.join(",")}]\n`;
}

/** CouchDB stopped doing this in 2.0, and says so. */
function notAtomic(ids: readonly DocId[]): Reply {
  const refusal = { rev: "0-", error: "not_implemented", reason: "all_or_nothing is not supported" };
  return json(
    ids.map((id) => ({ id, ...refusal })),
    417,
  );
}
