import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OrderedFlow } from "../../server/replicator/ordered-flow.js";

/** Work that ends when the test says so. */
function held(): { readonly work: () => Promise<void>; done(): void; fail(error: Error): void; began: boolean } {
  let settle: { resolve: () => void; reject: (error: Error) => void } | undefined;
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  const one = {
    began: false,
    work: () => {
      one.began = true;
      return promise;
    },
    done: () => settle?.resolve(),
    fail: (error: Error) => settle?.reject(error),
  };
  return one;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("work in any order, and how far it is done without a gap", () => {
  test("a later piece that is done first moves nothing", async () => {
    const flow = new OrderedFlow(3, "0");
    const [first, second] = [held(), held()];
    await flow.add(first.work);
    flow.reached("1");
    await flow.add(second.work);
    flow.reached("2");
    second.done();
    await turn();
    assert.equal(flow.through, "0");
    first.done();
    await flow.drained();
    assert.equal(flow.through, "2");
  });

  test("no more pieces than the limit run at the same time", async () => {
    const flow = new OrderedFlow(2, "0");
    const pieces = [held(), held(), held()];
    const adding = pieces.map(({ work }) => work).map((work, index) => (index < 2 ? flow.add(work) : undefined));
    await Promise.all(adding);
    const third = flow.add(pieces[2]?.work as () => Promise<void>);
    await turn();
    assert.deepEqual(
      pieces.map(({ began }) => began),
      [true, true, false],
    );
    pieces[1]?.done();
    await third;
    assert.equal(pieces[2]?.began, true);
    for (const piece of pieces) piece.done();
    await flow.drained();
  });

  test("a failure stops what follows, and nothing behind it counts as done", async () => {
    const flow = new OrderedFlow(2, "0");
    const [first, second] = [held(), held()];
    await flow.add(first.work);
    flow.reached("1");
    await flow.add(second.work);
    flow.reached("2");
    first.fail(new Error("broken"));
    second.done();
    await assert.rejects(flow.drained(), /broken/);
    await assert.rejects(
      flow.add(async () => undefined),
      /broken/,
    );
    assert.equal(flow.through, "0");
  });
});
