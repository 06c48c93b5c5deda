/** `/`, `/_all_dbs`, `/_dbs_info`, `/_uuids`, paths that nobody answers, and requests that are hardly HTTP. */
import { clearer, eachBodyRefused, eachRefused, onlySettee, refused, socketLayer } from "./rows.js";
import type { Row, Table } from "./table.js";

const lines = (...all: readonly string[]): string => `${all.join("\r\n")}\r\n\r\n`;
const common = ["Host: {{host}}", "Authorization: {{authorization}}"];
const upload = ["PUT /{{db}}/raw HTTP/1.1", ...common, "Content-Type: application/json"];

/** Not HTTP, or HTTP that two servers in a row could read in two ways. */
const malformed: Readonly<Record<string, string>> = {
  "no request line": lines("nonsense"),
  "a version that is not there": lines("GET / HTTP/9.9", ...common),
  "a space before the colon": lines("GET / HTTP/1.1", ...common, "X-A : 1"),
  "a header without a colon": lines("GET / HTTP/1.1", ...common, "X-A"),
  "a NUL in a header": lines("GET / HTTP/1.1", ...common, "X-A: \0"),
  "a bare line feed in a header": lines("GET / HTTP/1.1", ...common, "X-A: 1\nX-B: 2\r"),
  "a path with a space": lines("GET /a b HTTP/1.1", ...common),
  "a path with a NUL": lines("GET /a\0b HTTP/1.1", ...common),
  "a length and chunks": `${lines(...upload, "Content-Length: 2", "Transfer-Encoding: chunked")}2\r\n{}\r\n0\r\n\r\n`,
  "two lengths": `${lines(...upload, "Content-Length: 2", "Content-Length: 7")}{}`,
  "a negative length": `${lines(...upload, "Content-Length: -2")}{}`,
  "a length in words": `${lines(...upload, "Content-Length: two")}{}`,
  "a length beyond all numbers": `${lines(...upload, "Content-Length: 99999999999999999999999")}{}`,
  "an unknown transfer encoding": `${lines(...upload, "Transfer-Encoding: rot13")}{}`,
  "chunked, but not last": `${lines(...upload, "Transfer-Encoding: chunked, gzip")}2\r\n{}\r\n0\r\n\r\n`,
  "a preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "a greeting of TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n",
};

const rows: readonly Row[] = [
  ...eachRefused("bad_request", {
    "count with an exponent": "GET /_uuids?count=1e3",
    "count in hexadecimal": "GET /_uuids?count=0x10",
    "count with a NUL": "GET /_uuids?count=1%00",
    "count in other digits": "GET /_uuids?count=%D9%A1",
    "count that is a list": "GET /_uuids?count=[1]",
    "count in bad percent-encoding": "GET /_uuids?count=%zz",
    "count beyond all numbers": "GET /_uuids?count=99999999999999999999999999",
    "startkey that is half a string": "GET /_all_dbs?startkey=%22a",
    "endkey that is no JSON": "GET /_all_dbs?endkey=undefined",
    "bad percent-encoding in the path": "GET /%zz",
    "half an escape in the path": "GET /%e",
  }),
  ...eachRefused("query_parse_error", {
    "skip of all databases is negative": "GET /_all_dbs?skip=-1",
    "limit of all databases is a fraction": "GET /_all_dbs?limit=1.5",
    "limit of all databases is nothing": "GET /_all_dbs?limit=",
    "limit of all databases is huge": "GET /_all_dbs?limit=9999999999999999999999",
    "descending is a number": "GET /_all_dbs?descending=1",
    "inclusive_end is a word": "GET /_all_dbs?inclusive_end=perhaps",
    "limit of the databases' infos is a word": "GET /_dbs_info?limit=ten",
  }),
  ...eachBodyRefused("bad_request", "POST /_dbs_info", {
    "keys cut short": '{"keys":["a",',
    "keys are an object": '{"keys":{}}',
    "keys are a number": '{"keys":1e3}',
    "keys in two versions, the last of them null": '{"keys":[],"keys":null}',
    "keys in the prototype": '{"__proto__":{"keys":[]}}',
    "keys in the constructor's prototype": '{"constructor":{"prototype":{"keys":[]}}}',
    "a body that is null": "null",
    "a body that is text": '"keys"',
    "a body that is nothing": "",
    "a body of blanks": " \r\n\t",
    "a body that is a form": "keys=[]",
  }),
  refused("bad_request", "a body that is not gzip", "POST /_dbs_info", {
    headers: { "content-encoding": "gzip" },
    text: '{"keys":[]}',
  }),
  refused("bad_content_type", "a body in an unknown encoding", "POST /_dbs_info", {
    headers: { "content-encoding": "br" },
    text: '{"keys":[]}',
  }),
  refused("bad_content_type", "a type that only begins as JSON", "POST /_dbs_info", {
    headers: { "content-type": "application/json5" },
    text: '{"keys":[]}',
  }),
  refused("bad_content_type", "two types", "POST /_dbs_info", {
    headers: { "content-type": "application/json, text/plain" },
    text: '{"keys":[]}',
  }),
  ...eachRefused("method_not_allowed", {
    "PATCH all databases": "PATCH /_all_dbs",
    "DELETE the uuids": "DELETE /_uuids",
    "TRACE the root": "TRACE /",
    "DELETE the health of the server": "DELETE /_up",
    "LINK the root": "LINK /",
  }),
  ...eachRefused("not_found", {
    "no such system path": "GET /_nowhere",
    "no such system path, deeper": "DELETE /_nowhere/at/all",
    "the prototype as a database": "GET /__proto__",
    "a path of other case": "GET /_ALL_DBS",
  }),
  refused("unauthorized", "no such system path for a stranger", "GET /_nowhere", { as: "anonymous" }),
  // CouchDB takes no notice of what is expected, but for 100-continue.
  {
    name: "an expectation that nobody knows",
    ask: "GET /",
    headers: { expect: "a miracle" },
    status: 200,
    has: ["Welcome"],
  },
  {
    name: "an upgrade that nobody does",
    ask: "GET /",
    headers: { upgrade: "websocket", connection: "upgrade" },
    status: 200,
  },
  { name: "a URL that is too long", ask: "GET /_all_dbs?startkey=%22{{y*9000}}%22", status: 400 },
  ...onlySettee(socketLayer, [
    ...Object.entries(malformed).map(([name, raw]): Row => ({ name, raw, status: 400, error: "bad_request" })),
    refused("bad_request", "headers that are too long", "GET /", { headers: { "x-long": "{{x*70000}}" }, status: 431 }),
    { name: "no host", raw: lines("GET / HTTP/1.1"), status: 400, answer: { "x-content-type-options": null } },
    { name: "CONNECT", raw: lines("CONNECT example.org:443 HTTP/1.1", ...common), status: "none" },
  ]),
  ...onlySettee(
    clearer,
    eachRefused("bad_request", { "a query that is not UTF-8": "GET /_all_dbs?startkey=%22%FF%22" }),
  ),
];

export const server: Table = { family: "server", rows };
