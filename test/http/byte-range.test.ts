import { deepEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { contentRange, parseRange } from "../../server/http/byte-range.js";
import { refused } from "../helpers/gateway-world.js";

const length = 10;

const satisfiable: readonly (readonly [header: string, ...ranges: readonly (readonly [number, number])[]])[] = [
  ["bytes=0-3", [0, 3]],
  ["bytes=2-5", [2, 5]],
  ["bytes=7-", [7, 9]],
  ["bytes=0-9", [0, 9]],
  ["bytes=5-100", [5, 9]],
  ["bytes=-3", [7, 9]],
  ["bytes=-100", [0, 9]],
  ["bytes= 0-1", [0, 1]],
  ["bytes=0-1,4-5", [0, 1], [4, 5]],
  ["bytes=0-1, 4-5, -1", [0, 1], [4, 5], [9, 9]],
];

for (const [header, ...ranges] of satisfiable) {
  test(`${header} of ${length} bytes`, () => {
    deepEqual(
      parseRange(header, length),
      ranges.map(([start, end]) => ({ start, end })),
    );
  });
}

const many = Array.from({ length: 10 }, (_, at) => `${at}-${at}`).join(",");
for (const header of [
  undefined,
  "",
  "bytes=",
  "bytes=x-y",
  "bytes=1",
  "bytes=0-1;",
  "lines=0-1",
  "BYTES=0-1",
  "bytes=0-",
  `bytes=${many}`,
]) {
  test(`${header ?? "no header"}: the whole`, () => {
    deepEqual(parseRange(header, length), undefined);
  });
}

for (const header of ["bytes=10-", "bytes=100-200", "bytes=5-2", "bytes=-0", "bytes=0-1,50-60"]) {
  test(`${header} of ${length} bytes cannot be satisfied`, () => {
    throws(() => parseRange(header, length), refused("requested_range_not_satisfiable"));
  });
}

test("nothing of an empty attachment can be asked for", () => {
  throws(() => parseRange("bytes=0-3", 0), refused("requested_range_not_satisfiable"));
  throws(() => parseRange("bytes=-3", 0), refused("requested_range_not_satisfiable"));
});

test("a Content-Range counts from 0, both ends included", () => {
  deepEqual(contentRange({ start: 2, end: 5 }, length), "bytes 2-5/10");
});
