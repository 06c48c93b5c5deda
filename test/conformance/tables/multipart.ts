/** `multipart/related` on its way in. */
import { eachRefused, onlySettee, refused } from "./rows.js";
import type { Row, Table } from "./table.js";

const related = { "content-type": 'multipart/related; boundary="bb"' };
const document = (json: string): string => `--bb\r\nContent-Type: application/json\r\n\r\n${json}`;
const following = (more: string): string =>
  `{"_attachments":{"f":{"follows":true,"content_type":"text/plain"${more}}}}`;
const put = "PUT /{{db}}/new";
const body = (name: string, text: string, more: object = {}): Row =>
  refused("bad_request", name, put, { headers: related, text, ...more });

const rows: readonly Row[] = [
  body("the document is cut short", `${document('{"n":1')}\r\n--bb--`),
  body("the document is a list", `${document("[]")}\r\n--bb--`),
  body("the document has half a pair", `${document('{"n":"\\ud800"}')}\r\n--bb--`),
  body("the document has a byte order mark", `${document("\ufeff{}")}\r\n--bb--`),
  body("a part that is too short", `${document(following(',"length":5'))}\r\n--bb\r\n\r\nabc\r\n--bb--`),
  body("a part that is too long", `${document(following(',"length":2'))}\r\n--bb\r\n\r\nabc\r\n--bb--`),
  refused("doc_validation", "the document has a member of the prototype", put, {
    headers: related,
    text: `${document('{"__proto__":{"x":1}}')}\r\n--bb--`,
  }),
  refused("doc_validation", "the document has a member of the server", put, {
    headers: related,
    text: `${document('{"_admin":true}')}\r\n--bb--`,
  }),
  refused("bad_content_type", "the document has no type", put, { headers: related, text: "--bb\r\n\r\n{}\r\n--bb--" }),
  refused("bad_content_type", "the document is text", put, {
    headers: related,
    text: "--bb\r\nContent-Type: text/plain\r\n\r\n{}\r\n--bb--",
  }),
  refused("conflict", "of a document that is there", "PUT /{{db}}/a", {
    headers: related,
    text: `${document("{}")}\r\n--bb--`,
  }),
  ...["multipart/related", "multipart/mixed; boundary=bb", "multipart/form-data; boundary=bb"].map((type) =>
    refused("bad_request", `as ${type}`, put, {
      headers: { "content-type": type },
      text: `${document("{}")}\r\n--bb--`,
    }),
  ),
  refused("unauthorized", "a stranger's", put, {
    as: "anonymous",
    headers: related,
    text: `${document("{}")}\r\n--bb--`,
  }),
  refused("document_too_large", "the document is too large", put, {
    headers: related,
    text: `${document('{"n":"{{x*8000001}}"}')}\r\n--bb--`,
  }),
  ...eachRefused(
    "bad_content_type",
    { "POST of a multipart": "POST /{{db}}" },
    {
      headers: related,
      text: `${document("{}")}\r\n--bb--`,
    },
  ),
  ...onlySettee(
    "CouchDB breaks off, waits for ever, or stores what came; a 400 tells what is wrong and nothing is stored",
    [
      body("nothing", ""),
      body("no boundary in it", "hello"),
      body("another boundary", "--cc\r\nContent-Type: application/json\r\n\r\n{}\r\n--cc--"),
      body("only the last boundary", "--bb--"),
      body("only line feeds", "--bb\nContent-Type: application/json\n\n{}\n--bb--"),
      body("a boundary with something behind it", "--bbb\r\nContent-Type: application/json\r\n\r\n{}\r\n--bb--"),
      body("a header line without a name", "--bb\r\n: application/json\r\n\r\n{}\r\n--bb--"),
      body("headers that never end", `--bb\r\n${"X-A: 1\r\n".repeat(10_000)}`),
      body("no last boundary", `${document("{}")}\r\n`),
      body("cut short in a part", `${document(following(',"length":9'))}\r\n--bb\r\n\r\nabc`),
      body("a part too few", `${document(following(',"length":3'))}\r\n--bb--`),
      body("a part too many", `${document("{}")}\r\n--bb\r\n\r\nabc\r\n--bb--`),
      body("a part without a length", `${document(following(""))}\r\n--bb\r\n\r\nabc\r\n--bb--`),
      body("a part whose length is text", `${document(following(',"length":"3"'))}\r\n--bb\r\n\r\nabc\r\n--bb--`),
      body("a part of negative length", `${document(following(',"length":-3'))}\r\n--bb\r\n\r\nabc\r\n--bb--`),
      body(
        "a part with another digest",
        `${document(following(',"length":3,"digest":"md5-AAAAAAAAAAAAAAAAAAAAAA=="'))}\r\n--bb\r\n\r\nabc\r\n--bb--`,
        {
          error: "content_md5_mismatch",
        },
      ),
      body("gzip that is garbage", `${document("{}")}\r\n--bb--`, {
        headers: { ...related, "content-encoding": "gzip" },
      }),
    ],
  ),
  ...onlySettee("a boundary longer than RFC 2046 allows is none", [
    refused("bad_request", "a boundary of 5,000 characters", put, {
      headers: { "content-type": "multipart/related; boundary={{b*5000}}" },
      text: "--{{b*5000}}\r\nContent-Type: application/json\r\n\r\n{}\r\n--{{b*5000}}--",
    }),
  ]),
];

export const multipart: Table = { family: "multipart", rows };
