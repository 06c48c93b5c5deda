import { LRUCache } from "lru-cache";
import type { Key } from "../../storage/store.js";
import { Rows } from "./rows.js";
import type { TreeNode } from "./tree-node.js";

/** Bytes for the nodes of all indexes, as parsed: about four thousand nodes. */
const defaultBytes = 64 * 1024 * 1024;

/** What a row or child takes in memory besides its bytes, about. */
const bytesOfEach = { row: 60, child: 200 } as const;

/** Nodes that were read last, of all indexes. A node never changes, and its key is never used again: nothing here gets old. */
export class NodeCache {
  readonly #nodes: LRUCache<Key, TreeNode>;

  constructor(maxBytes = defaultBytes) {
    this.#nodes = new LRUCache({ maxSize: maxBytes, sizeCalculation: bytesOf });
  }

  get(key: Key): TreeNode | undefined {
    return this.#nodes.get(key);
  }

  set(key: Key, node: TreeNode): void {
    this.#nodes.set(key, node);
  }

  delete(key: Key): void {
    this.#nodes.delete(key);
  }
}

function bytesOf(node: TreeNode): number {
  if (node instanceof Rows) return node.bytes.length + node.count * bytesOfEach.row;
  return 1 + node.children.reduce((sum, child) => sum + bytesOfEach.child + child.size, 0);
}
