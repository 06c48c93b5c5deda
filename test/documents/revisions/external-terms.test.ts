import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { canonicalJson } from "../../../server/documents/json/json-text.js";
import { TermWriter } from "../../../server/documents/revisions/external-terms.js";

const written = (json: string): string =>
  new TermWriter(16)
    .begin()
    .json(canonicalJson(Buffer.from(json)))
    .view()
    .toString("hex")
    .replace(/^83/, "");

/** JSON and what `term_to_binary` makes of what CouchDB's reader makes of it, without the byte 131 in front. */
const table: readonly (readonly [what: string, json: string, term: string])[] = [
  ["the smallest integer", "0", "6100"],
  ["the largest integer in a byte", "255", "61ff"],
  ["the first one beyond", "256", "6200000100"],
  ["a negative one", "-1", "62ffffffff"],
  ["the largest in four bytes", "2147483647", "627fffffff"],
  ["the smallest in four bytes", "-2147483648", "6280000000"],
  ["the first one beyond four bytes", "2147483648", "6e040000000080"],
  ["one below four bytes", "-2147483649", "6e040101000080"],
  ["one of five bytes", "1099511627775", "6e0500ffffffffff"],
  ["one that no double holds", "9007199254740993", "6e070001000000000020"],
  ["one of 24 digits", "123456789012345678901234", "6e0a00f2af966ca0101f9b241a"],
  ["a double", "1.5", "463ff8000000000000"],
  ["a double that is whole", "1e2", "464059000000000000"],
  ["a negative double", "-0.25", "46bfd0000000000000"],
  ["true", "true", "640004" + "74727565"],
  ["false", "false", "640005" + "66616c7365"],
  ["null", "null", "640004" + "6e756c6c"],
  ["a text", '"a"', "6d0000000161"],
  ["no text", '""', "6d00000000"],
  ["a text beyond ASCII", '"é"', "6d00000002c3a9"],
  ["escapes", '"\\"\\\\\\n\\u0001"', "6d00000004225c0a01"],
  ["an object without members", "{}", "68016a"],
  ["an object", '{"a":1}', "68016c0000000168026d00000001616101" + "6a"],
  ["brackets in names and texts", '{"}":"]"}', "68016c0000000168026d000000017d6d000000015d" + "6a"],
  ["an empty list", "[]", "6a"],
  ["a list of bytes, which Erlang takes for a text", "[1,2,255]", "6b00030102ff"],
  ["a list with more than bytes", "[1,256]", "6c0000000261016200000100" + "6a"],
  ["a list with a negative number", "[1,-1]", "6c00000002610162ffffffff" + "6a"],
  ["a list with an empty list", "[1,[]]", "6c0000000261016a" + "6a"],
  ["a list of lists of bytes", "[[1],[2]]", "6c000000026b0001016b000102" + "6a"],
  ["a list with an object", "[1,{}]", "6c00000002610168016a" + "6a"],
  ["a list of doubles that are whole", "[1.0]", "6c00000001463ff0000000000000" + "6a"],
];

describe("the external term format", () => {
  for (const [what, json, term] of table) it(`has ${what}`, () => assert.equal(written(json), term));

  it("has integers of more than 255 bytes", () => {
    const value = 2n ** 2048n;
    assert.equal(written(String(value)), `6f0000010100${"00".repeat(256)}01`);
    assert.equal(written(String(2n ** 2040n - 1n)), `6eff00${"ff".repeat(255)}`);
  });

  it("has a list of 65,535 bytes as bytes, and one more as a list", () => {
    const list = (count: number): string => `[${Array.from({ length: count }, () => 7).join()}]`;
    assert.equal(written(list(65_535)), `6bffff${"07".repeat(65_535)}`);
    assert.equal(written(list(65_536)), `6c00010000${"6107".repeat(65_536)}6a`);
  });

  it("goes as deep as a document may", () => {
    const depth = 200_000;
    const term = written("[".repeat(depth) + "]".repeat(depth));
    assert.equal(term, `${"6c00000001".repeat(depth - 1)}6a${"6a".repeat(depth - 1)}`);
  });
});
