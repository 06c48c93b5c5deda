import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RecentTimes, summarise } from "../../../server/http/metrics/recent-times.js";

describe("recent times", () => {
  it("are the last ones", () => {
    const times = new RecentTimes(3);
    assert.deepEqual([...times.values()], []);
    for (const each of [1, 2, 3, 4]) times.add(each);
    assert.deepEqual([...times.values()].sort(), [2, 3, 4]);
  });

  it("are summarised as CouchDB does it", () => {
    const summary = summarise(Float64Array.from([1, 2, 4, 8]));
    assert.equal(summary.n, 4);
    assert.equal(summary.min, 1);
    assert.equal(summary.max, 8);
    assert.equal(summary.arithmetic_mean, 3.75);
    assert.ok(Math.abs(summary.geometric_mean - 64 ** 0.25) < 1e-9);
    assert.ok(Math.abs(summary.harmonic_mean - 4 / 1.875) < 1e-9);
    assert.ok(Math.abs(summary.variance - 7.1875) < 1e-9);
    assert.ok(summary.skewness > 0, "a few long ones");
    assert.deepEqual(summary.percentile.at(-1), [999, 8]);
    assert.deepEqual(summary.histogram, [
      [1, 1],
      [2, 1],
      [4, 1],
      [8, 1],
    ]);
  });

  it("are numbers when there are none, or all are the same", () => {
    for (const times of [[], [0], [5, 5, 5]]) {
      const { percentile, histogram, ...numbers } = summarise(Float64Array.from(times));
      for (const [name, value] of Object.entries(numbers)) assert.ok(Number.isFinite(value), `${name} of ${times}`);
      assert.equal(percentile.length, 6);
      assert.equal(
        histogram.reduce((sum, [, count]) => sum + count, 0),
        times.length,
      );
    }
  });
});
