import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CompactionRun } from "../../server/documents/compaction-run.js";

/** Goes step by step until it is told to end, or let go. */
function steps(): { readonly run: CompactionRun; readonly taken: () => number; finish(): void } {
  let taken = 0;
  let finished = false;
  const run = new CompactionRun(async (ended) => {
    while (!finished && !ended()) {
      taken += 1;
      await new Promise(setImmediate);
    }
  });
  return {
    run,
    taken: () => taken,
    finish: () => {
      finished = true;
    },
  };
}

describe("a compaction", () => {
  it("is joined by whoever asks while it runs, and runs anew for those after", async () => {
    const { run, taken, finish } = steps();
    assert.equal(run.isRunning, false);
    const first = run.run();
    assert.equal(run.run(), first);
    assert.equal(run.isRunning, true);
    finish();
    await first;
    assert.equal(run.isRunning, false);
    const before = taken();
    await run.run();
    assert.equal(taken(), before);
  });

  it("ends between two steps, and can be begun again", async () => {
    const { run, taken, finish } = steps();
    const first = run.run();
    await run.end();
    await first;
    const before = taken();
    const second = run.run();
    await new Promise(setImmediate);
    assert.ok(taken() > before);
    finish();
    await second;
  });

  it("is over when it failed, and whoever ends it does not hear of that", async () => {
    const run = new CompactionRun(async () => {
      await new Promise(setImmediate);
      throw new Error("the disk is full");
    });
    const first = run.run();
    const ending = run.end();
    await assert.rejects(first, /disk is full/);
    await ending;
    assert.equal(run.isRunning, false);
  });
});
