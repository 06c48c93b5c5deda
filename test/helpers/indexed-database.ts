/** Indexes without a sandbox: what a document has in them stands in its body. And what they must hold, counted by hand. */
import assert from "node:assert/strict";
import { isDesignDocId } from "../../protocol/ids.js";
import type { Database } from "../../server/documents/database.js";
import { partitionOf } from "../../server/documents/partitions.js";
import type { RevisionNode } from "../../server/documents/revisions/tree.js";
import type { ShownRevision } from "../../server/documents/show-document.js";
import { compareUtf8 } from "../../server/query/collation.js";
import type { DatabaseIndex } from "../../server/query/indexes/database-index.js";
import { type IndexDefinition, type RowsOfDocument, signatureOf } from "../../server/query/indexes/index-definition.js";
import type { EmittedRow } from "../../server/query/views/changes.js";
import { groupKey } from "../../server/query/views/group-key.js";
import type { IndexTree } from "../../server/query/views/index-tree.js";
import { queryReduced } from "../../server/query/views/reduce-query.js";
import { countReducer, sumReducer } from "../../server/query/views/reduce-sum.js";
import { assertRows, checkTree } from "./index-tree-check.js";
import { gathered, type ModelRow, ModelView } from "./index-world.js";

/** Rows as JSON texts: a key and an integer each. The first tree has them all, the second, in raw order, those with a string. */
export interface RowsBody {
  readonly rows: readonly (readonly [key: string, value: string])[];
}

export interface NativeOptions {
  /** Tells definitions apart that are the same otherwise. */
  readonly name?: string;
  readonly includesDesign?: boolean;
  readonly byPartition?: boolean;
  /** Before documents are mapped; says for how many of them rows are given, all by default. */
  readonly mapping?: (documents: readonly ShownRevision[]) => number | undefined | Promise<number | undefined>;
}

export const treeReducers = [[countReducer, sumReducer], [sumReducer]] as const;

export function nativeDefinition({
  name = "",
  includesDesign = false,
  byPartition = false,
  mapping = () => undefined,
}: NativeOptions = {}): IndexDefinition {
  return {
    signature: signatureOf(["native", name, includesDesign, byPartition]),
    designDoc: `_design/${name || "native"}`,
    includesDesign,
    trees: [
      { collation: "icu", byPartition, reducers: treeReducers[0] },
      { collation: "raw", byPartition, reducers: treeReducers[1] },
    ],
    map: async (documents) => {
      const given = (await mapping(documents)) ?? documents.length;
      return documents.slice(0, given).map(({ value }) => rowsIn(value.body));
    },
  };
}

function rowsIn(body: Buffer): RowsOfDocument {
  const { rows = [] } = JSON.parse(body.toString()) as Partial<RowsBody>;
  const emitted: readonly EmittedRow[] = rows.map(([key, value]) => ({ key, value }));
  return [emitted, emitted.filter(({ key }) => key.includes('"'))];
}

/** The rows of both trees, from all documents as they are now. */
export async function modelOf(database: Database, definition: IndexDefinition): Promise<readonly ModelView[]> {
  const models = definition.trees.map(({ collation }) => new ModelView(collation));
  for await (const documents of database.documents({})) {
    for (const document of documents) {
      const { id, record } = document;
      if (isDesignDocId(id) && !definition.includesDesign) continue;
      if ((record.tree[record.winner] as RevisionNode).deleted) continue;
      const value = database.value(document, record.winner);
      assert.ok(value);
      for (const [tree, rows] of rowsIn(value.body).entries()) models[tree]?.apply([{ id, rows }]);
    }
  }
  for (const [tree, model] of models.entries()) {
    // Stable: within a partition rows stay in their order.
    if (definition.trees[tree]?.byPartition) {
      model.rows = model.rows.toSorted((a, b) => compareUtf8(partitionOf(a.id), partitionOf(b.id)));
    }
  }
  return models;
}

/** Rows, totals, reductions and groups are those of the documents; the trees are sound. @returns nodes of all trees */
export async function assertIndexed(index: DatabaseIndex, nodeBytes: number): Promise<number> {
  const { database, definition } = index;
  const models = await modelOf(database, definition);
  const version = index.hold();
  let nodes = 0;
  try {
    assert.equal(version.trees.length, models.length);
    for (const [i, tree] of version.trees.entries()) {
      const { rows } = models[i] as ModelView;
      assertRows(tree, rows);
      const reducers = treeReducers[i as 0 | 1];
      nodes += await checkTree(tree, reducers, nodeBytes);
      if (definition.trees[i]?.byPartition) continue;
      await assertSums(tree, reducers.indexOf(sumReducer as never), models[i] as ModelView);
    }
    return nodes;
  } finally {
    await version.release();
  }
}

async function assertSums(tree: IndexTree, which: number, model: ModelView): Promise<void> {
  const sum = (rows: readonly ModelRow[]): string => String(rows.reduce((all, { value }) => all + BigInt(value), 0n));
  const whole = await gathered(queryReduced(tree, which, sumReducer, {}));
  assert.deepEqual(whole, model.rows.length === 0 ? [] : [{ key: "null", value: sum(model.rows) }]);
  const groups: { readonly key: string; readonly rows: ModelRow[] }[] = [];
  for (const row of model.rows) {
    const key = groupKey(row.key, 1);
    const last = groups.at(-1);
    if (last && model.compareKeys(last.key, key) === 0) last.rows.push(row);
    else groups.push({ key, rows: [row] });
  }
  assert.deepEqual(
    await gathered(queryReduced(tree, which, sumReducer, { groupLevel: 1 })),
    groups.map(({ key, rows }) => ({ key, value: sum(rows) })),
  );
}
