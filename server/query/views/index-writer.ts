import type { Key } from "../../storage/store.js";
import { collationVersion } from "../collation.js";
import { Turn } from "../turn.js";
import { ChangeList, type EmittedRow } from "./changes.js";
import { decodeEmittedKeys, type EmittedKeys, encodeEmittedKeys } from "./emitted-keys.js";
import { encodeIndexHead, type IndexProgress } from "./index-head.js";
import type { IndexTree } from "./index-tree.js";
import { type Child, encodeNode } from "./tree-node.js";
import { newNodes, reduceNodes } from "./tree-reductions.js";
import { updateTree } from "./tree-update.js";
import type { IndexedView, IndexParts } from "./view-index.js";

/** What the map functions emitted for one document: rows for each view of the index. None at all: it is deleted, or purged. */
export interface EmittedDocument {
  readonly id: string;
  readonly views: readonly (readonly EmittedRow[])[];
}

/** See docs/decisions/0013-index-trees.md. */
const defaultNodeBytes = 8 * 1024;

/** Refuses by throwing: the index, or all of its database, may be gone by the time that something is to be written. */
export type MayWrite = () => void;

/**
 * One update of an index. `apply` changes the trees in memory, as often as is wanted; `commit` writes what has changed, together
 * with the progress, in one batch: a crash leaves the index behind, and never with half of a document's rows. Both let others have
 * their turn, and neither may be called while the other one, or itself, is under way.
 */
export class IndexWriter {
  readonly #parts: IndexParts;
  readonly #views: readonly IndexedView[];
  #trees: readonly IndexTree[];
  #nextNode: number;
  /** Bytes of the reductions of one node of each tree, about. */
  readonly #reductionBytes: number[];
  /** Records of documents that wait for a commit; null: none any more. */
  #emitted = new Map<Key, Buffer | null>();
  /** Nodes on disk that wait for a commit to go. */
  #retired: number[] = [];
  #flushing: Promise<void> = Promise.resolve();
  #isBusy = false;
  readonly #mayWrite: MayWrite;

  constructor(parts: IndexParts, trees: readonly IndexTree[], nextNode: number, mayWrite: MayWrite) {
    this.#parts = parts;
    this.#mayWrite = mayWrite;
    this.#views = parts.views;
    this.#trees = trees;
    this.#nextNode = nextNode;
    this.#reductionBytes = trees.map(({ root }) => lengthOf(root));
  }

  /** Takes the place of all that the index has of these documents. */
  async apply(documents: readonly EmittedDocument[]): Promise<void> {
    this.#begin();
    try {
      const turn = new Turn();
      const lists = this.#views.map(() => new ChangeList());
      // Of a document that comes twice the later state counts.
      for (const document of new Map(documents.map((each) => [each.id, each])).values()) {
        await this.#gather(document, lists, turn);
      }
      const trees: IndexTree[] = [];
      for (const [view, tree] of this.#trees.entries()) {
        trees.push(await this.#applyTo(tree, lists[view] as ChangeList, view, turn));
      }
      this.#trees = trees;
    } finally {
      this.#isBusy = false;
    }
  }

  /**
   * Hands over what was applied, together with how far the index has come by it. Resolves when the next changes may be applied,
   * which is before this is on disk; fails when the commit before this one did.
   */
  async commit(progress: IndexProgress): Promise<void> {
    this.#begin();
    try {
      await this.#flushing;
      const nodes = await this.#settleNodes();
      this.#mayWrite();
      this.#flushing = this.#write(nodes, progress);
      // Whoever awaits it sees the failure; until then it must not end the process.
      this.#flushing.catch(() => undefined);
    } finally {
      this.#isBusy = false;
    }
  }

  /** Resolves when all that was committed is on disk. */
  settled(): Promise<void> {
    return this.#flushing;
  }

  #begin(): void {
    if (this.#isBusy) throw new Error("an index is changed while it is being changed");
    this.#isBusy = true;
  }

  async #applyTo(tree: IndexTree, changes: ChangeList, view: number, turn: Turn): Promise<IndexTree> {
    const options = {
      nodeBytes: this.#parts.nodeBytes ?? defaultNodeBytes,
      reductionBytes: this.#reductionBytes[view] as number,
      retire: (node: number) => void this.#retired.push(node),
    };
    let changed = tree;
    for await (const part of changes.sorted(tree, turn)) {
      changed = updateTree(changed, part, options);
      if (turn.isOver) await turn.next();
    }
    return changed;
  }

  async #gather({ id, views }: EmittedDocument, lists: readonly ChangeList[], turn: Turn): Promise<void> {
    const { keys, commit } = this.#parts;
    const key = keys.emittedBy(id);
    const waiting = this.#emitted.get(key);
    const before = waiting === undefined ? commit.read(key) : waiting;
    for (const { view, keys: old } of before ? decodeEmittedKeys(before) : []) {
      for (const each of old) lists[view]?.remove(id, each);
      if (turn.isOver) await turn.next();
    }
    const now: EmittedKeys[] = [];
    for (const [view, rows] of views.entries()) {
      for (const row of rows) lists[view]?.insert(id, row);
      if (rows.length > 0) now.push({ view, keys: distinctKeys(rows) });
      if (turn.isOver) await turn.next();
    }
    const after = now.length > 0 ? encodeEmittedKeys(now) : null;
    if (after ? !before?.equals(after) : before) this.#emitted.set(key, after);
    if (turn.isOver) await turn.next();
  }

  async #settleNodes(): Promise<readonly Child[]> {
    const all: Child[] = [];
    for (let view = 0; view < this.#trees.length; view++) {
      const levels = newNodes(this.#trees[view] as IndexTree);
      await reduceNodes(levels, (this.#views[view] as IndexedView).reducers);
      const nodes = levels.flat();
      if (nodes.length > 0) {
        this.#reductionBytes[view] = nodes.reduce((sum, node) => sum + lengthOf(node), 0) / nodes.length;
      }
      all.push(...nodes);
    }
    for (const node of all) node.number = this.#nextNode++;
    return all;
  }

  #write(nodes: readonly Child[], progress: IndexProgress): Promise<void> {
    const { commit, keys, cache } = this.#parts;
    const puts = nodes.map(
      (child) => [keys.node(child.number), encodeNode(child.node as NonNullable<Child["node"]>)] as const,
    );
    const head = encodeIndexHead({ progress, collationVersion, nextNode: this.#nextNode, trees: this.#trees });
    const emitted = this.#emitted;
    const retired = this.#retired;
    this.#emitted = new Map();
    this.#retired = [];
    return commit.write(
      (batch) => {
        for (const [key, bytes] of puts) batch.put(key, bytes);
        for (const node of retired) batch.delete(keys.node(node));
        for (const [key, bytes] of emitted) {
          if (bytes) batch.put(key, bytes);
          else batch.delete(key);
        }
        batch.put(keys.head, head);
      },
      {
        committed: () => {
          for (const child of nodes) {
            if (child.node) cache.set(keys.node(child.number), child.node);
            child.node = undefined;
          }
          for (const node of retired) cache.delete(keys.node(node));
        },
      },
    );
  }
}

function distinctKeys(rows: readonly EmittedRow[]): readonly string[] {
  const keys = rows.map(({ key }) => key);
  return keys.length > 1 ? [...new Set(keys)] : keys;
}

function lengthOf(child: Child | undefined): number {
  return child?.reductions?.reduce((sum, reduction) => sum + reduction.length, 0) ?? 0;
}
