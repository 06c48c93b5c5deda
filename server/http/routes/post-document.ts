/** `POST /{db}`: a document that may come without an id. */
import { isLocalDocId, type RevId } from "../../../protocol/ids.js";
import { scanDocument } from "../../documents/json/json-text.js";
import { editOrigin, parseDocument, toRevision } from "../../documents/parse-document.js";
import { requireJson } from "../body.js";
import { type DatabaseCall, json, type Reply } from "../call.js";
import { checkDocumentSize, readDocumentBody } from "../document-limits.js";
import { locationOf } from "../locations.js";
import { takeInlineAttachments } from "../multipart-document.js";
import { newDocId } from "../uuids.js";
import { writeDocument } from "../write-documents.js";
import { answeredBefore } from "./document.js";
import { storeLocal } from "./local-document.js";

export async function postDocument(call: DatabaseCall): Promise<Reply> {
  requireJson(call);
  const parsed = parseDocument(scanDocument(await readDocumentBody(call)));
  const id = parsed.id ?? newDocId(call.services.config.uuids);
  checkDocumentSize(call, parsed, id);
  const Location = locationOf(call, call.database.name, id);
  if (isLocalDocId(id)) {
    const rev = await storeLocal(call, id, parsed, parsed.rev);
    return json({ ok: true, id, rev }, 201, { Location });
  }
  const contents = await takeInlineAttachments(call, parsed);
  const outcome = writeDocument(call, toRevision(parsed, id, editOrigin(parsed), contents));
  if (call.query.get("batch") === "ok") return answeredBefore(call, id, outcome);
  return json({ ok: true, id, rev: (await outcome).rev as RevId }, 201, { Location });
}
