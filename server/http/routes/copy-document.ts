/** `COPY /{db}/{docid}`: one document's revision becomes another document, or a new revision of it. */
import { CouchError } from "../../../protocol/errors.js";
import { type DocId, isLocalDocId, parseDocId, parseRevId, type RevId } from "../../../protocol/ids.js";
import type { RevisionValue } from "../../documents/document-record.js";
import type { RevisionNode } from "../../documents/revisions/tree.js";
import { pickRevision, pickWinner } from "../../documents/show-document.js";
import { type DatabaseCall, json, type Reply } from "../call.js";
import { etagOf } from "../etag.js";
import { locationOf } from "../locations.js";
import { writeDocument } from "../write-documents.js";
import { idOfPath } from "./document.js";
import { localIdOf, storeLocal } from "./local-document.js";

export async function copyDocument(call: DatabaseCall): Promise<Reply> {
  const destination = parseDestination(call.headers["destination"]);
  const rev = await write(call, destination, sourceOf(call));
  const { id } = destination;
  const headers = { ETag: etagOf(rev), Location: locationOf(call, call.database.name, id) };
  return json({ ok: true, id, rev }, 201, headers);
}

interface Destination {
  readonly id: DocId;
  /** The revision that the copy goes on top of. */
  readonly rev: RevId | undefined;
}

/** A path beside the source, with `?rev=` when a document is there already. @throws CouchError bad_request, illegal_docid */
function parseDestination(header: string | string[] | undefined): Destination {
  if (typeof header !== "string") throw new CouchError("bad_request", "Destination header is mandatory for COPY.");
  if (/^https?:\/\//.test(header)) throw new CouchError("bad_request", "Destination URL must be relative.");
  const [path, query] = header.split(/\?(.*)/s) as [string, string?];
  const rev = query === undefined ? undefined : parseRevId(/^rev=(.*)$/s.exec(query)?.[1]);
  return { id: parseDocId(decode(path)), rev };
}

/** Headers come byte by byte; a name beyond ASCII may be in plain UTF-8 or escaped. */
function decode(path: string): string {
  try {
    return decodeURIComponent(Buffer.from(path, "latin1").toString());
  } catch {
    throw new CouchError("bad_request", "The Destination is not valid UTF-8 in percent-encoding.");
  }
}

interface Source {
  readonly value: RevisionValue;
  readonly deleted: boolean;
}

/** @throws CouchError not_found */
function sourceOf(call: DatabaseCall): Source {
  const { database } = call;
  const id = idOfPath(call);
  if (isLocalDocId(id)) {
    const local = database.findLocal(localIdOf(id));
    if (!local) throw new CouchError("not_found", "missing");
    return { value: { body: local.body, attachments: [] }, deleted: false };
  }
  const document = database.find(id);
  const rev = call.query.rev();
  if (!document) throw new CouchError("not_found", "missing");
  const shown = rev === undefined ? pickWinner(database, document) : pickRevision(database, document, rev);
  return { value: shown.value, deleted: (document.record.tree[shown.index] as RevisionNode).deleted };
}

async function write(call: DatabaseCall, { id, rev }: Destination, { value, deleted }: Source): Promise<string> {
  const { database } = call;
  const { body } = value;
  if (isLocalDocId(id)) return await storeLocal(call, id, { body, deleted }, rev);
  const attachments = value.attachments.map((info) => {
    const { name, contentType } = info;
    return { kind: "new" as const, name, contentType, content: database.shareAttachment(info) };
  });
  const outcome = await writeDocument(call, { id, origin: { kind: "edit", parent: rev }, deleted, body, attachments });
  return outcome.rev as RevId;
}
