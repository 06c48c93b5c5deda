/** `/{db}/{docid}`: read, write, delete. */
import { CouchError } from "../../../protocol/errors.js";
import { type DocId, isDesignDocId, isLocalDocId, parseDocId, parseRevId, type RevId } from "../../../protocol/ids.js";
import { isServerAdmin } from "../../../protocol/security.js";
import type { TakenContent } from "../../documents/attachments/intake.js";
import { multipartBoundary } from "../../documents/attachments/multipart-reader.js";
import { ByteWriter } from "../../documents/bytes.js";
import type { RevisionOrigin } from "../../documents/incoming-revision.js";
import { scanDocument } from "../../documents/json/json-text.js";
import {
  editOrigin,
  type ParsedDocument,
  parseDocument,
  replicatedOrigin,
  toRevision,
} from "../../documents/parse-document.js";
import { type RevisionNode, revOf } from "../../documents/revisions/tree.js";
import {
  pickRevision,
  pickWinner,
  type ShownRevision,
  showRevision,
  showsOtherRevisions,
} from "../../documents/show-document.js";
import type { WriteOutcome } from "../../documents/write.js";
import { type DatabaseCall, json, jsonText, type Reply } from "../call.js";
import { checkDocumentSize, readDocumentBody } from "../document-limits.js";
import { type DocumentQuery, parseDocumentQuery } from "../document-query.js";
import { etagOf, hasEtag } from "../etag.js";
import { escapeSegment, locationOf } from "../locations.js";
import { multipartDocumentReply, readMultipartDocument, takeInlineAttachments } from "../multipart-document.js";
import { openRevisions } from "../open-revisions.js";
import { readUserDocument } from "../user-document.js";
import { wantsMultipart } from "../wants-multipart.js";
import { writeDocument } from "../write-documents.js";
import { deleteLocalDocument, readLocalDocument, writeLocalDocument } from "./local-document.js";

/**
 * The id that a path names: `/{db}/{docid}`, `/{db}/_design/{name}` and `/{db}/_local/{name}` alike.
 * @throws CouchError bad_request for a local document without a name
 */
export function idOfPath({ params }: DatabaseCall): string {
  if (params["ddoc"] !== undefined) return `_design/${params["ddoc"]}`;
  if (params["local"] !== undefined) return `_local/${params["local"]}`;
  const id = params["docid"] as string;
  if (id === "_local" || id === "_local/") throw new CouchError("bad_request", "Invalid _local document id.");
  return id;
}

export function readDocument(call: DatabaseCall): Reply | Promise<Reply> {
  const id = idOfPath(call);
  if (isLocalDocId(id)) return readLocalDocument(call, id);
  // One name for a design document, so that what its pages link to by relative paths is found.
  if (isDesignDocId(id) && call.params["ddoc"] === undefined) return moved(call, id);
  const { database } = call;
  if (database.kind === "users" && !isServerAdmin(call.identity)) return readUserDocument(call, id);
  const query = parseDocumentQuery(call.query);
  const document = database.find(id);
  if (query.openRevs !== undefined) return openRevisions(call, document, query);
  if (!document) throw new CouchError("not_found", "missing");
  // With `latest` CouchDB answers the winner, whatever revision was named.
  const named = query.latest ? undefined : query.rev;
  const shown = named === undefined ? pickWinner(database, document) : pickRevision(database, document, named);
  const headers = headersOf(shown, query);
  if (headers?.ETag !== undefined && hasEtag(call.headers, headers.ETag)) return { status: 304, headers };
  if (shown.value.attachments.length > 0 && wantsBytes(query) && wantsMultipart(call.headers.accept, "related")) {
    return multipartDocumentReply(call, shown, query.show, headers ?? {});
  }
  const out = new ByteWriter(shown.value.body.length + 512);
  const showing = showRevision(out, database, shown, query.show);
  if (showing instanceof Promise) return showing.then(() => jsonText(out.take(), 200, headers));
  return jsonText(out.take(), 200, headers);
}

