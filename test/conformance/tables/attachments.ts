/** `/{db}/{docid}/{attachment}` and attachments inside documents. */
import { clearer, eachBodyRefused, eachRefused, onlySettee, refused } from "./rows.js";
import type { Row, Table } from "./table.js";

const noSuchRev = "rev=1-00000000000000000000000000000000";
const inline = (attachment: string): string => `{"_attachments":{"f":${attachment}}}`;

const rows: readonly Row[] = [
  ...eachRefused("not_found", {
    "not there": "GET /{{db}}/a/nowhere",
    "of a document that is not there": "GET /{{db}}/nowhere/f",
    "the constructor": "GET /{{db}}/a/constructor",
    "the prototype": "GET /{{db}}/a/__proto__",
    "of a revision that is not there": `GET /{{db}}/a/f?${noSuchRev}`,
    "of other case": "GET /{{db}}/a/F",
    "below another": "GET /{{db}}/a/f/g",
    "deleted, not there": "DELETE /{{db}}/a/nowhere?rev={{rev}}",
  }),
  ...eachRefused("bad_request", {
    "of a bad revision": "GET /{{db}}/a/f?rev=x",
    "deleted of a bad revision": "DELETE /{{db}}/a/f?rev=0x1-a",
    "of a local document": "GET /{{db}}/_local/l/f",
    "put on a local document": "PUT /{{db}}/_local/l/f",
    "deleted from a local document": "DELETE /{{db}}/_local/l/f",
  }),
  refused("bad_request", "put with a name of the server", "PUT /{{db}}/a/_f?rev={{rev}}", { text: "x" }),
  refused("bad_request", "put with a bad revision", "PUT /{{db}}/a/g?rev=x", { text: "x" }),
  refused("conflict", "put without a revision", "PUT /{{db}}/a/g", { text: "x" }),
  refused("conflict", "deleted without a revision", "DELETE /{{db}}/a/f"),
  refused("not_found", "put on a revision that is not there", `PUT /{{db}}/a/g?${noSuchRev}`, {
    text: "x",
    status: 409,
  }),
  refused("not_found", "put with a revision on what is not there", `PUT /{{db}}/new/g?${noSuchRev}`, {
    text: "x",
    status: 409,
  }),
  refused("not_found", "deleted from a revision that is not there", `DELETE /{{db}}/a/f?${noSuchRev}`, { status: 409 }),
  refused("illegal_docid", "put on a document of the server", "PUT /{{db}}/_new/f", { text: "x" }),
  ...["br", "deflate", "gzip, br", "x"].map((encoding) =>
    refused("bad_content_type", `put in ${encoding}`, "PUT /{{db}}/new/f", {
      headers: { "content-encoding": encoding, "content-type": "text/plain" },
      text: "x",
    }),
  ),
  ...["bytes=13-", "bytes=99999999999999999999-", "bytes=5-2", "bytes=-0", "bytes=0-1,13-14"].map((range) =>
    refused("requested_range_not_satisfiable", `the range ${range}`, "GET /{{db}}/a/plain", {
      headers: { range, "accept-encoding": "identity" },
    }),
  ),
  ...["lines=0-1", "bytes=", "bytes=a-b", "bytes=1", "bytes=--1", "bytes=0x1-2"].map(
    (range): Row => ({
      name: `no range at all: ${range}`,
      ask: "GET /{{db}}/a/plain",
      headers: { range },
      status: 200,
    }),
  ),
  ...eachRefused("method_not_allowed", {
    "POST an attachment": "POST /{{db}}/a/f",
    "COPY an attachment": "COPY /{{db}}/a/f",
    "PATCH an attachment": "PATCH /{{db}}/a/f",
  }),
  refused("unauthorized", "read by a stranger", "GET /{{db}}/a/f", { as: "anonymous" }),
  refused("unauthorized", "put by a stranger", "PUT /{{db}}/new/f", { as: "anonymous", text: "x" }),
  ...eachBodyRefused("bad_request", "PUT /{{db}}/new", {
    "data with a letter too many": inline('{"data":"eA==e"}'),
    "data in the alphabet of URLs": inline('{"data":"_-8="}'),
    "data that is a list": inline('{"data":["eA=="]}'),
    "data that is true": inline('{"data":true}'),
    "no data": inline("{}"),
    "a stub that is text": inline('{"stub":"true"}'),
    "a name of the server": '{"_attachments":{"_f":{"data":"eA=="}}}',
    "the prototype as a name": '{"_attachments":{"__proto__":{"data":"eA=="}}}',
  }),
  refused("missing_stub", "a stub of nothing", "PUT /{{db}}/new", { text: inline('{"stub":true}') }),
  refused("missing_stub", "a stub of another revision's", "PUT /{{db}}/a", {
    text: '{"_rev":"{{rev}}","_attachments":{"f":{"stub":true,"revpos":7}}}',
  }),
  ...onlySettee(clearer, [
    ...eachBodyRefused("bad_request", "PUT /{{db}}/new", {
      "a type that is a number": inline('{"content_type":1,"data":"eA=="}'),
      "bytes that follow nowhere": inline('{"follows":true,"length":1}'),
    }),
    refused("not_acceptable", "in no encoding at all", "GET /{{db}}/a/f", {
      headers: { "accept-encoding": "identity;q=0, *;q=0" },
    }),
    refused("bad_request", "in an encoding of no quality", "GET /{{db}}/a/f", {
      headers: { "accept-encoding": "gzip;q=much" },
    }),
  ]),
  ...onlySettee("bytes that were damaged on their way are refused before they are stored", [
    refused("content_md5_mismatch", "put with another digest", "PUT /{{db}}/new/f", {
      headers: { "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" },
      text: "x",
    }),
    refused("content_md5_mismatch", "put with a digest that is none", "PUT /{{db}}/new/f", {
      headers: { "content-md5": "x" },
      text: "x",
    }),
  ]),
  ...onlySettee("the length that a client declares is refused before a byte of it was read", [
    {
      name: "an attachment of a declared terabyte",
      raw: "PUT /{{db}}/new/f HTTP/1.1\r\nHost: {{host}}\r\nAuthorization: {{authorization}}\r\nContent-Length: 1099511627776\r\n\r\nx",
      status: 413,
      error: "attachment_too_large",
      hangsUp: true,
    },
  ]),
  ...onlySettee("an attachment that is no object is refused; CouchDB drops it and says 201", [
    ...eachBodyRefused("bad_request", "PUT /{{db}}/new", {
      "an attachment that is null": inline("null"),
      "an attachment that is text": inline('"eA=="'),
      "an attachment that is a list": inline('["eA=="]'),
    }),
  ]),
];

export const attachments: Table = { family: "attachments", rows };
