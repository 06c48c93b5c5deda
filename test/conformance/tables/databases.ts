/** `/{db}` itself, its `_security`, its limits and its upkeep. */
import { clearer, eachBodyRefused, eachRefused, onlySettee, refused } from "./rows.js";
import type { Row, Table } from "./table.js";

const rows: readonly Row[] = [
  ...eachRefused("illegal_database_name", {
    "a name with a NUL": "PUT /{{db}}%00x",
    "a name with a line end": "PUT /{{db}}%0D%0AX-A:1",
    "a name that climbs": "PUT /..%2F..%2F{{db}}",
    "a name that climbs half way": "PUT /{{db}}%2F..%2F..%2Fx",
    "the prototype as a name": "PUT /__proto__",
    "a name that begins with a slash": "PUT /%2F{{db}}",
    "a name in other letters": "PUT /{{db}}%D0%B0",
    "a name with a query in it": "PUT /{{db}}%3Fq=1",
    "a name with markup": "PUT /{{db}}%3Cscript%3E",
    "a name twice encoded": "PUT /{{db}}%252Fx",
    "a system database of other name": "PUT /_user",
    "a name of one digit": "PUT /7",
  }),
  refused("database_name_too_long", "a name of 300 characters", "PUT /{{n*300}}"),
  refused("file_exists", "one that is there", "PUT /{{db}}"),
  refused("file_exists", "one that is there, with all parameters", "PUT /{{db}}?q=4&n=1&partitioned=true"),
  ...eachRefused("bad_request", {
    "q is a fraction": "PUT /{{db}}-new?q=1.5",
    "q is nothing": "PUT /{{db}}-new?q=",
    "n is negative": "PUT /{{db}}-new?n=-1",
    "partitioned is shouted": "PUT /{{db}}-new?partitioned=TRUE",
    "partitioned is nothing": "PUT /{{db}}-new?partitioned=",
    "the engine is a path": "PUT /{{db}}-new?engine=..%2Fx",
    "a system database in partitions": "PUT /_global_changes?partitioned=true",
    "DELETE with a revision": "DELETE /{{db}}?rev=1-a",
    "DELETE with an empty revision": "DELETE /{{db}}?rev=",
    "a name in bad percent-encoding": "PUT /{{db}}%g1",
  }),
  refused("unauthorized", "created by a stranger", "PUT /{{db}}-new", { as: "anonymous" }),
  refused("unauthorized", "deleted by a stranger", "DELETE /{{db}}", { as: "anonymous" }),
  ...eachRefused("not_found", {
    "not there": "GET /{{db}}-nowhere",
    "deleted, not there": "DELETE /{{db}}-nowhere",
    "of other case": "GET /X{{db}}",
    "with a document, not there": "PUT /{{db}}-nowhere/a",
  }),
  ...eachRefused("method_not_allowed", {
    "PATCH a database": "PATCH /{{db}}",
    "PROPFIND a database": "PROPFIND /{{db}}",
    "POST _security": "POST /{{db}}/_security",
    "DELETE _security": "DELETE /{{db}}/_security",
    "POST _revs_limit": "POST /{{db}}/_revs_limit",
    "GET _compact": "GET /{{db}}/_compact",
    "PUT _ensure_full_commit": "PUT /{{db}}/_ensure_full_commit",
  }),
  ...eachBodyRefused("bad_request", "PUT /{{db}}/_security", {
    "security cut short": '{"admins":{"names":[',
    "security that is nothing": "",
    "security with half a surrogate": '{"admins":{"names":["\\ud800"],"roles":[]}}',
    "security with a byte order mark": "\ufeff{}",
  }),
  ...eachBodyRefused("bad_request", "PUT /{{db}}/_revs_limit", {
    "a limit that is nothing": "",
    "a limit beyond all numbers": "1e400",
    "a limit with a comma": "1,000",
    "a limit with a plus": "+5",
  }),
  refused("bad_content_type", "compaction by a form", "POST /{{db}}/_compact", {
    headers: { "content-type": "application/x-www-form-urlencoded" },
    text: "",
  }),
  refused("bad_content_type", "compaction without a type", "POST /{{db}}/_compact"),
  refused("bad_content_type", "full commit as text", "POST /{{db}}/_ensure_full_commit", {
    headers: { "content-type": "text/plain" },
    text: "",
  }),
  ...onlySettee(clearer, [
    ...eachBodyRefused("bad_request", "PUT /{{db}}/_security", {
      "security that is a list": "[]",
      "security that is null": "null",
      "admins are a list": '{"admins":[]}',
      "names are text": '{"admins":{"names":"a"}}',
      "names of numbers": '{"members":{"names":[1]}}',
      "roles are an object": '{"members":{"roles":{}}}',
      "roles twice, the last of them text": '{"members":{"roles":[],"roles":"_admin"}}',
      "members are the prototype": '{"members":{"__proto__":{"names":["x"]},"names":{"0":"x"}}}',
      "security nested 10,000 deep": `{"members":${'{"a":'.repeat(10_000)}1`,
    }),
    ...eachBodyRefused("bad_request", "PUT /{{db}}/_revs_limit", {
      "a limit of nought": "0",
      "a negative limit": "-1",
      "a limit that is a fraction": "1.5",
      "a limit that is text": '"1000"',
      "a limit that is an object": '{"limit":1000}',
      "a limit that no count reaches": "99999999999999999999",
    }),
    refused("bad_request", "q without end", "PUT /{{db}}-new?q=99999999999999999999"),
  ]),
];

export const databases: Table = { family: "databases", rows };
