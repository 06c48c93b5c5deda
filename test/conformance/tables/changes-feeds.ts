/** `_changes`: parameters that are refused, and what its feeds do in time. */
import { feedScenarios } from "./feed-scenarios.js";
import { clearer, eachBodyRefused, eachRefused, onlySettee, refused } from "./rows.js";
import type { Row, Table } from "./table.js";

const changes = "GET /{{db}}/_changes";
const post = "POST /{{db}}/_changes";

const rows: readonly Row[] = [
  ...eachRefused("bad_request", {
    "since is a word": `${changes}?since=yesterday`,
    "since is a number": `${changes}?since=5`,
    "since is negative": `${changes}?since=-5`,
    "since is a list": `${changes}?since=[0]`,
    "since is an object": `${changes}?since=%7B%22seq%22:1%7D`,
    "since is nothing": `${changes}?since=`,
    "since of 5,000 digits": `${changes}?since={{9*5000}}`,
    "a feed that nobody knows": `${changes}?feed=websocket`,
    "a feed of other case": `${changes}?feed=Continuous`,
    "the constructor as a feed": `${changes}?feed=constructor`,
    "heartbeat is a word": `${changes}?feed=longpoll&heartbeat=often`,
    "heartbeat is nought": `${changes}?feed=continuous&heartbeat=0`,
    "heartbeat is negative": `${changes}?feed=continuous&heartbeat=-1`,
    "seq_interval is negative": `${changes}?seq_interval=-1`,
    "seq_interval is a word": `${changes}?seq_interval=x`,
    "a filter without a slash": `${changes}?filter=f`,
    "a filter of three parts": `${changes}?filter=a/b/c`,
    "a built-in filter that nobody knows": `${changes}?filter=_selectors`,
    "the prototype as a filter": `${changes}?filter=__proto__`,
    "a view filter without a view": `${changes}?filter=_view`,
    "doc_ids that are not there": `${changes}?filter=_doc_ids`,
    "doc_ids cut short": `${changes}?filter=_doc_ids&doc_ids=%5B%22a%22`,
    "doc_ids that are text": `${changes}?filter=_doc_ids&doc_ids=%22a%22`,
    "a selector in a GET": `${changes}?filter=_selector&selector=%7B%7D`,
  }),
  ...eachRefused("not_found", {
    "a filter of a design document that is not there": `${changes}?filter=nowhere/f`,
    "a view of a design document that is not there": `${changes}?filter=_view&view=nowhere/v`,
    "of a database that is not there": "GET /{{db}}-nowhere/_changes?feed=continuous",
  }),
  ...eachBodyRefused("bad_request", `${post}?filter=_doc_ids`, {
    "doc_ids of numbers": '{"doc_ids":[1]}',
    "doc_ids that are an object": '{"doc_ids":{"0":"a"}}',
    "doc_ids twice, the last of them null": '{"doc_ids":["a"],"doc_ids":null}',
    "doc_ids in the prototype": '{"__proto__":{"doc_ids":["a"]}}',
    "a body that is a list": "[]",
    "a body cut short": '{"doc_ids":["a"',
  }),
  ...eachBodyRefused("bad_request", `${post}?filter=_selector`, {
    "a selector that is a list": '{"selector":[]}',
    "a selector that is null": '{"selector":null}',
    "no selector": "{}",
  }),
  refused("bad_content_type", "a body that is text", post, { headers: { "content-type": "text/plain" }, text: "{}" }),
  ...eachRefused("method_not_allowed", { PUT: "PUT /{{db}}/_changes", DELETE: "DELETE /{{db}}/_changes" }),
  refused("unauthorized", "for a stranger", `${changes}?feed=continuous&heartbeat=10`, { as: "anonymous" }),
  ...onlySettee(clearer, [
    ...eachRefused("bad_request", { "a style that nobody knows": `${changes}?style=all` }),
    ...eachRefused("query_parse_error", {
      "limit is a word": `${changes}?limit=all`,
      "limit is a fraction": `${changes}?limit=1.5`,
      "limit with an exponent": `${changes}?limit=1e3`,
      "limit is nothing": `${changes}?limit=`,
      "limit is huge": `${changes}?limit=99999999999999999999999999`,
      "timeout is a word": `${changes}?feed=longpoll&timeout=soon`,
      "timeout is a fraction": `${changes}?feed=longpoll&timeout=0.5`,
    }),
  ]),
];

export const changesFeeds: Table = { family: "changes-feeds", rows, scenarios: feedScenarios };
