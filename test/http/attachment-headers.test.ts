import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { AttachmentInfo } from "../../server/documents/attachments/attachment-info.js";
import { attachmentHeaders } from "../../server/http/attachment-headers.js";

function info(members: Partial<AttachmentInfo>): AttachmentInfo {
  const plain = { name: "f", contentType: "image/png", revpos: 1, length: 5, storedLength: 5 };
  return { ...plain, digest: "md5-XUFAKrxLKna5cZ2REBfFkg==", ...members };
}

test("an attachment names its type, its digest and that parts of it can be had, and may act as nobody", () => {
  deepEqual(attachmentHeaders(info({})), {
    "Accept-Ranges": "bytes",
    "Content-Security-Policy": "sandbox",
    "Content-Type": "image/png",
    ETag: '"XUFAKrxLKna5cZ2REBfFkg=="',
  });
});

test("parts of a compressed one are not to be had: they would be parts of other bytes", () => {
  equal(attachmentHeaders(info({ encoding: "gzip" }))["Accept-Ranges"], "none");
});

const pages = [
  "text/html",
  "TEXT/HTML; charset=utf-8",
  "text/xml",
  "application/xml",
  "application/xhtml+xml",
  "image/svg+xml",
  "application/anything+xml ; x=y",
];
for (const contentType of pages) {
  test(`${contentType} is a download in the sandbox`, () => {
    const headers = attachmentHeaders(info({ contentType }));
    equal(headers["Content-Disposition"], "attachment");
    equal(headers["Content-Security-Policy"], "sandbox");
  });
}

for (const contentType of [
  "text/plain",
  "image/png",
  "application/pdf",
  "text/htmlx",
  "x; y=text/html",
  "application/json",
]) {
  test(`${contentType} can be shown, in the sandbox`, () => {
    const headers = attachmentHeaders(info({ contentType }));
    equal(headers["Content-Disposition"], undefined);
    equal(headers["Content-Security-Policy"], "sandbox");
  });
}

for (const contentType of ["a/b\r\nSet-Cookie: x=y", "a/b\nc", "a/\u0000", "text/ž"]) {
  test(`${JSON.stringify(contentType)} begins no header of its own`, () => {
    equal(attachmentHeaders(info({ contentType }))["Content-Type"], "application/octet-stream");
  });
}
