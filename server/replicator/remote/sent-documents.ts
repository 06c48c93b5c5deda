/** Documents as JSON text for `new_edits=false`: their bodies are spliced in as the bytes that they are. */
import { ByteWriter } from "../../documents/bytes.js";
import { writeDocument } from "../../documents/document-text.js";
import type { NamedAttachment, ParsedDocument } from "../../documents/parse-document.js";

export function bulkDocsBody(documents: readonly ParsedDocument[]): Buffer {
  const bytes = documents.reduce((sum, { body }) => sum + body.length + 256, 64);
  const out = new ByteWriter(bytes).latin1('{"new_edits":false,"docs":[');
  documents.forEach((document, index) => {
    if (index > 0) out.latin1(",");
    write(out, document);
  });
  return out.latin1("]}").view();
}

export function sentDocument(document: ParsedDocument): Buffer {
  const out = new ByteWriter(document.body.length + 1024);
  write(out, document);
  return out.view();
}

function write(out: ByteWriter, document: ParsedDocument): void {
  const { id, rev, history, deleted, body, attachments } = document;
  const meta: [string, unknown][] = [];
  if (history) meta.push(["_revisions", { start: history.start, ids: history.hashes }]);
  if (attachments.length > 0) {
    meta.push(["_attachments", Object.fromEntries(attachments.map((one) => [one.name, sentAttachment(one)]))]);
  }
  writeDocument(out, { id: id as string, rev, deleted, value: { body, attachments: [] }, meta });
}

function sentAttachment({ contentType, revpos, encoding, source }: NamedAttachment): Record<string, unknown> {
  const common = { content_type: contentType, ...(revpos === undefined ? {} : { revpos }) };
  if (source.kind === "stub") return { ...common, stub: true };
  const encoded = encoding === undefined ? {} : { encoding };
  if (source.kind === "inline") return { ...common, ...encoded, data: source.data.toString("base64") };
  const { length, decodedLength, md5 } = source;
  return {
    ...common,
    follows: true,
    ...(md5 === undefined ? {} : { digest: `md5-${md5}` }),
    ...(encoding === undefined ? { length } : { length: decodedLength ?? length, encoding, encoded_length: length }),
  };
}
