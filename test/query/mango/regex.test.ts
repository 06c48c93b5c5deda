import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CouchError } from "../../../protocol/errors.js";
import { compileSelector } from "../../../server/query/mango/match.js";
import { compileRegex } from "../../../server/query/mango/regex.js";
import { parseSelector } from "../../../server/query/mango/selector.js";

const matches = (pattern: string, text: string): boolean => compileRegex(pattern).test(text);

describe("regular expressions", () => {
  const table: readonly (readonly [pattern: string, text: string, wanted: boolean])[] = [
    ["an", "banana", true],
    ["^an", "banana", false],
    ["^[[:upper:]]\\d{2,}$", "A12", true],
    ["(?i)ÉTÉ", "été", true],
    ["^.$", "😀", true],
    ["^.$", "\n", false],
    ["(?s)^.$", "\n", true],
    ["(?m)^b$", "a\nb\nc", true],
    ["\\bcat\\b", "a cat.", true],
    ["\\Qa.b\\E", "axb", false],
    ["(?<year>\\d{4})-\\x{30}1", "2024-01", true],
    ["\\p{Greek}", "alpha α", true],
    ["a{2", "a{2", true],
  ];
  for (const [pattern, text, wanted] of table) {
    test(`${pattern} ${wanted ? "matches" : "does not match"} ${JSON.stringify(text)}`, () => {
      assert.equal(matches(pattern, text), wanted);
    });
  }

  const refused: readonly (readonly [pattern: string, reason: string])[] = [
    ["(", "Bad argument for operator $regex: <<40>>"],
    ["a**", "Unsupported in a regular expression: `**`"],
    ["[z-a]", "Bad argument for operator $regex: <<91,122,45,97,93>>"],
    ["(a)\\1", "Unsupported in a regular expression: `\\1`"],
    ["(?=a)", "Unsupported in a regular expression: `(?=`"],
    ["(?<!a)b", "Unsupported in a regular expression: `(?<!a)b`"],
    ["a++", "Unsupported in a regular expression: `++`"],
    ["(?:(?:[a-m][b-n]){30}){30}".repeat(8), "The regular expression is too large."],
    [
      "((a{100}){100}){100}",
      "Bad argument for operator $regex: <<40,40,97,123,49,48,48,125,41,123,49,48,48,125,41,123,49,48,48,125>>",
    ],
    ["(".repeat(5000), `Bad argument for operator $regex: <<${"40,".repeat(999)}`.slice(0, 1034)],
  ];
  for (const [pattern, reason] of refused) {
    test(`${pattern.slice(0, 30)} is refused: ${reason.slice(0, 60)}`, () => {
      assert.throws(
        () => compileRegex(pattern),
        (error) => {
          assert.ok(error instanceof CouchError, String(error));
          assert.equal(error.status, 400);
          assert.ok(error.reason.startsWith(reason), error.reason);
          return true;
        },
      );
    });
  }
});

/** With a backtracking engine each of these outlives us all. */
test("patterns that explode elsewhere take no longer than the text is long", () => {
  const text = `${"a".repeat(50_000)}!`;
  const began = process.cpuUsage();
  for (const pattern of ["(a+)+$", "(a|aa)+$", "^(a|a?)+$", "(\\w+\\s?)*$x", "(?:a?){30}a{30}$", "(.*a){12}$"]) {
    assert.equal(matches(pattern, text), false, pattern);
  }
  const { user } = process.cpuUsage(began);
  assert.ok(user < 5_000_000, `${user} µs`);
});

test("what would take too long in one document is not found, as in CouchDB beyond its limit", () => {
  const find = (pattern: string) => compileSelector(parseSelector({ a: { $elemMatch: { $regex: pattern } } }));
  const texts = (count: number): unknown => ({ a: [...Array.from({ length: count }, () => "a".repeat(100_000)), "b"] });
  // About 200 steps for each of 100,000 characters: nine such texts are within the limit, eleven are not.
  const long = find("^(?:b|(?:a|b){200}$)");
  assert.deepEqual(
    [9, 11].map((count) => long(texts(count))),
    [true, false],
  );
  assert.equal(long(texts(9)), true, "each document begins anew");
  assert.equal(find("^b")(texts(100)), true);
});
