import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newUuid, type UuidRules } from "../../server/http/uuids.js";

const list = (rules: Partial<UuidRules>, count = 1000): string[] =>
  Array.from({ length: count }, () => newUuid({ algorithm: "sequential", utcIdSuffix: "", ...rules }));

const isSorted = (ids: readonly string[]): boolean =>
  ids.every((id, index) => index === 0 || (ids[index - 1] as string) < id);

describe("ids", () => {
  for (const algorithm of ["sequential", "random", "utc_random"] as const) {
    it(`of ${algorithm} are 32 hexadecimal digits, all different`, () => {
      const ids = list({ algorithm }, 10_000);
      assert.equal(new Set(ids).size, ids.length);
      for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
    });
  }

  it("of sequential share their beginning for a while", () => {
    const ids = list({}, 3000);
    const beginnings = new Set(ids.map((id) => id.slice(0, 26)));
    assert.ok(beginnings.size <= 3, `${beginnings.size} beginnings`);
    assert.ok(isSorted(ids.filter((id) => id.startsWith(ids[1500]?.slice(0, 26) as string))));
  });

  it("of utc_random and utc_id begin with the time in microseconds, never the same twice", () => {
    for (const algorithm of ["utc_random", "utc_id"] as const) {
      const times = list({ algorithm }).map((id) => id.slice(0, 14));
      assert.ok(isSorted(times), algorithm);
      const off = Number.parseInt(times[0] as string, 16) / 1000 - Date.now();
      assert.ok(Math.abs(off) < 60_000, `${off} ms off`);
    }
  });

  it("of utc_id end with what is configured", () => {
    for (const id of list({ algorithm: "utc_id", utcIdSuffix: "-here" })) assert.match(id, /^[0-9a-f]{14}-here$/);
  });
});
