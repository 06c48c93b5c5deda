import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseQuery } from "../../../server/http/query.js";
import { applyRules } from "../../../server/http/rewrites/apply-rules.js";
import { rewrittenUrl } from "../../../server/http/rewrites/rewritten-url.js";
import { parseRules } from "../../../server/http/rewrites/rules.js";

const base = { db: "db", ddoc: "app" };

/** Where a request goes, e.g. `GET /doc/a?x=1`, by the rules; undefined for nowhere. */
function rewritten(rules: readonly unknown[], request: string): string | undefined {
  const [method = "", url = ""] = request.split(" ");
  const [path = "", question] = url.split("?");
  const parts = path
    .split("/")
    .filter((part) => part !== "")
    .map(decodeURIComponent);
  const applied = applyRules(parseRules(rules), { method, parts, query: parseQuery(question) });
  return applied && rewrittenUrl(base, applied.segments, applied.query);
}

describe("rules", () => {
  const scenarios: readonly (readonly [name: string, rule: unknown, request: string, expected: string | undefined])[] =
    [
      ["a path", { from: "foo", to: "foo.txt" }, "GET /foo", "/db/_design/app/foo.txt"],
      ["slashes around it", { from: "/foo/", to: "/foo.txt" }, "GET /foo", "/db/_design/app/foo.txt"],
      ["more than the path", { from: "/foo", to: "x" }, "GET /foo/bar", undefined],
      ["less than the path", { from: "/foo/bar", to: "x" }, "GET /foo", undefined],
      ["nothing", { from: "", to: "x" }, "GET /", "/db/_design/app/x"],
      ["no from: everything", { to: "x" }, "GET /a/b", "/db/_design/app/x"],
      ["another method", { from: "a", to: "x", method: "PUT" }, "GET /a", undefined],
      ["this method", { from: "a", to: "x", method: "PUT" }, "PUT /a", "/db/_design/app/x"],
      ["any method", { from: "a", to: "x", method: "*" }, "DELETE /a", "/db/_design/app/x"],
      ["a variable", { from: "d/:id", to: "../../:id" }, "GET /d/a", "/db/a?id=a"],
      ["a variable in a name", { from: "d/x:id", to: "x" }, "GET /d/xa", undefined],
      ["one without value", { from: "d", to: "x/:id" }, "GET /d", "/db/_design/app/x/undefined"],
      ["one from the query", { from: "d", to: "x/:id" }, "GET /d?id=a", "/db/_design/app/x/a?id=a"],
      ["the database", { from: "root", to: "../../" }, "GET /root", "/db"],
      ["a star", { from: "s/*", to: "_show/q/*" }, "GET /s/x/y", "/db/_design/app/_show/q/x/y"],
      ["a star of nothing", { from: "s/*", to: "_show/q/*" }, "GET /s", "/db/_design/app/_show/q"],
      ["what stands behind the star", { from: "*", to: "a/*/b" }, "GET /x", "/db/_design/app/a/x"],
      ["a star in the middle", { from: "a/*/c", to: "x" }, "GET /a/b/c", "/db/_design/app/x"],
      [
        "a star in the query",
        { from: "w/*", to: "x", query: { name: "*" } },
        "GET /w/user",
        "/db/_design/app/x?name=user",
      ],
      [
        "escaped parts stay parts",
        { from: "d/:id", to: "../../:id" },
        "GET /d/a%2Fb%3Fc",
        "/db/a%2Fb%3Fc?id=a%2Fb%3Fc",
      ],
      ["dots that are data", { from: "d/*", to: "x/*" }, "GET /d/%2e%2e/a/.", "/db/_design/app/x/%2E%2E/a/%2E"],
      ["dots that are the rule's", { from: "d", to: "a/./b/../c" }, "GET /d", "/db/_design/app/a/c"],
      [
        "a query",
        { from: "v", to: "_view/k", query: { limit: "1" } },
        "GET /v?limit=2&skip=1",
        "/db/_design/app/_view/k?limit=1&skip=1",
      ],
      [
        "numbers in a query",
        { from: "v", to: "x", query: { limit: 1, reduce: false } },
        "GET /v",
        "/db/_design/app/x?limit=1&reduce=false",
      ],
      ["a key", { from: "v/:k", to: "x", query: { key: ":k" } }, "GET /v/2", "/db/_design/app/x?key=%222%22&k=2"],
      [
        "a key of a type",
        { from: "v/:k", to: "x", query: { key: ":k" }, formats: { k: "int" } },
        "GET /v/2",
        "/db/_design/app/x?key=2&k=2",
      ],
      [
        "a key that is none of its type",
        { from: "v/:k", to: "x", query: { key: ":k" }, formats: { k: "int" } },
        "GET /v/2a",
        "/db/_design/app/x?key=%222a%22&k=2a",
      ],
      [
        "a flag",
        { from: "v", to: "x", query: { include_docs: ":d" }, formats: { d: "bool" } },
        "GET /v?d=TRUE",
        "/db/_design/app/x?include_docs=true&d=TRUE",
      ],
      [
        "a list of variables",
        { from: "v/:a", to: "x", query: { key: [":a", ":b", [":a"]] } },
        "GET /v/1",
        `/db/_design/app/x?key=${encodeURIComponent('["1",":b",[":a"]]')}&a=1`,
      ],
      [
        "a key that is an object",
        { from: "v", to: "x", query: { key: { c: 1 } } },
        "GET /v",
        `/db/_design/app/x?key=${encodeURIComponent('{"c":1}')}`,
      ],
      [
        "a key as the client wrote it",
        { from: "v", to: "x" },
        "GET /v?key=12345678901234567890",
        "/db/_design/app/x?key=12345678901234567890",
      ],
      [
        "CouchDB's order",
        { from: "q/:a", to: "x", query: { b: ":a", c: "x" } },
        "GET /q/hello?d=1",
        "/db/_design/app/x?b=hello&c=x&d=1&a=hello",
      ],
      [
        "names that objects have",
        { from: "v/:constructor", to: "x", query: { y: ":__proto__" } },
        "GET /v/1",
        "/db/_design/app/x?y=%3A__proto__&constructor=1",
      ],
    ];
  for (const [name, rule, request, expected] of scenarios) {
    test(name, () => assert.equal(rewritten([rule], request), expected));
  }

  test("the first that fits", () => {
    const rules = [{ from: "a", to: "1", method: "PUT" }, "no rule", { from: "a", to: "2" }, { from: "*", to: "3" }];
    assert.equal(rewritten(rules, "GET /a"), "/db/_design/app/2");
    assert.equal(rewritten(rules, "PUT /a"), "/db/_design/app/1");
    assert.equal(rewritten(rules, "GET /b"), "/db/_design/app/3");
  });

  test("a bad rule spoils all", () => {
    const fine = { from: "a", to: "b" };
    for (const bad of [
      {},
      { to: 1 },
      { to: "x", from: 1 },
      { to: "x", query: [] },
      { to: "x", method: 1 },
      { to: "x", formats: 1 },
    ]) {
      assert.throws(() => rewritten([fine, bad], "GET /a"), { error: "rewrite_error", status: 500 });
    }
    for (const to of ["../../..", "a/../../../x", "../../../_uuids"]) {
      assert.throws(() => rewritten([fine, { to }], "GET /a"), { error: "insecure_rewrite_rule", status: 500 });
    }
  });

  test("a key in the query that is no JSON", () => {
    assert.throws(() => rewritten([{ from: "a", to: "b" }], "GET /a?key=x"), { error: "bad_request" });
  });

  test("whatever a client sends, a rule stays where it leads", () => {
    const part = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("..", ".", "*", ":a", "", "%2e%2e", "/", "?", "#", "_all_docs"),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const sent = parts.map((text) => text.toWellFormed()).filter((text) => text !== "");
        const subject = { method: "GET", parts: sent, query: parseQuery(undefined) };
        const applied = applyRules(parseRules([{ from: "*", to: "data/*" }]), subject);
        assert.ok(applied);
        const url = rewrittenUrl(base, applied.segments, applied.query);
        assert.ok(url === "/db/_design/app/data" || url.startsWith("/db/_design/app/data/"), url);
        const back = url.split("/").slice(5).map(decodeURIComponent);
        assert.deepEqual(back, sent);
      }),
    );
  });
});
