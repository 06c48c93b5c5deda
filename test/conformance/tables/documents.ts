/** `/{db}/{docid}` and `POST /{db}`: bodies, members, ids, revisions and parameters that are refused. */
import { gzipSync } from "node:zlib";
import { clearer, eachBodyRefused, eachRefused, onlySettee, refused, socketLayer } from "./rows.js";
import type { Row, Table } from "./table.js";

const utf8 = (before: string, bytes: readonly number[], behind: string): Buffer =>
  Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(behind)]);
const notUtf8: Readonly<Record<string, readonly number[]>> = {
  "half of a pair in UTF-8": [0xed, 0xa0, 0x80],
  "a character beyond Unicode": [0xf5, 0x80, 0x80, 0x80],
  "a letter spelt too long": [0xe0, 0x81, 0x81],
  "a letter cut short": [0xe2, 0x82],
  "a byte that begins nothing": [0x80],
};
const gzipped = gzipSync('{"n":1}');
const chunked = (...chunks: readonly string[]): string =>
  [
    "PUT /{{db}}/raw HTTP/1.1",
    "Host: {{host}}",
    "Authorization: {{authorization}}",
    "Content-Type: application/json",
    "Transfer-Encoding: chunked",
    "",
    ...chunks,
  ].join("\r\n");
const withLength = (length: number, body: string): string =>
  chunked(body).replace("Transfer-Encoding: chunked", `Content-Length: ${length}`);

const malformed: Readonly<Record<string, string>> = {
  "a brace too many": '{"n":1}}',
  "a bracket for a brace": '{"n":1]',
  "an object in an unfinished list": '[{"n":1}',
  "a number without digits": '{"n":-}',
  "an exponent without digits": '{"n":1e}',
  "a point without digits": '{"n":1.}',
  "two noughts": '{"n":00}',
  "a negative number with a nought in front": '{"n":-01}',
  "a number too large for a double": '{"n":-1e999}',
  "a word cut short": '{"n":tru}',
  "a word too long": '{"n":nullx}',
  "a word in capitals": '{"n":True}',
  Infinity: '{"n":-Infinity}',
  "two commas": '{"n":1,,"m":2}',
  "a comma first": '{,"n":1}',
  "a comma last in a list": '{"n":[1,]}',
  "a colon twice": '{"n"::1}',
  "a name that is a number": "{1:2}",
  "a control character in a string": '{"n":"\u0001"}',
  "an escape cut short": '{"n":"\\u00"}',
  "an escape of no hexadecimal digits": '{"n":"\\uzzzz"}',
  "half a pair before a letter": '{"n":"\\ud800\\u0041"}',
  "half a pair as a name": '{"\\udc00":1}',
  "a NUL behind the end": '{"n":1}\0',
  "a byte order mark": '\ufeff{"n":1}',
  "a string that never ends": '{"n":"',
  "lists that never end": "[".repeat(20_000),
  "a form": "n=1&m=2",
  "a page": "<html></html>",
};

