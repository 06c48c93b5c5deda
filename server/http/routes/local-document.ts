/** `/{db}/_local/{id}`: documents that are not replicated and have no history. */
import { CouchError } from "../../../protocol/errors.js";
import type { DocId } from "../../../protocol/ids.js";
import { documentText } from "../../documents/document-text.js";
import { scanDocument } from "../../documents/json/json-text.js";
import type { LocalDocument } from "../../documents/local-documents.js";
import { type ParsedDocument, parseDocument } from "../../documents/parse-document.js";
import { type DatabaseCall, json, jsonText, type Reply } from "../call.js";
import { checkDocumentSize, readDocumentBody } from "../document-limits.js";
import { etagOf } from "../etag.js";
import { isMember } from "../is-member.js";
import { locationOf } from "../locations.js";
import { quotaOf } from "../quota.js";

/** Where local documents are kept, ids stand without their prefix. */
export function localIdOf(id: string): string {
  return id.slice("_local/".length);
}

export function localDocumentText(id: string, { rev, body }: LocalDocument, revs = false): Buffer {
  const meta: [string, unknown][] = revs ? [["_revisions", { start: 0, ids: [rev.slice(2)] }]] : [];
  return documentText({ id, rev, deleted: false, value: { body, attachments: [] }, meta });
}

export function readLocalDocument(call: DatabaseCall, id: string): Reply {
  const { database, query } = call;
  if (!isMember(call)) throw new CouchError("not_found", "missing");
  const local = database.findLocal(localIdOf(id));
  if (!local || query.has("rev") || query.has("open_revs")) throw new CouchError("not_found", "missing");
  return jsonText(localDocumentText(id, local, query.flag("revs")), 200, { ETag: etagOf(local.rev) });
}

export async function writeLocalDocument(call: DatabaseCall, id: DocId): Promise<Reply> {
  const parsed = parseDocument(scanDocument(await readDocumentBody(call)), id);
  checkDocumentSize(call, parsed, "");
  const ifMatch = call.headers["if-match"]?.replace(/^"(.*)"$/, "$1");
  const given = call.query.get("rev") ?? ifMatch ?? parsed.rev;
  const writing = storeLocal(call, id, parsed, given);
  if (call.query.get("batch") === "ok") {
    writing.catch((error: unknown) => call.services.log.warn({ err: error }, "a batched write failed"));
    return json({ ok: true, id }, 202);
  }
  const rev = await writing;
  const headers = { ETag: etagOf(rev), Location: locationOf(call, call.database.name, id) };
  const replicated = call.query.get("new_edits") === "false" && given !== undefined;
  return json({ ok: true, id, rev: replicated ? given : rev }, parsed.deleted ? 200 : 201, headers);
}

export async function deleteLocalDocument(call: DatabaseCall, id: string, rev: string | undefined): Promise<Reply> {
  const deleted = await deleteCounted(call, localIdOf(id), rev);
  return json({ ok: true, id, rev: deleted }, 200, { ETag: etagOf(deleted) });
}

/** Resolves to the new revision. */
export async function storeLocal(
  call: DatabaseCall,
  id: DocId,
  parsed: Pick<ParsedDocument, "body" | "deleted">,
  rev: string | undefined,
): Promise<string> {
  const { database, services } = call;
  const localId = localIdOf(id);
  const before = database.findLocal(localId)?.body.length;
  if (parsed.deleted) {
    // Deleting what is not there leaves it so.
    if (before !== undefined) await deleteCounted(call, localId);
    return "0-0";
  }
  const after = parsed.body.length;
  const release = (await quotaOf(call))?.admitLocal(before, after);
  try {
    const written = await database.writeLocal(localId, parsed.body, rev);
    const more = { documents: before === undefined ? 1 : 0, bytes: after - (before ?? 0) };
    services.gateway.sharing.quotas.wroteLocal(database.name, more);
    return written;
  } finally {
    release?.();
  }
}

async function deleteCounted({ database, services }: DatabaseCall, localId: string, rev?: string): Promise<string> {
  const before = database.findLocal(localId)?.body.length ?? 0;
  const deleted = await database.deleteLocal(localId, rev);
  services.gateway.sharing.quotas.wroteLocal(database.name, { documents: -1, bytes: -before });
  return deleted;
}
