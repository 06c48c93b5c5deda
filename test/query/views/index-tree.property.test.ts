import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { countReducer, sumReducer } from "../../../server/query/views/reduce-sum.js";
import { HeldStore } from "../../helpers/held-store.js";
import { assertRows, checkTree, nodeCount } from "../../helpers/index-tree-check.js";
import { emittedBy, indexKeys, ModelView, openIndex } from "../../helpers/index-world.js";
import { batches } from "../../helpers/random-rows.js";

const reducers = [countReducer, sumReducer];

for (const collation of ["icu", "raw"] as const) {
  for (const nodeBytes of [150, 600]) {
    test(`after any batches a tree of ${nodeBytes} byte nodes is in order (${collation}) and has nothing left over`, async () => {
      await fc.assert(
        fc.asyncProperty(batches, fc.boolean(), async (applied, commitsEach) => {
          const store = new HeldStore();
          store.holding = false;
          const index = await openIndex(store, { views: [{ collation, reducers }], nodeBytes });
          const model = new ModelView(collation);
          await index.update(async (writer) => {
            for (const [i, batch] of applied.entries()) {
              await writer.apply(emittedBy(batch));
              model.apply(batch);
              if (commitsEach || i === applied.length - 1) await writer.commit({ updateSeq: i + 1, purgeSeq: 0 });
            }
          });
          // Read as after a restart, so that what is on disk is what counts.
          const reopened = await openIndex(store, { views: [{ collation, reducers }], nodeBytes });
          await reopened.read(async ({ trees: [tree], progress }) => {
            assert.ok(tree);
            assert.equal(progress.updateSeq, applied.length);
            assertRows(tree, model.rows);
            const nodes = await checkTree(tree, reducers, nodeBytes);
            assert.equal(nodeCount(store.contents.keys(), indexKeys.nodes.from), nodes);
          });
          const documents = new Set(model.rows.map((row) => row.id)).size;
          assert.equal(nodeCount(store.contents.keys(), indexKeys.emitted.from), documents);
        }),
        { numRuns: 60 },
      );
    });
  }
}
