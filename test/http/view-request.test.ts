import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CouchError } from "../../protocol/errors.js";
import { canonicalJson } from "../../server/documents/json/json-text.js";
import { JsonBody, queriesIn } from "../../server/http/json-body.js";
import { parseQuery } from "../../server/http/query.js";
import { parseViewRequest, type ViewFacts, type ViewRequest } from "../../server/http/view-request.js";
import { countReducer } from "../../server/query/views/reduce-sum.js";

const mapOnly: ViewFacts = { group: { partitioned: false }, view: { reduce: undefined } };
const reducing: ViewFacts = { group: { partitioned: false }, view: { reduce: { which: 0, reducer: countReducer } } };
const partitioned: ViewFacts = { group: { partitioned: true }, view: { reduce: undefined } };

const bodyOf = (text: string): JsonBody => new JsonBody(canonicalJson(Buffer.from(text)));

interface Asked {
  readonly facts?: ViewFacts;
  readonly query?: string;
  /** JSON text. */
  readonly body?: string;
}

function parse({ facts = mapOnly, query = "", body }: Asked): ViewRequest {
  return parseViewRequest(facts, parseQuery(query), body === undefined ? undefined : bodyOf(body));
}

/** Without what was not asked for. */
function asked(given: Asked): Record<string, unknown> {
  return JSON.parse(JSON.stringify(parse(given).query)) as Record<string, unknown>;
}

describe("keys", () => {
  const rows: readonly (readonly [name: string, given: Asked, wanted: Record<string, unknown>])[] = [
    ["nothing", {}, {}],
    ["the query string's names, old and new", { query: "startkey=1&end_key=2" }, { startKey: "1", endKey: "2" }],
    ["canonical spelling", { query: 'key=[ 1e2, "\\u00e9" ]' }, { key: '[100.0,"é"]' }],
    ["a plus sign is a space", { query: 'key="a+b"' }, { key: '"a b"' }],
    [
      "ids of documents are plain text",
      { query: "startkey_docid=%22a&endkey_docid=b" },
      { startKeyDocId: '"a', endKeyDocId: "b" },
    ],
    ["from a body", { body: '{"key": {"b": 1, "a": 2}}' }, { key: '{"b":1,"a":2}' }],
    [
      "the query string wins over the body",
      { query: "limit=1&key=1", body: '{"limit":2,"key":2,"skip":3}' },
      { key: "1", limit: 1, skip: 3 },
    ],
    ["large integers in the query string", { query: "key=9007199254740993" }, { key: "9007199254740993" }],
    [
      "large integers in a body",
      { body: '{"startkey":9007199254740993,"end_key":[12345678901234567890]}' },
      { startKey: "9007199254740993", endKey: "[12345678901234567890]" },
    ],
    [
      "large integers among keys of a body",
      { body: '{"keys":[9007199254740993,9007199254740992,1.0]}' },
      { keys: ["9007199254740993", "9007199254740992", "1.0"] },
    ],
    [
      "large integers among keys of the query string",
      { query: "keys=[9007199254740993, 1]" },
      { keys: ["9007199254740993", "1"] },
    ],
    [
      "members whose names are numbers keep their order",
      { body: '{"keys":[{"2":1,"1":2}]}' },
      { keys: ['{"2":1,"1":2}'] },
    ],
    ["no keys at all", { body: '{"keys":[]}' }, { keys: [] }],
    ["the last of two members counts", { body: '{"keys":[1],"keys":[2]}' }, { keys: ["2"] }],
    [
      "flags in any letters",
      { query: "descending=TRUE&inclusive_end=False" },
      { descending: true, inclusiveEnd: false },
    ],
    [
      "flags as text of a body",
      { body: '{"descending":"true","inclusive_end":false}' },
      { descending: true, inclusiveEnd: false },
    ],
    ["what nobody knows", { query: "foo=bar&callback=x" }, {}],
  ];
  for (const [name, given, wanted] of rows) test(name, () => assert.deepEqual(asked(given), wanted));
});

describe("how rows are put together", () => {
  const rows: readonly (readonly [query: string, isReduced: boolean, wanted: Record<string, unknown>])[] = [
    ["", true, {}],
    ["reduce=false", false, {}],
    ["group=true", true, { group: true }],
    ["group_level=2", true, { groupLevel: 2 }],
    ["group=true&group_level=2", true, { group: true, groupLevel: 2 }],
    ["group=false&group_level=0", true, { group: false, groupLevel: 0 }],
    ["reduce=false&group=false", false, { group: false }],
  ];
  for (const [query, isReduced, wanted] of rows) {
    test(query || "by default", () => {
      const request = parse({ facts: reducing, query });
      assert.equal(request.isReduced, isReduced);
      assert.deepEqual(asked({ facts: reducing, query }), wanted);
    });
  }

  test("documents are shown as they are wanted", () => {
    assert.equal(parse({ query: "conflicts=true" }).show, undefined);
    assert.deepEqual(parse({ query: "include_docs=true&conflicts=true&att_encoding_info=true" }).show, {
      conflicts: true,
      attachments: false,
      attEncodingInfo: true,
    });
  });
});

