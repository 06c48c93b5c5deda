import assert from "node:assert/strict";
import test from "node:test";
import { MemoryWatch } from "../../server/sandbox/memory-watch.js";
import { sandboxFor } from "./ask.js";

const mebibyte = 1024 * 1024;

function memoryOf(byteLength: number) {
  const memory = { buffer: { byteLength } as ArrayBuffer };
  return {
    memory,
    grow: (by: number) => (memory.buffer = { byteLength: memory.buffer.byteLength + by } as ArrayBuffer),
  };
}

test("growth counts over all calls of a realm, that of others does not", () => {
  const { memory, grow } = memoryOf(10 * mebibyte);
  const watch = new MemoryWatch(memory, 8 * mebibyte);
  for (const by of [3, 3, 3]) {
    watch.start();
    grow(by * mebibyte);
    assert.equal(watch.isOver(), false);
    watch.stop();
    grow(20 * mebibyte);
  }
  watch.start();
  assert.equal(watch.isOver(), false);
  grow(mebibyte);
  assert.equal(watch.isOver(), false, "one step of growth may be more than was asked for");
  grow(20 * mebibyte);
  assert.equal(watch.isOver(), true);
});

test("many pieces that are small enough each end at the limit too", async (t) => {
  const { ask } = sandboxFor(t, { memoryLimitBytes: 8 * mebibyte });
  for (const piece of [
    "new Uint8Array(1e4)",
    "{ a: 1 }",
    "new Array(100).fill(all.length)",
    "'x'.repeat(1e4) + all.length",
  ]) {
    const outcome = await ask({ source: `function () { var all = []; for (;;) all.push(${piece}); }` });
    assert.equal(outcome?.reason, "A function of _design/app used more memory than it may.", piece);
  }
});
