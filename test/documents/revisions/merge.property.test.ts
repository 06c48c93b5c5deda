import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { merge } from "../../../server/documents/revisions/merge.js";
import { normalise, type RevisionNode, revOf } from "../../../server/documents/revisions/tree.js";
import { winnerOf } from "../../../server/documents/revisions/winner.js";
import { deliveries, deliveriesOf, treeAfter, unionOf, unionOfTree } from "../../helpers/random-histories.js";
import { checkInvariants } from "../../helpers/revision-trees.js";

/** Each history with a second order of telling it. */
const toldTwice = deliveries().chain((told) =>
  fc.tuple(fc.constant(told), fc.shuffledSubarray(told, { minLength: told.length })),
);

describe("merge, on random histories with conflicts, deletions, several roots and cut paths", () => {
  it("is the union of all nodes and edges", () => {
    fc.assert(
      fc.property(deliveries(), (told) => {
        assert.deepEqual(unionOfTree(treeAfter(told)), unionOf(told));
      }),
      { numRuns: 500 },
    );
  });

  it("does not depend on the order of delivery (commutative)", () => {
    fc.assert(
      fc.property(toldTwice, ([one, other]) => {
        assert.deepEqual(treeAfter(one), treeAfter(other));
      }),
      { numRuns: 500 },
    );
  });

  it("does not depend on the grouping: trees of trees are the same tree (associative)", () => {
    const split = fc.tuple(deliveries(), fc.nat(), fc.nat());
    fc.assert(
      fc.property(split, ([told, i, j]) => {
        const [from, to] = [i % (told.length + 1), j % (told.length + 1)].sort((a, b) => a - b) as [number, number];
        const [a, b, c] = [told.slice(0, from), told.slice(from, to), told.slice(to)].map((part) => treeAfter(part));
        assert.ok(a && b && c);
        const left = treeAfter(deliveriesOf(c), treeAfter(deliveriesOf(b), a));
        const right = treeAfter(deliveriesOf(treeAfter(deliveriesOf(c), b)), a);
        assert.deepEqual(left, right);
        assert.deepEqual(left, treeAfter(told));
      }),
      { numRuns: 500 },
    );
  });

  it("changes nothing the second time (idempotent)", () => {
    fc.assert(
      fc.property(deliveries(), (told) => {
        const tree = treeAfter(told);
        for (const { path, deleted } of told) {
          const again = merge(tree, path, { deleted, seq: 99, size: 99 });
          assert.equal(again.outcome, "already-there");
          assert.equal(again.tree, tree);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("upholds the invariants of the tree after every delivery, and says where the revision stands", () => {
    fc.assert(
      fc.property(deliveries({ revisions: 25 }), (told) => {
        told.reduce((before, { path, deleted }) => {
          const { tree, index, outcome } = merge(before, path, { deleted, seq: 1, size: 10 });
          checkInvariants(tree);
          assert.equal(revOf(tree[index] as RevisionNode), `${path.start}-${path.hashes[0]}`);
          assert.equal(outcome === "already-there", tree === before);
          return tree;
        }, treeAfter([]));
      }),
      { numRuns: 500 },
    );
  });

  it("lets all replicas choose the same winner", () => {
    fc.assert(
      fc.property(toldTwice, ([one, other]) => {
        const [here, there] = [treeAfter(one), treeAfter(other)];
        assert.equal(revOf(here[winnerOf(here)] as RevisionNode), revOf(there[winnerOf(there)] as RevisionNode));
      }),
    );
  });
});

describe("normalise", () => {
  it("brings shuffled nodes into the one canonical order, parents pointing at their new places", () => {
    const shuffled = deliveries().chain((told) => {
      const tree = treeAfter(told);
      const order = tree.map((_, index) => index);
      return fc.tuple(fc.constant(tree), fc.shuffledSubarray(order, { minLength: order.length }));
    });
    fc.assert(
      fc.property(shuffled, ([tree, order]) => {
        const nodes = order.map((from) => {
          const node = tree[from] as RevisionNode;
          return node.parent < 0 ? node : { ...node, parent: order.indexOf(node.parent) };
        });
        const normal = normalise(nodes);
        checkInvariants(normal);
        assert.deepEqual(normal, tree);
      }),
      { numRuns: 300 },
    );
  });
});
