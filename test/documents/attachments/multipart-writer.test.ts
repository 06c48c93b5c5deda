import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import { readMultipart } from "../../../server/documents/attachments/multipart-reader.js";
import {
  type AttachmentPart,
  bulkGetBody,
  type Chunks,
  type MixedPart,
  multipartType,
  newBoundary,
  openRevsBody,
  type RelatedDocument,
  relatedBody,
  relatedLength,
} from "../../../server/documents/attachments/multipart-writer.js";

/** The text that CouchDB 3.5.0 answered, its boundaries replaced. */
function recorded(file: string, name: string): string {
  const url = new URL(`../../../../test/conformance/couchdb-3.5.0/${file}.json`, import.meta.url);
  const { steps } = JSON.parse(readFileSync(url, "utf8")) as { steps: { name: string; want: { text?: string } }[] };
  const text = steps.find((step) => step.name === name)?.want.text;
  assert.ok(text, `${file} has a step ${name}`);
  return text;
}

/** What was written, with its boundaries replaced as in the recordings. */
async function written(chunks: Chunks, boundary: string): Promise<string> {
  let text = (await buffer(chunks)).toString();
  for (const [, inner] of text.matchAll(/boundary="([0-9a-f]{32})"/g))
    text = text.replaceAll(inner as string, "<boundary>");
  return text.replaceAll('"<boundary>"', "<boundary>").replaceAll(boundary, "<boundary>");
}

/** The JSON texts in a recording, in order. */
const jsons = (text: string) => [...text.matchAll(/^\{.*\}$/gm)].map(([json]) => Buffer.from(json));
const part = (name: string, text: string): AttachmentPart => ({
  name,
  contentType: "application/octet-stream",
  length: text.length,
  read: () => [Buffer.from(text)],
});
const document = (json: Buffer | undefined, ...attachments: AttachmentPart[]): MixedPart & RelatedDocument => {
  assert.ok(json);
  return { kind: "document", json, attachments };
};

describe("multipart as CouchDB writes it", () => {
  const boundary = newBoundary();

  it("a document and its attachments", async () => {
    const want = recorded("22-multipart", "get related");
    const related = document(jsons(want)[0], part("x", "xxx"), part("y", "yyyy"));
    assert.equal(await written(relatedBody(related, boundary), boundary), want);
    assert.equal(relatedLength(related, boundary), (await buffer(relatedBody(related, boundary))).length);
  });

  it("open_revs", async () => {
    const all = recorded("13-open-revs", "multipart all");
    const documents = jsons(all).map((json) => document(json));
    assert.equal(documents.length, 3);
    assert.equal(await written(openRevsBody(documents, boundary), boundary), all);
    const missing = recorded("13-open-revs", "multipart missing");
    const errors = jsons(missing).map((json): MixedPart => ({ kind: "error", json }));
    assert.equal(await written(openRevsBody(errors, boundary), boundary), missing);
    const nested = recorded("22-multipart", "open_revs mixed with attachments");
    const nestedDocument = document(jsons(nested)[0], part("x", "xxx"), part("y", "yyyy"));
    assert.equal(await written(openRevsBody([nestedDocument], boundary), boundary), nested);
  });

  it("_bulk_get", async () => {
    const mixed = recorded("16-bulk-get", "multipart mixed");
    const [found, missing] = jsons(mixed);
    assert.ok(missing);
    const parts = [document(found), { kind: "error", json: missing } as const];
    assert.equal(await written(bulkGetBody(parts, boundary), boundary), mixed);
    const nested = recorded("16-bulk-get", "multipart mixed with attachments");
    const headers = { "X-Doc-Id": "att", "X-Rev-Id": "1-a" };
    const withAttachment = { ...document(jsons(nested)[0], part("f.bin", "binary")), headers };
    assert.equal(await written(bulkGetBody([withAttachment], boundary), boundary), nested);
    assert.equal(await written(bulkGetBody([], boundary), boundary), "");
  });
});

describe("multipart", () => {
  it("comes back from the reader", async () => {
    const boundary = newBoundary();
    const gzipped: AttachmentPart = { ...part("a.txt", "zipped"), contentType: "text/plain", encoding: "gzip" };
    const related = document(Buffer.from('{"_id":"a"}'), gzipped, part("é.bin", ""));
    const read: unknown[] = [];
    for await (const { headers, body } of readMultipart(Readable.from(relatedBody(related, boundary)), boundary)) {
      read.push({ ...headers, body: (await buffer(body)).toString() });
    }
    assert.deepEqual(read, [
      { "content-type": "application/json", body: '{"_id":"a"}' },
      {
        "content-disposition": 'attachment; filename="a.txt"',
        "content-type": "text/plain",
        "content-length": "6",
        "content-encoding": "gzip",
        body: "zipped",
      },
      {
        "content-disposition": 'attachment; filename="é.bin"',
        "content-type": "application/octet-stream",
        "content-length": "0",
        body: "",
      },
    ]);
  });

  it("keeps names and types on their line", async () => {
    const boundary = newBoundary();
    const evil = { ...part('a"\r\nX-Evil: 1', "x"), contentType: "text/plain\r\n\r\nboo" };
    const text = await written(relatedBody(document(Buffer.from("{}"), evil), boundary), boundary);
    assert.ok(text.includes('filename="a%22%0D%0AX-Evil: 1"\r\nContent-Type: text/plain%0D%0A%0D%0Aboo\r\n'));
  });

  it("has a boundary that no other has", () => {
    const boundaries = new Set(Array.from({ length: 100 }, newBoundary));
    assert.equal(boundaries.size, 100);
    assert.equal(multipartType("mixed", "abc"), 'multipart/mixed; boundary="abc"');
  });
});
