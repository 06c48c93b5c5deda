import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type CatalogueParts,
  clearDropped,
  dropIndex,
  numberOfIndex,
  signaturesOf,
} from "../../../server/query/indexes/index-catalogue.js";
import { GroupCommit } from "../../../server/storage/group-commit.js";
import { databaseKeys } from "../../../server/storage/keys.js";
import { HeldStore } from "../../helpers/held-store.js";

const keys = databaseKeys(1);
const signature = (n: number): string => String(n).padStart(32, "0");

function openParts(contents: Iterable<readonly [string, Buffer]> = []): CatalogueParts & { readonly store: HeldStore } {
  const store = new HeldStore();
  store.holding = false;
  for (const [key, value] of contents) store.contents.set(key, value);
  return { store, commit: new GroupCommit(store), keys };
}

/** Some records of an index. */
function putRecords({ store }: { readonly store: HeldStore }, number: number): void {
  const { head, node, emittedBy } = keys.index(number);
  for (const key of [head, node(1), node(2), emittedBy("a")]) store.contents.set(key, Buffer.from("x"));
}

const recordsOf = ({ store }: { readonly store: HeldStore }, number: number): readonly string[] => {
  const { from, to } = keys.index(number).all;
  return [...store.contents.keys()].filter((key) => key >= from && key < to);
};

describe("the catalogue of indexes", () => {
  it("gives each signature a number of its own, and keeps it", async () => {
    const parts = openParts();
    assert.equal(await numberOfIndex(parts, signature(1)), 1);
    assert.equal(await numberOfIndex(parts, signature(2)), 2);
    assert.equal(await numberOfIndex(parts, signature(1)), 1);
    const restarted = openParts(parts.store.contents);
    assert.equal(await numberOfIndex(restarted, signature(2)), 2);
    assert.deepEqual(await signaturesOf(restarted), [signature(1), signature(2)]);
  });

  it("gives one number to those who ask at the same time", async () => {
    const parts = openParts();
    parts.store.holding = true;
    const asked = [
      numberOfIndex(parts, signature(1)),
      numberOfIndex(parts, signature(2)),
      numberOfIndex(parts, signature(1)),
    ];
    (await parts.store.nextCommit()).succeed();
    assert.deepEqual(await Promise.all(asked), [1, 2, 1]);
  });

  it("gives no number that is not on disk", async () => {
    const parts = openParts();
    parts.store.holding = true;
    const asked = [numberOfIndex(parts, signature(1)), numberOfIndex(parts, signature(1))];
    (await parts.store.nextCommit()).fail(new Error("the disk is full"));
    for (const one of asked) await assert.rejects(one, /the disk is full/);
    parts.store.holding = false;
    assert.deepEqual(await signaturesOf(parts), []);
    assert.equal(await numberOfIndex(parts, signature(1)), 1);
  });

  it("never gives a number twice: nodes of the old index may be in caches", async () => {
    const parts = openParts();
    await numberOfIndex(parts, signature(1));
    await dropIndex(parts, signature(1));
    await clearDropped(parts);
    assert.equal(await numberOfIndex(parts, signature(1)), 2);
    assert.equal(await numberOfIndex(openParts(parts.store.contents), signature(2)), 3);
  });

  it("clears what was dropped, after a crash too, and nothing else", async () => {
    const parts = openParts();
    for (const n of [1, 2, 3]) putRecords(parts, await numberOfIndex(parts, signature(n)));
    await dropIndex(parts, signature(1));
    await dropIndex(parts, signature(3));
    assert.deepEqual(await signaturesOf(parts), [signature(2)]);
    assert.equal(recordsOf(parts, 1).length, 4, "they are cleared afterwards");
    const restarted = openParts(parts.store.contents);
    await clearDropped(restarted);
    assert.deepEqual(
      [1, 2, 3].map((number) => recordsOf(restarted, number).length),
      [0, 4, 0],
    );
    const { from, to } = keys.droppedIndexes;
    assert.deepEqual(
      [...restarted.store.contents.keys()].filter((key) => key >= from && key < to),
      [],
    );
  });

  it("goes on clearing where a crash came in between", async () => {
    const parts = openParts();
    for (const n of [1, 2]) putRecords(parts, await numberOfIndex(parts, signature(n)));
    for (const n of [1, 2]) await dropIndex(parts, signature(n));
    // Some records of the first are gone, its mark is still there.
    parts.store.contents.delete(keys.index(1).head);
    parts.store.contents.delete(keys.index(1).node(1));
    const restarted = openParts(parts.store.contents);
    await clearDropped(restarted);
    assert.deepEqual(
      [1, 2].map((number) => recordsOf(restarted, number).length),
      [0, 0],
    );
  });

  it("drops nothing that is not there", async () => {
    const parts = openParts();
    await dropIndex(parts, signature(1));
    assert.equal(parts.store.contents.size, 0);
  });
});
