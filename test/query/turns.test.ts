import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nextTurn, Turn } from "../../server/query/turns.js";

describe("turns", () => {
  test("are given one in each round, in the order in which they were asked for", async () => {
    const events: string[] = [];
    let rounds = 0;
    let going = true;
    const count = (): void => {
      rounds += 1;
      if (going) setImmediate(count);
    };
    setImmediate(count);
    await Promise.all(
      ["a", "b", "c"].map(async (name) => {
        await nextTurn();
        events.push(`${name} ${rounds}`);
      }),
    );
    going = false;
    const [first, second, third] = events.map((event) => Number(event.split(" ")[1])) as [number, number, number];
    assert.deepEqual(
      events.map((event) => event.slice(0, 1)),
      ["a", "b", "c"],
    );
    assert.ok(first < second && second < third, events.join(", "));
  });

  test("are over when they have taken their time, and begin anew with the next", async () => {
    const begun = performance.now();
    const turn = new Turn();
    while (!turn.isOver) assert.ok(performance.now() - begun < 1000);
    assert.ok(performance.now() - begun >= 2);
    await turn.next();
    assert.equal(turn.isOver, false);
  });
});
