import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { backOff } from "../../server/replicator/back-off.js";
import { BatchSize } from "../../server/replicator/batch-size.js";
import { parseEndpoint, withoutCredentials } from "../../server/replicator/endpoint.js";
import { parseReplication } from "../../server/replicator/replication.js";
import { replicationId } from "../../server/replicator/replication-id.js";

describe("an end of a replication", () => {
  const cases: readonly (readonly [unknown, unknown])[] = [
    ["notes", { kind: "name", name: "notes" }],
    [{ url: "notes" }, { kind: "name", name: "notes" }],
    ["http://a/db", { kind: "url", url: "http://a/db/", credentials: undefined, headers: {} }],
    ["https://a:6984/x/db/", { kind: "url", url: "https://a:6984/x/db/", credentials: undefined, headers: {} }],
    [
      "http://ad%40a:p%3Aw@a/db",
      { kind: "url", url: "http://a/db/", credentials: { username: "ad@a", password: "p:w" }, headers: {} },
    ],
    [
      { url: "http://x:y@a/db", auth: { basic: { username: "ada", password: "p" } }, headers: { "X-Mine": "1" } },
      {
        kind: "url",
        url: "http://a/db/",
        credentials: { username: "ada", password: "p" },
        headers: { "x-mine": "1" },
      },
    ],
  ];
  for (const [given, expected] of cases) {
    test(`${JSON.stringify(given)} is understood`, () => assert.deepEqual(parseEndpoint(given), expected));
  }

  const bad = [
    1,
    null,
    "",
    {},
    { url: 1 },
    { url: "ftp://a/b" },
    "http://",
    "http://a/db?x=1",
    { url: "http://a/b", headers: { a: 1 } },
    { url: "http://a/b", headers: { "a b": "c" } },
    { url: "http://a/b", headers: { a: "b\r\nc: d" } },
    { url: "http://a/b", headers: { "Content-Length": "1" } },
    { url: "http://a/b", auth: 1 },
  ];
  for (const given of bad) {
    test(`${JSON.stringify(given)} is refused`, () => {
      assert.throws(() => parseEndpoint(given), /invalid_replication/);
    });
  }

  test("a text loses all its credentials", () => {
    assert.equal(
      withoutCredentials("a http://u:p@h/x and https://u@h:1/?a=b@c"),
      "a http://h/x and https://h:1/?a=b@c",
    );
  });
});

describe("the name of a replication", () => {
  const server = "1".repeat(32);
  const idOf = (body: object, code?: string, uuid = server): string =>
    replicationId(parseReplication({ source: "http://ada:x@a/db", target: "b", ...body }), uuid, code).full;
  const plain = idOf({});

  test("is 32 digits, and what was asked for besides", () => {
    assert.match(plain, /^[0-9a-f]{32}$/);
    assert.equal(idOf({ continuous: true, create_target: true }), `${plain}+continuous+create_target`);
  });

  const same: readonly (readonly [string, object])[] = [
    ["another password", { source: "http://ada:y@a/db" }],
    [
      "the name in another place",
      { source: { url: "http://a/db/", auth: { basic: { username: "ada", password: "z" } } } },
    ],
    [
      "an Authorization header of the same name",
      { source: { url: "http://a/db", headers: { Authorization: `Basic ${btoa("ada:q")}` } } },
    ],
    ["how often checkpoints are written", { checkpoint_interval: 5 }],
    ["where it begins", { since_seq: "5-x" }],
  ];
  for (const [name, body] of same) test(`${name} changes nothing`, () => assert.equal(idOf(body), plain));

  const different: readonly (readonly [string, object])[] = [
    ["another source", { source: "http://ada:x@a/db2" }],
    ["another user", { source: "http://bob:x@a/db" }],
    ["another header", { source: { url: "http://ada:x@a/db", headers: { "X-Tenant": "1" } } }],
    ["the other way round", { source: "b", target: "http://ada:x@a/db" }],
    ["ids", { doc_ids: ["a"] }],
    ["a selector", { selector: { a: 1 } }],
    ["a filter", { filter: "d/f" }],
    ["winners only", { winning_revs_only: true }],
  ];
  test("all that is replicated makes another", () => {
    const all = [plain, idOf({}, undefined, "2".repeat(32)), ...different.map(([, body]) => idOf(body))];
    assert.equal(new Set(all).size, all.length);
  });

  test("the order of members and ids is nothing, the text of a filter is", () => {
    assert.equal(idOf({ selector: { a: 1, b: { c: 2, d: 3 } } }), idOf({ selector: { b: { d: 3, c: 2 }, a: 1 } }));
    assert.equal(idOf({ doc_ids: ["a", "b"] }), idOf({ doc_ids: ["b", "a", "b"] }));
    assert.notEqual(idOf({ filter: "d/f" }, "one"), idOf({ filter: "d/f" }, "two"));
  });
});

describe("how many documents go together", () => {
  test("many small ones, few large ones", () => {
    const size = new BatchSize();
    for (let n = 0; n < 20; n++) size.measured(size.documents, size.documents * 500);
    assert.equal(size.documents, 2000);
    for (let n = 0; n < 20; n++) size.measured(size.documents, size.documents * 1_000_000);
    assert.ok(size.documents <= 5, String(size.documents));
    size.measured(0, 0);
    assert.ok(size.documents >= 1);
  });
});

test("back-off doubles to its limit, and two that failed together come back apart", () => {
  const options = { first: 100, most: 1000 };
  const most = [1, 2, 3, 4, 5, 100].map((failures) => backOff(failures, options, () => 1));
  assert.deepEqual(most, [100, 200, 400, 800, 1000, 1000]);
  assert.equal(
    backOff(3, options, () => 0),
    200,
  );
});
