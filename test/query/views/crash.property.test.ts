/** A crash between batches leaves an older version of an index, whole, from which it goes on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { countReducer, sumReducer } from "../../../server/query/views/reduce-sum.js";
import { HeldStore } from "../../helpers/held-store.js";
import { assertRows, checkTree, nodeCount } from "../../helpers/index-tree-check.js";
import { emittedBy, indexKeys, ModelView, openIndex } from "../../helpers/index-world.js";
import { batches } from "../../helpers/random-rows.js";

const views = [{ collation: "icu", reducers: [countReducer, sumReducer] }] as const;
const nodeBytes = 250;

test("after a crash the index is as it was after the last batch on disk, and catches up", async () => {
  await fc.assert(
    fc.asyncProperty(batches, fc.nat(), async (applied, chosen) => {
      const crashAt = chosen % (applied.length + 1);
      const store = new HeldStore();
      const index = await openIndex(store, { views, nodeBytes });
      const dying = index.update(async (writer) => {
        for (const [i, batch] of applied.entries()) {
          await writer.apply(emittedBy(batch));
          await writer.commit({ updateSeq: i + 1, purgeSeq: 0 });
        }
      });
      for (let i = 0; i < crashAt; i++) (await store.nextCommit()).succeed();
      // The batch that is on its way when the process dies never arrives.
      if (crashAt < applied.length) {
        (await store.nextCommit()).fail(new Error("gone"));
        await assert.rejects(dying, /gone/);
      } else await dying;

      const survived = new HeldStore();
      survived.holding = false;
      for (const [key, value] of store.contents) survived.contents.set(key, value);
      const model = new ModelView("icu");
      for (const batch of applied.slice(0, crashAt)) model.apply(batch);
      const restarted = await openIndex(survived, { views, nodeBytes });
      assert.equal(restarted.progress.updateSeq, crashAt);
      await restarted.read(({ trees: [tree] }) => assertRows(tree as NonNullable<typeof tree>, model.rows));

      await restarted.update(async (writer) => {
        for (const [i, batch] of applied.entries()) {
          if (i < crashAt) continue;
          await writer.apply(emittedBy(batch));
          model.apply(batch);
          await writer.commit({ updateSeq: i + 1, purgeSeq: 0 });
        }
      });
      await restarted.read(async ({ trees: [tree] }) => {
        assert.ok(tree);
        assertRows(tree, model.rows);
        const nodes = await checkTree(tree, views[0].reducers, nodeBytes);
        assert.equal(nodeCount(survived.contents.keys(), indexKeys.nodes.from), nodes);
      });
    }),
    { numRuns: 60 },
  );
});