describe("how new the index must be", () => {
  for (const [query, wanted] of [
    ["", "true"],
    ["update=true", "true"],
    ["update=false", "false"],
    ["update=lazy", "lazy"],
    ["stale=ok", "false"],
    ["stale=update_after", "lazy"],
    ["stale=ok&update=true", "true"],
    ["stable=true", "true"],
  ] as const) {
    test(query || "by default", () => assert.equal(parse({ query }).update, wanted));
  }
});

describe("partitions", () => {
  test("the one of the path, or of the query", () => {
    assert.equal(parse({ facts: { ...partitioned, partition: "p" } }).query.partition, "p");
    assert.equal(parse({ facts: partitioned, query: "partition=p" }).query.partition, "p");
    assert.equal(parse({ facts: partitioned, body: '{"partition":"p"}' }).query.partition, "p");
  });
});

describe("mistakes", () => {
  const rows: readonly (readonly [name: string, given: Asked, error: string, reason: RegExp])[] = [
    ["text that is no JSON", { query: "key=abc" }, "bad_request", /^invalid UTF-8 JSON$/],
    ["a list that is none", { query: "keys=1" }, "query_parse_error", /must be an array of strings/],
    ["a list that is none, in a body", { body: '{"keys":{}}' }, "bad_request", /^`keys` member must be an array\.$/],
    ["a null for a list", { body: '{"keys":null}' }, "bad_request", /^`keys` member must be an array\.$/],
    ["a limit below zero", { query: "limit=-1" }, "query_parse_error", /positive integer: "-1"/],
    ["a limit as text of a body", { body: '{"limit":"1"}' }, "query_parse_error", /integer: <<"1">>/],
    [
      "a limit that Erlang could not count",
      { query: "limit=576460752303424000" },
      "query_parse_error",
      /Limit is too large/,
    ],
    ["a level that is none", { facts: reducing, query: "group_level=exact" }, "query_parse_error", /integer: "exact"/],
    ["a flag that is none", { query: "sorted=maybe" }, "query_parse_error", /boolean parameter: "maybe"/],
    ["a word that is none", { query: "update=later" }, "query_parse_error", /Invalid value for `update`/],
    [
      "a word that is none, of two",
      { query: "stale=later&update=true" },
      "query_parse_error",
      /Invalid value for `stale`/,
    ],
    [
      "a reduction of a view that has none",
      { query: "reduce=true" },
      "query_parse_error",
      /^Reduce is invalid for map-only views\.$/,
    ],
    ["groups of a view that has none", { query: "group=true" }, "query_parse_error", /Invalid use of grouping/],
    [
      "groups of rows",
      { facts: reducing, query: "reduce=false&group_level=1" },
      "query_parse_error",
      /Invalid use of grouping/,
    ],
    [
      "groups and none at once",
      { facts: reducing, query: "group=false&group_level=1" },
      "query_parse_error",
      /at the same time/,
    ],
    [
      "documents of reductions",
      { facts: reducing, query: "include_docs=true" },
      "query_parse_error",
      /`include_docs` is invalid for reduce/,
    ],
    [
      "no partition where one is needed",
      { facts: partitioned },
      "query_parse_error",
      /`partition` parameter is mandatory/,
    ],
    [
      "a partition where there are none",
      { query: "partition=p" },
      "query_parse_error",
      /not supported in this design doc/,
    ],
  ];
  for (const [name, given, error, reason] of rows) {
    test(name, () => {
      assert.throws(
        () => parse(given),
        (thrown) => {
          assert.ok(thrown instanceof CouchError);
          assert.equal(thrown.error, error);
          assert.match(String(thrown.reason), reason);
          return true;
        },
      );
    });
  }
});

describe("several queries", () => {
  test("each keeps its digits", () => {
    const queries = queriesIn(bodyOf('{"queries":[{"key":9007199254740993},{}]}'));
    assert.deepEqual(
      queries.map((query) => query.textOf("key")?.toString()),
      ["9007199254740993", undefined],
    );
  });

  for (const [body, reason] of [
    ["{}", /must include `queries`/],
    ['{"queries":1}', /must be an array\./],
    ['{"queries":[{},1]}', /array of objects/],
    ['{"queries":[[]]}', /array of objects/],
  ] as const) {
    test(`${body} is refused`, () => {
      assert.throws(() => queriesIn(bodyOf(body)), reason);
    });
  }
});
