/** `/{db}/_local/{id}`. */
import { eachBodyRefused, eachRefused, onlySettee, refused } from "./rows.js";
import type { Row, Table } from "./table.js";

const rows: readonly Row[] = [
  ...eachBodyRefused("bad_request", "PUT /{{db}}/_local/new", {
    "cut short": '{"n":1',
    "a list": "[]",
    null: "null",
    "a number": "1",
    nothing: "",
    "half a pair": '{"n":"\\udfff"}',
    "a byte order mark": "\ufeff{}",
    "a number too large for a double": '{"n":1e400}',
    "a name without an end": '{"n',
  }),
  ...eachBodyRefused("doc_validation", "PUT /{{db}}/_local/new", {
    "a member that nobody knows": '{"_security":1}',
    "a member of the prototype": '{"__proto__":{"x":1}}',
    "_deleted is text": '{"_deleted":"true"}',
    "_revisions are text": '{"_revisions":"1-a"}',
  }),
  ...eachRefused("not_found", {
    "not there": "GET /{{db}}/_local/nowhere",
    "of other case": "GET /{{db}}/_local/L",
    "the constructor": "GET /{{db}}/_local/constructor",
    "with a revision": "GET /{{db}}/_local/l?rev=0-1",
    "with all revisions": "GET /{{db}}/_local/l?open_revs=all",
    "deleted, not there": "DELETE /{{db}}/_local/nowhere",
    "of a database that is not there": "GET /{{db}}-nowhere/_local/l",
  }),
  ...eachRefused("bad_request", {
    "an attachment": "GET /{{db}}/_local/l/f",
    "an attachment by escape": "DELETE /{{db}}/_local/l%2Ff/g",
    "an attachment, whatever is done with it": "COPY /{{db}}/_local/l/f",
    "read without a name": "GET /{{db}}/_local",
    "read without a name, by escape": "GET /{{db}}/_local%2F",
    "deleted without a name": "DELETE /{{db}}/_local/",
  }),
  ...eachRefused("method_not_allowed", { PATCH: "PATCH /{{db}}/_local/l", PROPFIND: "PROPFIND /{{db}}/_local/l" }),
  refused("bad_request", "without a name", "PUT /{{db}}/_local/", { text: "{}" }),
  refused("bad_request", "without a name or a slash", "PUT /{{db}}/_local", { text: "{}" }),
  refused("document_too_large", "too large", "PUT /{{db}}/_local/new", { text: '{"n":"{{x*8000001}}"}' }),
  refused("bad_request", "gzip that is garbage", "PUT /{{db}}/_local/new", {
    headers: { "content-encoding": "gzip" },
    text: "{}",
  }),
  refused("bad_content_type", "in an unknown encoding", "PUT /{{db}}/_local/new", {
    headers: { "content-encoding": "br" },
    text: "{}",
  }),
  refused("unauthorized", "read by a stranger", "GET /{{db}}/_local/l", { as: "anonymous" }),
  refused("unauthorized", "written by a stranger", "PUT /{{db}}/_local/new", { as: "anonymous", text: "{}" }),
  { name: "HEAD of what is not there", ask: "HEAD /{{db}}/_local/nowhere", status: 404 },
  {
    name: "written with the history that reading it shows",
    ask: "PUT /{{db}}/_local/new",
    text: '{"_id":"_local/new","_revisions":{"start":0,"ids":["1"]}}',
    status: 201,
  },
  // They are neither counted nor in the feed: nothing that is looked at afterwards changes.
  {
    name: "written with a member of the constructor",
    ask: "PUT /{{db}}/_local/new",
    text: '{"constructor":{"prototype":{"x":1}}}',
    status: 201,
  },
  { name: "read as written", ask: "GET /{{db}}/_local/new", status: 200, has: ['"constructor":{"prototype":{"x":1}}'] },
  ...onlySettee("CouchDB takes it for one of the 0-N that its local documents count by, and answers 500", [
    refused("bad_request", "a revision that is none", "PUT /{{db}}/_local/l", { text: '{"_rev":"x"}' }),
  ]),
];

export const localDocuments: Table = { family: "local-documents", rows };
