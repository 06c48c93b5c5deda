import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bookmark, formatBookmark, parseBookmark } from "../../../server/query/mango/bookmark.js";

const encoded = (json: string): string => Buffer.from(json).toString("base64url");

describe("bookmarks", () => {
  test("come back as they went", () => {
    const table: readonly Bookmark[] = [
      { id: "a", key: undefined },
      { id: "ü/\0😀", key: '["x",123456789012345678901234567890,{"10":1,"9":2}]' },
    ];
    for (const bookmark of table) assert.deepEqual(parseBookmark(formatBookmark(bookmark)), bookmark);
  });

  test("that are none are refused", () => {
    const table = [
      "nil",
      "nonsense",
      encoded("[]"),
      encoded("{}"),
      encoded("[1]"),
      encoded('["a",1]'),
      encoded('["a","[1"]'),
      encoded('["a","[1]","b"]'),
    ];
    for (const text of table) {
      assert.throws(() => parseBookmark(text), {
        error: "invalid_bookmark",
        reason: `Invalid bookmark value: "${text}"`,
      });
    }
  });
});