const rows: readonly Row[] = [
  ...eachBodyRefused("bad_request", "PUT /{{db}}/new", malformed),
  ...Object.entries(notUtf8).map(([name, bytes]) =>
    refused("bad_request", name, "PUT /{{db}}/new", { bytes: () => utf8('{"n":"', bytes, '"}') }),
  ),
  ...eachBodyRefused("doc_validation", "PUT /{{db}}/new", {
    "_deleted is text": '{"_deleted":"true"}',
    "_deleted is nought": '{"_deleted":0}',
    "_attachments are text": '{"_attachments":"f"}',
    "_attachments are null": '{"_attachments":null}',
    "_revisions are a list": '{"_revisions":[]}',
    "_revisions are nothing": '{"_revisions":{}}',
    "_revisions without ids": '{"_revisions":{"start":1}}',
    "_revisions begin with a fraction": '{"_revisions":{"start":1.5,"ids":["a"]}}',
    "_revisions of lists": '{"_revisions":{"start":1,"ids":[["a"]]}}',
    "a member of the prototype": '{"__proto__":{"x":1}}',
    "a member of the prototype, escaped": '{"\\u005f_proto__":{"x":1}}',
    "a member that is only an underscore, escaped": '{"\\u005F":1}',
    "a member that is none": '{"n":1,"_security":{}}',
  }),
  ...eachBodyRefused("illegal_docid", "POST /{{db}}", {
    "_id is true": '{"_id":true}',
    "_id is an object": '{"_id":{"toString":"x"}}',
    "_id is the prototype": '{"_id":"__proto__"}',
    "_id twice, the last of them a number": '{"_id":"good","_id":1}',
    "_id twice, the last of them nothing": '{"_id":"good","\\u005fid":""}',
  }),
  ...eachBodyRefused("bad_request", "POST /{{db}}", {
    "_rev is a list": '{"_rev":["1-a"]}',
    "_rev is true": '{"_rev":true}',
    "_rev with a point": '{"_rev":"1.0-a"}',
    "_rev with an exponent": '{"_rev":"1e3-a"}',
    "_rev in other digits": '{"_rev":"\u0661-a"}',
    "_rev that is 32 letters": '{"_rev":"1-zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"}',
    "_rev twice, the last of them bad": '{"_rev":"1-a","_rev":"x"}',
  }),
  ...eachRefused("bad_request", {
    "rev with a NUL": "GET /{{db}}/a?rev=%00",
    "rev in hexadecimal": "GET /{{db}}/a?rev=0x1-a",
    "rev that is only a hyphen": "GET /{{db}}/a?rev=-",
    "open_revs cut short": "GET /{{db}}/a?open_revs=%5B",
    "open_revs is true": "GET /{{db}}/a?open_revs=true",
    "open_revs with one bad": "GET /{{db}}/a?open_revs=%5B%221-a%22,%22x%22%5D",
    "atts_since cut short": "GET /{{db}}/a?attachments=true&atts_since=%5B%221-a%22",
    "DELETE with a bad revision": "DELETE /{{db}}/a?rev=x",
    "bad percent-encoding in an id": "GET /{{db}}/%x1",
  }),
  refused("bad_request", "If-Match of nothing", "PUT /{{db}}/a", { headers: { "if-match": '""' }, text: "{}" }),
  refused("bad_request", "If-Match of two", "PUT /{{db}}/a", {
    headers: { "if-match": '"x", "y"' },
    text: "{}",
  }),
  ...eachRefused("conflict", {
    "DELETE without a revision": "DELETE /{{db}}/a",
    "DELETE of another revision": "DELETE /{{db}}/a?rev=1-00000000000000000000000000000000",
  }),
  refused("conflict", "a revision from nowhere", "PUT /{{db}}/a", { text: '{"_rev":"7-abc"}' }),
  refused("conflict", "no revision", "PUT /{{db}}/a", { text: "{}" }),
  refused("conflict", "a revision of huge generation", "PUT /{{db}}/a", { text: '{"_rev":"9999999998-abc"}' }),
  ...eachRefused("not_found", {
    "not there": "GET /{{db}}/nowhere",
    "not there, with markup": "GET /{{db}}/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "the constructor": "GET /{{db}}/constructor",
    "a revision that is not there": "GET /{{db}}/a?rev=1-00000000000000000000000000000000",
    "DELETE what is not there": "DELETE /{{db}}/nowhere?rev=1-a",
  }),
  { name: "HEAD of what is not there", ask: "HEAD /{{db}}/nowhere", status: 404 },
  { name: "HEAD of a bad revision", ask: "HEAD /{{db}}/a?rev=x", status: 400 },
  ...eachRefused(
    "illegal_docid",
    {
      "an id with an underscore first": "PUT /{{db}}/_new",
      "an id with an underscore first, escaped": "PUT /{{db}}/%5Fnew",
      "a design document of other case": "PUT /{{db}}/_Design%2Fx",
    },
    { text: "{}" },
  ),
  ...["text/json", "application/json5", "text/plain", "application/xml", "*/*", "json"].map((type) =>
    refused("bad_content_type", `POST as ${type}`, "POST /{{db}}", { headers: { "content-type": type }, text: "{}" }),
  ),
  refused("bad_content_type", "POST without a type", "POST /{{db}}", { headers: { "content-type": "" }, text: "{}" }),
  ...["br", "deflate", "gzip, gzip", "GZIP"].map((encoding) =>
    refused("bad_content_type", `a body in ${encoding}`, "PUT /{{db}}/new", {
      headers: { "content-encoding": encoding },
      bytes: () => gzipped,
    }),
  ),
  refused("bad_request", "gzip that is garbage", "PUT /{{db}}/new", {
    headers: { "content-encoding": "gzip" },
    bytes: () => Buffer.from("\x1f\x8b\x08garbage", "latin1"),
  }),
  refused("bad_request", "gzip that is cut short", "PUT /{{db}}/new", {
    headers: { "content-encoding": "gzip" },
    bytes: () => gzipped.subarray(0, gzipped.length - 6),
  }),
  refused("bad_request", "gzip of what is no JSON", "PUT /{{db}}/new", {
    headers: { "content-encoding": "gzip" },
    bytes: () => gzipSync("{"),
  }),
  {
    name: "gzip",
    ask: "PUT /{{db}}/gzip",
    headers: { "content-encoding": "gzip" },
    bytes: () => gzipped,
    status: 201,
    writes: true,
  },
  refused("document_too_large", "a document that is too large", "PUT /{{db}}/new", { text: '{"a":"{{x*8000001}}"}' }),
  refused("document_too_large", "a document that is too large, by its id's name", "POST /{{db}}", {
    text: '{"_id":"large","a":"{{x*8000001}}"}',
    has: ["large"],
  }),
  refused("unauthorized", "a stranger's", "PUT /{{db}}/new", { as: "anonymous", text: "{}" }),
  refused("unauthorized", "a stranger's, malformed", "PUT /{{db}}/new", { as: "anonymous", text: "{" }),
  { name: "a body in chunks", raw: chunked("2", '{"', "5", 'n":1}', "0", "", ""), status: 201, writes: true },
  { name: "chunks that are no JSON", raw: chunked("1", "{", "0", "", ""), status: 400, error: "bad_request" },
  { name: "no chunks at all", raw: chunked("0", "", ""), status: 400, error: "bad_request" },
  {
    name: "100 Continue",
    ask: "PUT /{{db}}/continue",
    headers: { expect: "100-continue" },
    text: "{}",
    status: 201,
    writes: true,
  },
  { name: "an id of 20,000 characters", ask: "POST /{{db}}", text: '{"_id":"{{i*20000}}"}', status: 201, writes: true },
  ...onlySettee(socketLayer, [
    {
      name: "a chunk whose length is no number",
      raw: chunked("zz", "{}", "0", "", ""),
      status: 400,
      error: "bad_request",
    },
    { name: "a chunk of negative length", raw: chunked("-2", "{}", "0", "", ""), status: 400, error: "bad_request" },
    { name: "a chunk longer than it says", raw: chunked("1", "{}", "0", "", ""), status: 400, error: "bad_request" },
    { name: "a length too short", raw: withLength(3, '{"n":1}'), status: 400, error: "bad_request" },
    { name: "a length too long", raw: withLength(50, '{"n":1}'), status: 400, error: "bad_request", hangsUp: true },
    { name: "chunks that never end", raw: chunked("7", '{"n":1}'), status: 400, error: "bad_request", hangsUp: true },
    {
      name: "headers that never end",
      raw: "PUT /{{db}}/raw HTTP/1.1\r\nHost: {{host}}\r\n",
      status: 400,
      hangsUp: true,
    },
  ]),
  ...onlySettee(clearer, [
    ...eachBodyRefused("doc_validation", "PUT /{{db}}/new?new_edits=false", {
      "_revisions begin below nought": '{"_revisions":{"start":-1,"ids":["a"]}}',
      "_revisions begin with nought": '{"_revisions":{"start":0,"ids":["a"]}}',
      "_revisions of no ids": '{"_revisions":{"start":1,"ids":[]}}',
    }),
  ]),
  ...onlySettee("a revision has a bounded length here, so that a tree cannot be bloated", [
    refused("bad_request", "a revision of 200 characters", "PUT /{{db}}/new", { text: '{"_rev":"1-{{z*200}}"}' }),
  ]),
];

export const documents: Table = { family: "documents", rows };
