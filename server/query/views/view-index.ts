import type { GroupCommit } from "../../storage/group-commit.js";
import type { IndexKeys } from "../../storage/keys.js";
import type { Store } from "../../storage/store.js";
import { collationVersion } from "../collation.js";
import { decodeIndexHead, encodeIndexHead, type IndexHead, type IndexProgress } from "./index-head.js";
import type { IndexTree } from "./index-tree.js";
import { IndexWriter, type MayWrite } from "./index-writer.js";
import type { NodeCache } from "./node-cache.js";
import type { RowOrder } from "./places.js";
import type { Reducer } from "./reducer.js";
import { Branches, type Child, decodeNode, type TreeNode } from "./tree-node.js";

/** One view of an index: the order of its rows, and its reduce functions (views with equal map functions share a tree). */
export interface IndexedView extends RowOrder {
  readonly reducers: readonly Reducer[];
}

export interface IndexParts {
  readonly store: Store;
  readonly commit: GroupCommit;
  readonly keys: IndexKeys;
  readonly cache: NodeCache;
  /** The same ones in the same order as long as the index lives. */
  readonly views: readonly IndexedView[];
  /** Bytes of a node, at most; see docs/decisions/0013-index-trees.md. */
  readonly nodeBytes?: number;
}

/** What an index held at one moment. It stays readable until it is released, whatever is written meanwhile. */
export interface IndexVersion {
  readonly progress: IndexProgress;
  /** One for each view. */
  readonly trees: readonly IndexTree[];
}

/** A version in the hands of one reader. */
export interface HeldVersion extends IndexVersion {
  release(): Promise<void>;
}

/** The index of the views of one design document: a tree for each, which are updated together. */
export class ViewIndex {
  readonly #parts: IndexParts;
  /** The head that was read last, and its bytes. */
  #last: { readonly bytes: Buffer; readonly head: IndexHead } | undefined;
  /** When the update that waits last is over. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(parts: IndexParts) {
    this.#parts = parts;
  }

  /** Opens an index, or begins a new one. One that was ordered by another ICU is emptied: its rows may be out of order. */
  static async open(parts: IndexParts): Promise<ViewIndex> {
    const index = new ViewIndex(parts);
    const { head } = index;
    const isOutdated =
      head.collationVersion !== collationVersion && parts.views.some((view) => view.collation === "icu");
    // One that was emptied may have rows left, when the server ended before they were cleared.
    if ((isOutdated || index.isBlank) && head.nextNode > 1) await index.empty();
    return index;
  }

  /** It has seen nothing yet. */
  get isBlank(): boolean {
    const { progress, trees } = this.head;
    return progress.updateSeq === 0 && trees.every(({ root }) => root === undefined);
  }

  /** How far it has come. */
  get progress(): IndexProgress {
    return this.head.progress;
  }

  /** What is on disk now. */
  get head(): IndexHead {
    return this.#decode(this.#parts.store.get(this.#parts.keys.head));
  }

  /** Reads one version, from beginning to end of `use`. Nothing of it may be used afterwards. */
  async read<T>(use: (version: IndexVersion) => T | Promise<T>): Promise<T> {
    const version = this.hold();
    try {
      return await use(version);
    } finally {
      await version.release();
    }
  }

  /** One version, for those who read while a client takes their rows. Whoever holds it must release it, in every outcome. */
  hold(): HeldVersion {
    const snapshot = this.#parts.store.snapshot();
    const { progress, trees } = this.#decode(snapshot.get(this.#parts.keys.head));
    // The inner nodes of one version are asked for at every step of a query, and are few.
    const inner = new Map<number, TreeNode>();
    const load = (child: Child): TreeNode => {
      const known = inner.get(child.number);
      if (known) return known;
      const node = loadNode(child, this.#parts, snapshot);
      if (node instanceof Branches) inner.set(child.number, node);
      return node;
    };
    return {
      progress,
      trees: trees.map((tree, i) => ({ ...tree, ...this.#order(i), load })),
      release: () => snapshot.close(),
    };
  }

  /**
   * Updates take turns. Resolves when all that `work` committed is on disk; what it did not commit is gone.
   * @param mayWrite asked right before each commit, and by throwing fails it
   */
  update<T>(work: (writer: IndexWriter) => Promise<T>, mayWrite: MayWrite = () => undefined): Promise<T> {
    const updated = this.#turn.then(async () => {
      const load = (child: Child): TreeNode => loadNode(child, this.#parts, this.#parts.store);
      const { head } = this;
      const trees = head.trees.map((tree, i) => ({ ...tree, ...this.#order(i), load }));
      const writer = new IndexWriter(this.#parts, trees, head.nextNode, mayWrite);
      try {
        return await work(writer);
      } finally {
        // In every outcome: the next update begins with what is on disk, and must not miss what is on its way there.
        await writer.settled();
      }
    });
    this.#turn = updated.catch(() => undefined);
    return updated;
  }

  #order(view: number): RowOrder {
    const { collation, byPartition } = this.#parts.views[view] as IndexedView;
    return { collation, byPartition };
  }

  /** A head is read for every query and changes rarely. */
  #decode(bytes: Buffer | undefined): IndexHead {
    if (!bytes) return this.#newHead(1);
    if (!this.#last?.bytes.equals(bytes)) this.#last = { bytes, head: decodeIndexHead(bytes) };
    return this.#last.head;
  }

  #newHead(nextNode: number): IndexHead {
    const trees = this.#parts.views.map(() => ({ root: undefined, height: 0 }));
    return { progress: { updateSeq: 0, purgeSeq: 0 }, collationVersion, nextNode, trees };
  }

  /** The index as it was before its first update, but for the numbers of nodes: those of before may be in caches. */
  async empty(): Promise<void> {
    const { store, commit, keys } = this.#parts;
    const { nodes, emitted } = keys;
    const head = encodeIndexHead(this.#newHead(this.head.nextNode));
    // The head goes first: a crash in between leaves rows that no head names, and an empty index.
    await commit.write((batch) => batch.put(keys.head, head));
    for (const { from, to } of [nodes, emitted]) await store.clear(from, to);
  }
}

/** A node from where it is: with its writer, in the cache, on disk. */
function loadNode(child: Child, { keys, cache }: IndexParts, source: Pick<Store, "get">): TreeNode {
  if (child.node) return child.node;
  const key = keys.node(child.number);
  const cached = cache.get(key);
  if (cached) return cached;
  const bytes = source.get(key);
  if (!bytes) throw new Error(`node ${key} of an index is missing`);
  const node = decodeNode(bytes);
  cache.set(key, node);
  return node;
}
