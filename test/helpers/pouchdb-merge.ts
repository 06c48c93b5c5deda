/** PouchDB's own revision trees (nested arrays), to be compared with ours. It ships no types; these are what we use. */
import { createRequire } from "node:module";
import {
  leavesOf,
  type RevisionNode,
  type RevisionPath,
  type RevisionTree,
  revOf,
} from "../../server/documents/revisions/tree.js";

export interface PouchNodeState {
  status: "available" | "missing";
  deleted?: boolean;
}

export type PouchNode = [hash: string, state: PouchNodeState, children: PouchNode[]];

export interface PouchRoot {
  pos: number;
  ids: PouchNode;
}

interface PouchMerge {
  /** Changes the trees that it is given. */
  merge(tree: PouchRoot[], path: PouchRoot, depth: number): { readonly tree: PouchRoot[]; readonly conflicts: string };
  winningRev(metadata: { readonly rev_tree: readonly PouchRoot[] }): string;
  collectConflicts(metadata: { readonly rev_tree: readonly PouchRoot[] }): readonly string[];
}

export const { merge, winningRev, collectConflicts } = createRequire(import.meta.url)("pouchdb-merge") as PouchMerge;

/** Our flat tree as PouchDB would hold it. */
export function toPouchTree(tree: RevisionTree): PouchRoot[] {
  const roots: PouchRoot[] = [];
  const nodes: PouchNode[] = [];
  for (const { generation, hash, parent, deleted, stored } of tree) {
    const node: PouchNode = [hash, { status: stored ? "available" : "missing", ...(deleted ? { deleted } : {}) }, []];
    nodes.push(node);
    if (parent < 0) roots.push({ pos: generation, ids: node });
    else (nodes[parent] as PouchNode)[2].push(node);
  }
  return roots;
}

export function toPouchPath({ start, hashes }: RevisionPath, deleted: boolean): PouchRoot {
  const [newest, ...older] = hashes as readonly [string, ...string[]];
  let ids: PouchNode = [newest, { status: "available", ...(deleted ? { deleted } : {}) }, []];
  for (const hash of older) ids = [hash, { status: "missing" }, [ids]];
  return { pos: start - older.length, ids };
}

/** Every revision with its parent, and which leaves are deleted: what both kinds of tree say. */
export function factsOfPouchTree(roots: readonly PouchRoot[]): readonly string[] {
  const facts: string[] = [];
  const visit = (generation: number, [hash, { deleted }, children]: PouchNode, parent: string): void => {
    const rev = `${generation}-${hash}`;
    const leaf = children.length === 0;
    facts.push(`${rev} on ${parent}${leaf ? " leaf" : ""}${leaf && deleted ? " deleted" : ""}`);
    for (const child of children) visit(generation + 1, child, rev);
  };
  for (const { pos, ids } of roots) visit(pos, ids, "nothing");
  return facts.sort();
}

export function factsOfTree(tree: RevisionTree): readonly string[] {
  const leaves = new Set(leavesOf(tree));
  return tree
    .map((node, index) => {
      const parent = tree[node.parent];
      const leaf = leaves.has(index);
      return `${revOf(node)} on ${parent ? revOf(parent as RevisionNode) : "nothing"}${leaf ? " leaf" : ""}${leaf && node.deleted ? " deleted" : ""}`;
    })
    .sort();
}