function moved({ origin, params }: DatabaseCall, id: string): Reply {
  const name = escapeSegment(id.slice("_design/".length));
  return { status: 301, headers: { Location: `${origin}/${escapeSegment(params["db"] as string)}/_design/${name}` } };
}

export async function writeDocumentRoute(call: DatabaseCall): Promise<Reply> {
  const id = parseDocId(idOfPath(call));
  if (isLocalDocId(id)) return await writeLocalDocument(call, id);
  const { parsed, contents } = await readIncoming(call);
  const rev = givenRev(call, parsed.rev);
  const outcome = writeDocument(call, toRevision(parsed, id, originOf(call, parsed, rev), contents));
  if (call.query.get("batch") === "ok") return answeredBefore(call, id, outcome);
  const written = (await outcome).rev as RevId;
  const headers = { ETag: etagOf(written), Location: locationOf(call, call.database.name, id) };
  return json({ ok: true, id, rev: written }, parsed.deleted ? 200 : 201, headers);
}

export async function deleteDocument(call: DatabaseCall): Promise<Reply> {
  const id = idOfPath(call);
  const rev = givenRev(call, undefined);
  if (isLocalDocId(id)) return await deleteLocalDocument(call, id, rev);
  // A document that is not there, or no longer, is not found, whatever revision is given.
  pickWinner(call.database, call.database.find(id));
  const origin: RevisionOrigin = { kind: "edit", parent: rev };
  const body = Buffer.from("{}");
  const outcome = await writeDocument(call, { id: id as DocId, origin, deleted: true, body, attachments: [] });
  return json({ ok: true, id, rev: outcome.rev }, 200, { ETag: etagOf(outcome.rev as RevId) });
}

/** `batch=ok`: answered before the write is on disk; that it cannot be written is for the log to say. */
export function answeredBefore(call: DatabaseCall, id: string, outcome: Promise<WriteOutcome>): Reply {
  outcome.catch((error: unknown) =>
    call.services.log.warn({ err: error, database: call.database.name }, "a batched write failed"),
  );
  return json({ ok: true, id }, 202);
}

/**
 * The revision that a request is about: by query, body or `If-Match`, which must agree.
 * @throws CouchError bad_request
 */
export function givenRev(call: DatabaseCall, inBody: RevId | undefined): RevId | undefined {
  const inQuery = call.query.rev();
  const ifMatch = call.headers["if-match"];
  const inHeader = ifMatch === undefined ? undefined : parseRevId(ifMatch.replace(/^"(.*)"$/, "$1"));
  if (inHeader !== undefined && [inQuery, inBody].some((rev) => rev !== undefined && rev !== inHeader)) {
    throw new CouchError("bad_request", "Document rev and etag have different values");
  }
  if (inQuery !== undefined && inBody !== undefined && inQuery !== inBody) {
    throw new CouchError("bad_request", "Document rev from request body and query string have different values");
  }
  return inQuery ?? inHeader ?? inBody;
}

async function readIncoming(
  call: DatabaseCall,
): Promise<{ readonly parsed: ParsedDocument; readonly contents: ReadonlyMap<string, TakenContent> }> {
  const type = call.headers["content-type"] ?? "";
  if (/^multipart\/related\b/i.test(type) && multipartBoundary(type) !== undefined)
    return await readMultipartDocument(call);
  const parsed = parseDocument(scanDocument(await readDocumentBody(call)));
  checkDocumentSize(call, parsed, "");
  return { parsed, contents: await takeInlineAttachments(call, parsed) };
}

function originOf(call: DatabaseCall, parsed: ParsedDocument, rev: RevId | undefined): RevisionOrigin {
  if (call.query.get("new_edits") === "false") return replicatedOrigin({ ...parsed, rev });
  return editOrigin({ ...parsed, rev });
}

function headersOf(shown: ShownRevision, { show }: DocumentQuery): { readonly ETag: string } | undefined {
  if (showsOtherRevisions(shown, show)) return undefined;
  return { ETag: etagOf(revOf(shown.document.record.tree[shown.index] as RevisionNode)) };
}

function wantsBytes({ show }: DocumentQuery): boolean {
  return show.attachments === true || show.attsSince !== undefined;
}
