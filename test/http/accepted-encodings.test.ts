import { deepEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { acceptedEncodings } from "../../server/http/accepted-encodings.js";
import { refused } from "../helpers/gateway-world.js";

const understood: readonly (readonly [header: string | undefined, gzip: boolean, identity: boolean])[] = [
  [undefined, false, true],
  ["", false, true],
  ["identity", false, true],
  ["deflate", false, true],
  ["gzip", true, true],
  ["GZIP", true, true],
  ["gzip, deflate, br", true, true],
  ["gzip;q=0.5", true, true],
  ["gzip; q=1.0", true, true],
  ["gzip;q=0", false, true],
  ["*", true, true],
  ["*;q=0, identity", false, true],
  ["gzip;q=0, *", false, true],
  ["identity;q=0, gzip", true, false],
  ["*;q=0, gzip", true, false],
];

for (const [header, gzip, identity] of understood) {
  test(`Accept-Encoding: ${header}`, () => {
    deepEqual(acceptedEncodings(header), { gzip, identity });
  });
}

test("a reader who takes neither gets neither", () => {
  throws(() => acceptedEncodings("identity;q=0, br"), refused("not_acceptable"));
  throws(() => acceptedEncodings("*;q=0"), refused("not_acceptable"));
});

test("a weight that is no number is refused", () => {
  throws(() => acceptedEncodings("gzip;q=x"), refused("bad_request"));
});
