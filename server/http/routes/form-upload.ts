/**
 * `POST /{db}/{docid}`: attachments sent by a form of a page that the same host serves, as CouchDB takes them. The form's `_rev` names
 * the revision that they are added to, or its `_doc` is the document; each file in `_attachments` is an attachment.
 */

import { CouchError } from "../../../protocol/errors.js";
import { type DocId, isLocalDocId, parseDocId, parseRevId, type RevId } from "../../../protocol/ids.js";
import { readParameters } from "../../documents/attachments/following-parts.js";
import { type MultipartPart, multipartBoundary, readMultipart } from "../../documents/attachments/multipart-reader.js";
import type { IncomingRevision, NewAttachment } from "../../documents/incoming-revision.js";
import { scanDocument } from "../../documents/json/json-text.js";
import { checkAttachmentName, editOrigin, parseDocument, toRevision } from "../../documents/parse-document.js";
import { bodyStream } from "../body.js";
import { type DatabaseCall, json, type Reply } from "../call.js";
import { checkDocumentSize, jsonLimit } from "../document-limits.js";
import { etagOf } from "../etag.js";
import { takeInlineAttachments } from "../multipart-document.js";
import { writeDocument } from "../write-documents.js";
import { baseOf, mayWrite, refuseLocalAttachment } from "./attachment.js";
import { givenRev, idOfPath } from "./document.js";

/** What a form brought. */
interface Form {
  readonly doc: Buffer | undefined;
  readonly rev: string | undefined;
  /** By name. */
  readonly files: ReadonlyMap<string, NewAttachment>;
}

export async function uploadForm(call: DatabaseCall): Promise<Reply> {
  checkReferer(call);
  const id = parseDocId(idOfPath(call));
  if (isLocalDocId(id)) refuseLocalAttachment(call);
  const type = call.headers["content-type"] ?? "";
  if (type.split(";", 1)[0]?.trim() !== "multipart/form-data") {
    throw new CouchError("bad_content_type", "Content-Type must be multipart/form-data");
  }
  mayWrite(call, id);
  const form = await readForm(call, type);
  const revision = form.doc === undefined ? editOf(call, id, form.rev) : await documentOf(call, id, form.doc);
  const others = revision.attachments.filter(({ name }) => !form.files.has(name));
  const { rev } = await writeDocument(call, { ...revision, attachments: [...form.files.values(), ...others] });
  return json({ ok: true, id, rev }, 201, { ETag: etagOf(rev as RevId) });
}

/** Any page can send a form to any host, and a browser adds its cookies: only the host's own pages may. @throws CouchError bad_request */
function checkReferer({ headers, origin }: DatabaseCall): void {
  const { referer } = headers;
  if (!referer) throw new CouchError("bad_request", "Referer header required.");
  const { host } = new URL(origin);
  if (!URL.canParse(referer) || new URL(referer).host !== host) {
    throw new CouchError("bad_request", "Referer header must match host.");
  }
}

async function readForm(call: DatabaseCall, type: string): Promise<Form> {
  const boundary = multipartBoundary(type);
  if (boundary === undefined) throw new CouchError("bad_request", "The form's type names no boundary.");
  const texts = new Map<string, Buffer>();
  const files = new Map<string, NewAttachment>();
  const parts = readMultipart(bodyStream(call), boundary);
  try {
    for await (const part of parts) {
      const { name, filename } = readParameters(part.headers["content-disposition"]);
      if (name === "_attachments" && filename) files.set(filename, await takeFile(call, filename, part));
      else if (name === "_doc" || name === "_rev") texts.set(name, await readText(call, part));
    }
  } finally {
    await parts.return();
  }
  return { doc: texts.get("_doc"), rev: texts.get("_rev")?.toString(), files };
}

async function takeFile(call: DatabaseCall, name: string, { headers, body }: MultipartPart): Promise<NewAttachment> {
  checkAttachmentName(name);
  const contentType = headers["content-type"] ?? "application/octet-stream";
  const limit = call.services.config.limits.maxAttachmentSize;
  const content = await call.database.takeAttachment(body, { contentType, limit });
  return { kind: "new", name, contentType, content };
}

async function readText(call: DatabaseCall, { body }: MultipartPart): Promise<Buffer> {
  const limit = jsonLimit(call);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) throw new CouchError("too_large", `The request body may have at most ${limit} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The revision that the form names, as it is. */
function editOf(call: DatabaseCall, id: DocId, text: string | undefined): IncomingRevision {
  if (text === undefined) throw new CouchError("bad_request", "The form has neither _rev nor _doc.");
  const parent = parseRevId(text.trim());
  const base = baseOf(call, id, parent);
  return {
    id,
    origin: { kind: "edit", parent },
    deleted: base?.deleted ?? false,
    body: base?.value.body ?? Buffer.from("{}"),
    attachments: (base?.value.attachments ?? []).map(({ name }) => ({ kind: "stub", name })),
  };
}

async function documentOf(call: DatabaseCall, id: DocId, text: Buffer): Promise<IncomingRevision> {
  const parsed = parseDocument(scanDocument(text), id);
  checkDocumentSize(call, parsed, "");
  const rev = givenRev(call, parsed.rev);
  const contents = await takeInlineAttachments(call, parsed);
  return toRevision(parsed, id, editOrigin({ ...parsed, rev }), contents);
}
