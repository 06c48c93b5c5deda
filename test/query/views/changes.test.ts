import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Turn } from "../../../server/query/turn.js";
import { ChangeList, type SortedChanges } from "../../../server/query/views/changes.js";
import { mergeInTurns } from "../../../server/query/views/merge-in-turns.js";

const order = { collation: "icu" } as const;

async function partsOf(list: ChangeList): Promise<readonly SortedChanges[]> {
  const parts: SortedChanges[] = [];
  for await (const part of list.sorted(order, new Turn())) parts.push(part);
  return parts;
}

const rowsOf = ({ inserted }: SortedChanges): readonly string[] =>
  Array.from({ length: inserted.count }, (_, i) => `${inserted.keyText(i)} ${inserted.id(i)} ${inserted.valueText(i)}`);

describe("changes of a batch", () => {
  it("come in the order of the view, what goes and what comes of one place together", async () => {
    const list = new ChangeList();
    list.remove("b", "2");
    list.remove("a", "1.0");
    list.insert("b", { key: "1", value: "10" });
    list.insert("a", { key: "1", value: "11" });
    list.insert("a", { key: "1", value: "12" });
    const [part, ...more] = await partsOf(list);
    assert.ok(part);
    assert.equal(more.length, 0);
    const places = Array.from({ length: part.count }, (_, i) => part.at(i));
    assert.deepEqual(
      places.map(({ id, parsedKey, removes, first, count }) => [parsedKey, id, removes, first, count]),
      [
        [1, "a", true, 0, 2],
        [1, "b", false, 2, 1],
        [2, "b", true, 3, 0],
      ],
    );
    assert.deepEqual(rowsOf(part), ["1 a 11", "1 a 12", "1 b 10"]);
  });

  it("of a large batch come in parts, which are in order one after another", async () => {
    const list = new ChangeList();
    const count = 5000;
    // A permutation: 7919 and 5000 have no divisor in common.
    for (let i = 0; i < count; i++) list.insert(`d${i % 3}`, { key: String((i * 7919) % count), value: "0" });
    const parts = await partsOf(list);
    assert.ok(parts.length >= 5, `${parts.length} parts`);
    assert.deepEqual(
      parts.flatMap((part) => Array.from({ length: part.count }, (_, i) => part.key(i))),
      Array.from({ length: count }, (_, i) => i),
    );
  });

  it("long keys make short parts", async () => {
    const list = new ChangeList();
    for (let i = 0; i < 20; i++) list.insert("a", { key: JSON.stringify(`${i}`.padStart(50_000, "x")), value: "0" });
    assert.ok((await partsOf(list)).length >= 10);
  });

  it("a place is cut only when it is too much by itself, and then its rows keep their order", async () => {
    const list = new ChangeList();
    list.remove("a", "1");
    for (let i = 0; i < 1200; i++) list.insert("a", { key: "1", value: String(i) });
    for (let i = 0; i < 400; i++) list.insert("b", { key: "1", value: String(i) });
    const parts = await partsOf(list);
    const places = parts.flatMap((part) => Array.from({ length: part.count }, (_, i) => part.at(i)));
    // Only the first part takes away what was there: the second would take away the rows of the first.
    assert.deepEqual(
      places.map(({ id, removes }) => `${id} ${removes}`),
      ["a true", "a false", "a false", "b false"],
    );
    assert.deepEqual(parts.flatMap(rowsOf), [
      ...Array.from({ length: 1200 }, (_, i) => `1 a ${i}`),
      ...Array.from({ length: 400 }, (_, i) => `1 b ${i}`),
    ]);
  });

  it("are nothing when nothing changes", async () => {
    assert.deepEqual(await partsOf(new ChangeList()), []);
  });
});

it("runs are merged as one sort would have it", async () => {
  const item = fc.record({ key: fc.integer({ min: 0, max: 9 }), place: fc.nat() });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(item, { maxLength: 8 }), { maxLength: 9 }), async (drawn) => {
      const compare = (a: { readonly key: number }, b: { readonly key: number }): number => a.key - b.key;
      const runs = drawn.map((run) => run.toSorted(compare));
      assert.deepEqual(await mergeInTurns(runs, compare, new Turn()), runs.flat().toSorted(compare));
    }),
    { numRuns: 300 },
  );
});
