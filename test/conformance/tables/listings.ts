/** `_all_docs`, `_design_docs`, `_local_docs` and their queries. */
import { clearer, eachBodyRefused, eachRefused, onlySettee, refused } from "./rows.js";
import type { Row, Table } from "./table.js";

const listings = ["_all_docs", "_design_docs", "_local_docs"];

const rows: readonly Row[] = [
  ...listings.flatMap((listing) => [
    ...eachRefused("query_parse_error", {
      [`${listing}: limit with an exponent`]: `GET /{{db}}/${listing}?limit=1e3`,
      [`${listing}: skip in hexadecimal`]: `GET /{{db}}/${listing}?skip=0x1`,
      [`${listing}: descending is nothing`]: `GET /{{db}}/${listing}?descending=`,
      [`${listing}: include_docs is a number`]: `GET /{{db}}/${listing}?include_docs=1`,
      [`${listing}: update is a number`]: `GET /{{db}}/${listing}?update=1`,
    }),
    ...eachRefused("bad_request", {
      [`${listing}: startkey cut short`]: `GET /{{db}}/${listing}?startkey=%5B%22a`,
      [`${listing}: key is undefined`]: `GET /{{db}}/${listing}?key=undefined`,
      [`${listing}: keys are text`]: `GET /{{db}}/${listing}?keys=%22a%22`,
    }),
    ...eachBodyRefused("bad_request", `POST /{{db}}/${listing}`, {
      [`${listing}: keys are a number`]: '{"keys":1}',
      [`${listing}: keys twice, the last of them an object`]: '{"keys":["a"],"keys":{"a":1}}',
      [`${listing}: a body cut short`]: '{"keys":["a"',
      [`${listing}: a body that is a list`]: '["a"]',
    }),
    refused("bad_content_type", `${listing}: keys as text`, `POST /{{db}}/${listing}`, {
      headers: { "content-type": "text/plain" },
      text: '{"keys":[]}',
    }),
    refused("method_not_allowed", `${listing}: PATCH`, `PATCH /{{db}}/${listing}`),
    refused("bad_request", `${listing}: queries that are not there`, `POST /{{db}}/${listing}/queries`, { text: "{}" }),
  ]),
  ...eachRefused("query_parse_error", {
    "limit is negative": "GET /{{db}}/_all_docs?limit=-1",
    "limit is huge": "GET /{{db}}/_all_docs?limit=99999999999999999999999999",
    "limit is a list": "GET /{{db}}/_all_docs?limit=[1]",
    "skip is negative, behind a good limit": "GET /{{db}}/_all_docs?limit=1&skip=-1",
    "keys and key": "GET /{{db}}/_all_docs?keys=[]&key=%22a%22",
    "keys and startkey by its other name": "GET /{{db}}/_all_docs?keys=[]&start_key=%22a%22",
    "a reduction": "GET /{{db}}/_all_docs?reduce=true",
    groups: "GET /{{db}}/_all_docs?group=true",
    "groups of a level": "GET /{{db}}/_all_docs?group_level=2",
    "stale in capitals": "GET /{{db}}/_all_docs?stale=OK",
  }),
  ...eachBodyRefused("query_parse_error", "POST /{{db}}/_all_docs", {
    "limit that is text": '{"limit":"1"}',
    "limit that is null": '{"limit":null}',
    "limit that is a fraction": '{"limit":1.5}',
    "limit twice, the last of them negative": '{"limit":1,"limit":-1}',
    "descending that is a number": '{"descending":1}',
  }),
  ...eachBodyRefused("bad_request", "POST /{{db}}/_all_docs/queries", {
    "queries that are true": '{"queries":true}',
    "queries in the prototype": '{"__proto__":{"queries":[{}]}}',
    "queries cut short": '{"queries":[{}',
  }),
  ...eachBodyRefused("query_parse_error", "POST /{{db}}/_all_docs/queries", {
    "a bad query behind a good one": '{"queries":[{"limit":1},{"skip":"x"}]}',
    "a query of keys and a key": '{"queries":[{"keys":["a"],"key":"a"}]}',
  }),
  {
    name: "members of the prototype are no parameters",
    ask: "POST /{{db}}/_all_docs",
    text: '{"__proto__":{"limit":0,"keys":"x"},"constructor":{"prototype":{"skip":"x"}},"limit":1}',
    status: 200,
    has: ['"id":"a"'],
  },
  {
    name: "keys of all kinds",
    ask: "POST /{{db}}/_all_docs",
    text: '{"keys":[null,1,{},"a",["b"]]}',
    status: 200,
    has: ['"key":{}'],
  },
  ...eachRefused("method_not_allowed", {
    "GET queries": "GET /{{db}}/_all_docs/queries",
    "DELETE a listing": "DELETE /{{db}}/_all_docs",
  }),
  refused("unauthorized", "listed for a stranger", "GET /{{db}}/_all_docs", { as: "anonymous" }),
  ...onlySettee(clearer, [
    ...eachBodyRefused("bad_request", "POST /{{db}}/_all_docs/queries", {
      "queries of numbers": '{"queries":[1]}',
      "queries of null, behind a good one": '{"queries":[{},null]}',
    }),
  ]),
];

export const listingsTable: Table = { family: "listings", rows };
