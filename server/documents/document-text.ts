/**
 * A document as JSON text. The stored body is spliced in as bytes, between the members that CouchDB puts in front of it and those
 * it puts behind; it is never parsed.
 */
import type { AttachmentInfo } from "./attachments/attachment-info.js";
import { ByteWriter } from "./bytes.js";
import type { RevisionValue } from "./document-record.js";

export interface DocumentText {
  readonly id: string;
  /** Undefined: the document is not written yet, and shows none. */
  readonly rev: string | undefined;
  readonly deleted: boolean;
  readonly value: RevisionValue;
  /** Members behind the body, as JSON values, in order: `_revisions`, `_conflicts`, ... */
  readonly meta?: readonly (readonly [name: string, value: unknown])[];
  /** How attachments are shown; stubs when not given. */
  readonly attachment?: (info: AttachmentInfo) => Record<string, unknown>;
}

/** Appends the document's text. Ids and revisions without a special character skip JSON's quoting. */
export function writeDocument(out: ByteWriter, { id, rev, deleted, value, meta, attachment }: DocumentText): void {
  out.utf8(rev === undefined ? `{"_id":${quote(id)}` : `{"_id":${quote(id)},"_rev":${quote(rev)}`);
  const { body } = value;
  // `{}` adds nothing; any other body loses its opening brace to a comma, and its closing one to what follows.
  if (body.length > 2) out.latin1(",").raw(body.subarray(1, body.length - 1));
  if (deleted) out.latin1(',"_deleted":true');
  if (meta) for (const [name, member] of meta) out.utf8(`,${JSON.stringify(name)}:${JSON.stringify(member)}`);
  if (value.attachments.length > 0) {
    const shown = attachment ?? attachmentStub;
    const members = value.attachments.map((info) => `${JSON.stringify(info.name)}:${JSON.stringify(shown(info))}`);
    out.utf8(`,"_attachments":{${members.join(",")}}`);
  }
  out.latin1("}");
}

export function documentText(document: DocumentText): Buffer {
  const out = new ByteWriter(document.value.body.length + 512);
  writeDocument(out, document);
  return out.take();
}

export function attachmentStub(info: AttachmentInfo): Record<string, unknown> {
  return {
    content_type: info.contentType,
    revpos: info.revpos,
    digest: info.digest,
    length: info.length,
    stub: true,
  };
}

const plain = /^[\w.:@ -]*$/;

/** JSON text of a string that is most often plain. */
export function quote(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text);
}
