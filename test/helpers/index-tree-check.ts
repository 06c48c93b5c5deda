/** What holds of every index tree at all times. */
import assert from "node:assert/strict";
import { type IndexTree, rowsBetween, totalRows } from "../../server/query/views/index-tree.js";
import type { Reducer } from "../../server/query/views/reducer.js";
import { Rows } from "../../server/query/views/rows.js";
import type { Branches, Child } from "../../server/query/views/tree-node.js";
import { assertSent, type ModelRow } from "./index-world.js";

/** @returns how many nodes the tree has */
export async function checkTree(tree: IndexTree, reducers: readonly Reducer[], nodeBytes: number): Promise<number> {
  let nodes = 0;
  if (tree.root) await check(tree.root, tree.height - 1);
  else assert.equal(tree.height, 0);
  return nodes;

  async function check(child: Child, level: number): Promise<void> {
    nodes++;
    const node = tree.load(child);
    assert.equal(node instanceof Rows, level === 0, "leaves are equally deep");
    assert.equal(child.width, node.count);
    assert.ok(node.count > 0);
    assert.deepEqual(node.key(0), child.parsedKey);
    assert.equal(node.id(0), child.id);
    if (node instanceof Rows) {
      assert.equal(child.rows, node.count);
      assert.equal(child.bytes, node.bytes.length);
      assert.ok(child.bytes <= nodeBytes || node.count === 1, `a leaf has ${child.bytes} bytes`);
    } else await checkInner(node, child, level);
    await checkReductions(child);
  }

  async function checkInner(node: Branches, child: Child, level: number): Promise<void> {
    assert.equal(child.rows, node.rowsBefore(node.count));
    assert.ok(node.count > 1 || child !== tree.root, "a root has more than one child");
    const { children } = node;
    for (let i = 0; i < children.length; i++) {
      const [each, next] = [children[i] as Child, children[i + 1]];
      if (level > 1 && children.length > 1) assert.ok(each.width >= 4, `an inner node has ${each.width} children`);
      if (level === 1 && next && Math.min(each.bytes, next.bytes) < nodeBytes / 4) {
        assert.ok(each.bytes + next.bytes > nodeBytes, `leaves of ${each.bytes} and ${next.bytes} bytes stay apart`);
      }
      await check(each, level - 1);
    }
  }

  async function checkReductions(child: Child): Promise<void> {
    const rows = [...rowsBelow(child)];
    const wanted = await Promise.all(reducers.map(async (reducer) => (await reducer.reduce([rows]))[0]));
    assert.deepEqual(child.reductions, wanted);
  }

  function* rowsBelow(child: Child): Iterable<ReturnType<Rows["slice"]>[number]> {
    const node = tree.load(child);
    if (node instanceof Rows) yield* node.slice(0, node.count);
    else for (const each of node.children) yield* rowsBelow(each);
  }
}

export function assertRows(tree: IndexTree, rows: readonly ModelRow[]): void {
  assert.equal(totalRows(tree), rows.length);
  assertSent(rowsBetween(tree, 0, rows.length), rows);
}

export function nodeCount(keys: Iterable<string>, prefix: string): number {
  return [...keys].filter((key) => key.startsWith(prefix)).length;
}
