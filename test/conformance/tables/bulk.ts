/** `_bulk_docs`, `_bulk_get`, `_revs_diff` and `_missing_revs`. */
import { gzipSync } from "node:zlib";
import { clearer, eachBodyRefused, eachRefused, onlySettee, refused } from "./rows.js";
import type { Row, Table } from "./table.js";

const docs = "POST /{{db}}/_bulk_docs";
const get = "POST /{{db}}/_bulk_get";
const diff = "POST /{{db}}/_revs_diff";

const rows: readonly Row[] = [
  ...eachBodyRefused("bad_request", docs, {
    "documents cut short": '{"docs":[{"_id":"new"}',
    "documents with a comma too many": '{"docs":[{"_id":"new"},]}',
    "documents that are true": '{"docs":true}',
    "documents twice, the last of them null": '{"docs":[{"_id":"new"}],"docs":null}',
    "documents twice, escaped, the last of them text": '{"docs":[{"_id":"new"}],"\\u0064ocs":"x"}',
    "documents in the prototype": '{"__proto__":{"docs":[{"_id":"new"}]}}',
    "documents in a list": '[{"docs":[]}]',
    "a list of lists": '{"docs":[[{"_id":"new"}]]}',
    "a document that is false, behind a good one": '{"docs":[{"_id":"new"},false]}',
    "a bad revision behind a good document": '{"docs":[{"_id":"new"},{"_id":"x","_rev":"x"}]}',
    "half a pair in the last document": '{"docs":[{"_id":"new"},{"_id":"x","n":"\\ud800"}]}',
    "something behind the end": '{"docs":[{"_id":"new"}]};',
    "a revision that nobody names": '{"new_edits":false,"docs":[{"_id":"new","_rev":"1-a"},{"_id":"x"}]}',
    "a byte order mark": '\ufeff{"docs":[]}',
    "data that is no base64": '{"docs":[{"_id":"new","_attachments":{"f":{"data":"%%%"}}}]}',
    "an attachment of the server": '{"docs":[{"_id":"new","_attachments":{"_f":{"data":""}}}]}',
  }),
  ...eachBodyRefused("illegal_docid", docs, {
    "an id of the server, behind a good one": '{"docs":[{"_id":"new"},{"_id":"_x"}]}',
    "an id that is null": '{"docs":[{"_id":null}]}',
    "an id that is a list": '{"docs":[{"_id":["new"]}]}',
  }),
  ...eachBodyRefused("doc_validation", docs, {
    "a member of the prototype": '{"docs":[{"_id":"new","__proto__":{"x":1}}]}',
    "_deleted is null, behind a good one": '{"docs":[{"_id":"new"},{"_id":"x","_deleted":null}]}',
    "_revisions of numbers": '{"new_edits":false,"docs":[{"_id":"new","_revisions":{"start":2,"ids":[1,2]}}]}',
    "_revisions begin as text": '{"new_edits":false,"docs":[{"_id":"new","_revisions":{"start":"2","ids":["a","b"]}}]}',
  }),
  refused("missing_stub", "a stub of nothing, behind a good document", docs, {
    text: '{"docs":[{"_id":"new"},{"_id":"x","_attachments":{"f":{"stub":true}}}]}',
  }),
  refused("document_too_large", "one too large, behind a good one", docs, {
    text: '{"docs":[{"_id":"new"},{"_id":"large","n":"{{x*8000001}}"}]}',
  }),
  refused("bad_content_type", "documents as text", docs, {
    headers: { "content-type": "text/plain" },
    text: '{"docs":[]}',
  }),
  refused("bad_content_type", "documents in an unknown encoding", docs, {
    headers: { "content-encoding": "zstd" },
    text: '{"docs":[]}',
  }),
  refused("bad_request", "gzip that is cut short", docs, {
    headers: { "content-encoding": "gzip" },
    bytes: () => gzipSync('{"docs":[{"_id":"new"}]}').subarray(0, 20),
  }),
  {
    name: "no documents, and members that nobody knows",
    ask: docs,
    text: '{"constructor":{"x":1},"docs":[]}',
    status: 201,
  },
  {
    name: "new_edits in the prototype is no new_edits",
    ask: docs,
    text: '{"__proto__":{"new_edits":false},"docs":[{"_id":"edited"}]}',
    status: 201,
    has: ['"rev":"1-'],
    writes: true,
  },
  ...eachRefused("method_not_allowed", {
    "GET _bulk_docs": "GET /{{db}}/_bulk_docs",
    "DELETE _bulk_get": "DELETE /{{db}}/_bulk_get",
    "PUT _revs_diff": "PUT /{{db}}/_revs_diff",
    "PATCH _missing_revs": "PATCH /{{db}}/_missing_revs",
  }),
  ...eachBodyRefused("bad_request", get, {
    "nothing is asked": "{}",
    "questions cut short": '{"docs":[{"id":"a"',
    "questions in a list": '[{"id":"a"}]',
    "questions in the prototype": '{"__proto__":{"docs":[]}}',
    "questions that are no JSON": "docs",
  }),
  refused("bad_content_type", "questions as a form", get, {
    headers: { "content-type": "application/x-www-form-urlencoded" },
    text: "docs=[]",
  }),
  {
    name: "questions without an id",
    ask: get,
    text: '{"docs":[{"rev":"1-a"}]}',
    status: 200,
    has: ["document id missed"],
  },
  {
    name: "a question about the server",
    ask: get,
    text: '{"docs":[{"id":"_x"}]}',
    status: 200,
    has: ["illegal_docid"],
  },
  ...[diff, "POST /{{db}}/_missing_revs"].flatMap((ask) =>
    eachBodyRefused("bad_request", ask, {
      [`${ask}: cut short`]: '{"a":["1-a"',
      [`${ask}: a list`]: '[{"a":["1-a"]}]',
      [`${ask}: text`]: '"a"',
      [`${ask}: a bad revision behind a good one`]: '{"a":["1-a","x"]}',
      [`${ask}: a revision that is 32 letters`]: '{"a":["1-zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"]}',
      [`${ask}: a revision without a hash`]: '{"a":["1"]}',
    }),
  ),
  refused("bad_content_type", "revisions as text", diff, { headers: { "content-type": "text/plain" }, text: "{}" }),
  {
    name: "the prototype is a document like any other",
    ask: diff,
    text: '{"__proto__":["1-a"],"constructor":["2-b"],"toString":["3-c"]}',
    status: 200,
    has: ['"__proto__":{"missing":["1-a"]', '"constructor":{"missing":["2-b"]', '"toString":{"missing":["3-c"]'],
  },
  ...onlySettee(clearer, [
    ...eachBodyRefused("bad_request", docs, {
      "new_edits is text": '{"new_edits":"false","docs":[{"_id":"new"}]}',
      "new_edits is null": '{"new_edits":null,"docs":[{"_id":"new"}]}',
      "new_edits is nought": '{"new_edits":0,"docs":[{"_id":"new"}]}',
      "new_edits twice, the last of them a list": '{"new_edits":false,"docs":[],"new_edits":[]}',
    }),
    ...eachBodyRefused("doc_validation", docs, {
      "a history of no ids": '{"new_edits":false,"docs":[{"_id":"new","_revisions":{"start":3,"ids":[]}}]}',
      "a history below nought": '{"new_edits":false,"docs":[{"_id":"new","_revisions":{"start":-3,"ids":["a"]}}]}',
    }),
    ...eachBodyRefused("bad_request", get, {
      "questions are null": '{"docs":null}',
      "questions are text": '{"docs":"a"}',
      "an id is a number": '{"docs":[{"id":1}]}',
      "an id is an object, behind a good one": '{"docs":[{"id":"a"},{"id":{}}]}',
    }),
    ...eachBodyRefused("bad_request", diff, {
      "revisions are text": '{"a":"1-a"}',
      "revisions are null": '{"a":null}',
      "a revision is a number": '{"a":[1]}',
      "a revision is a list": '{"a":[["1-a"]]}',
    }),
  ]),
];

export const bulk: Table = { family: "bulk", rows };
