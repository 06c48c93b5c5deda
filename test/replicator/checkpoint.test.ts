import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { commonAncestry, maxHistory, nextCheckpoint, parseCheckpoint } from "../../server/replicator/checkpoint.js";
import type { PeerSeq } from "../../server/replicator/peer.js";

const entry = (session_id: string, recorded_seq: PeerSeq) => ({ session_id, recorded_seq });
/** A checkpoint as it is found: sessions, the latest first. */
const stored = (...history: ReturnType<typeof entry>[]) =>
  parseCheckpoint({ session_id: history[0]?.session_id, source_last_seq: history[0]?.recorded_seq, history });

describe("what both sides have in common", () => {
  test("the latest session, where both tell of it alike", () => {
    const both = stored(entry("b", "20-x"), entry("a", "10-x"));
    assert.deepEqual(commonAncestry(both, both), { since: "20-x", history: both?.history });
  });

  test("an earlier one, where a side has lost the latest", () => {
    const source = stored(entry("c", "30-x"), entry("b", "20-x"), entry("a", "10-x"));
    const target = stored(entry("z", "99-x"), entry("b", "20-x"));
    assert.deepEqual(commonAncestry(source, target), { since: "20-x", history: source?.history.slice(1) });
  });

  test("the earlier point, where both tell of one session differently", () => {
    for (const [one, other, expected] of [
      ["200-x", "100-x", "100-x"],
      ["100-x", "200-x", "100-x"],
      [9, 10, 9],
      [
        [10, "a"],
        [9, "b"],
        [9, "b"],
      ],
    ] as const) {
      const { since } = commonAncestry(stored(entry("a", one)), stored(entry("a", other)));
      assert.deepEqual(since, expected);
    }
    const strange = commonAncestry(
      stored(entry("b", "x"), entry("a", "5-x")),
      stored(entry("b", "y"), entry("a", "5-x")),
    );
    assert.equal(strange.since, "5-x", "what cannot be compared is not believed");
  });

  test("nothing, where a side has no checkpoint or another's", () => {
    for (const other of [undefined, stored(entry("z", "9-x")), parseCheckpoint({}), parseCheckpoint({ history: 1 })]) {
      assert.deepEqual(commonAncestry(stored(entry("a", "10-x")), other), { since: 0, history: [] });
      assert.deepEqual(commonAncestry(other, stored(entry("a", "10-x"))), { since: 0, history: [] });
    }
  });

  test("a checkpoint that another program wrote is read as far as it makes sense", () => {
    const parsed = parseCheckpoint({ session_id: "a", history: [1, null, { session_id: 2 }, { session_id: "b" }] });
    assert.deepEqual(parsed?.history, [{ session_id: "b" }]);
  });
});

test("a session has one entry, in front; old ones are forgotten", () => {
  const history = Array.from({ length: maxHistory }, (_, n) => entry(`s${n}`, `${n}-x`));
  const first = nextCheckpoint(history, entry("new", "60-x"));
  assert.deepEqual([first.session_id, first.source_last_seq, first.history.length], ["new", "60-x", maxHistory]);
  const second = nextCheckpoint(first.history, entry("new", "70-x"));
  assert.deepEqual(second.history.slice(0, 2), [entry("new", "70-x"), entry("s0", "0-x")]);
});
