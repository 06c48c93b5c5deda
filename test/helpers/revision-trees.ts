/**
 * Revision trees as text, so that a test can be read beside its drawing: one line for each leaf, oldest revision first.
 * `!` marks a deleted revision, `?` one that is known by name only.
 *
 *     treeOf("1-a? 2-b? 3-c", "1-a? 2-d!")      1-a ─┬ 2-b ── 3-c
 *                                                    └ 2-d (deleted)
 */
import { generationOf, hashOf, type RevId } from "../../protocol/ids.js";
import {
  ancestry,
  compareNodes,
  leavesOf,
  type RevisionNode,
  type RevisionPath,
  type RevisionTree,
  revOf,
} from "../../server/documents/revisions/tree.js";

const token = /^(\d+)-([^!?]+)(!?)(\??)$/;

/** Built without the code under test: the union of the lines' nodes, in order of generation and hash. */
export function treeOf(...lines: readonly string[]): RevisionTree {
  const nodes = new Map<string, RevisionNode & { readonly parentRev: string | undefined }>();
  for (const line of lines) {
    let parentRev: string | undefined;
    for (const text of line.split(" ")) {
      const match = token.exec(text);
      if (!match) throw new Error(`not a revision: ${text}`);
      const [, generation, hash, deleted, named] = match;
      const stored = named === "";
      const content = stored ? { seq: 1, size: 10 } : { seq: 0, size: 0 };
      const node = {
        generation: Number(generation),
        hash: hash as string,
        parent: -1,
        deleted: deleted === "!",
        stored,
      };
      const rev = `${generation}-${hash}`;
      nodes.set(rev, { ...node, ...content, parentRev: parentRev ?? nodes.get(rev)?.parentRev });
      parentRev = rev;
    }
  }
  const ordered = [...nodes.values()].sort(compareNodes);
  const revs = ordered.map((node) => revOf(node) as string);
  return ordered.map(({ parentRev, ...node }) => ({
    ...node,
    parent: parentRev === undefined ? -1 : revs.indexOf(parentRev),
  }));
}

/** The lines of a tree, its leaves in the order of the tree: what `treeOf` takes. */
export function linesOf(tree: RevisionTree): readonly string[] {
  const show = (node: RevisionNode): string => `${revOf(node)}${node.deleted ? "!" : ""}${node.stored ? "" : "?"}`;
  return leavesOf(tree).map((leaf) =>
    ancestry(tree, leaf)
      .reverse()
      .map((at) => show(tree[at] as RevisionNode))
      .join(" "),
  );
}

/** A line of history, oldest revision first, as a path: `1-a 2-b 3-c`. */
export function pathOfLine(line: string): RevisionPath {
  const revs = line.split(" ") as RevId[];
  return { start: generationOf(revs.at(-1) as RevId), hashes: revs.reverse().map(hashOf) };
}

/** @throws Error naming the first invariant of `tree.ts` that does not hold */
export function checkInvariants(tree: RevisionTree): void {
  tree.forEach((node, index) => {
    const before = tree[index - 1];
    if (before && compareNodes(before, node) >= 0) throw new Error(`${revOf(before)} stands before ${revOf(node)}`);
    if (node.parent < -1 || node.parent >= index) throw new Error(`${revOf(node)} stands before its parent`);
    const parent = tree[node.parent];
    if (parent && parent.generation !== node.generation - 1)
      throw new Error(`${revOf(node)} is no child of ${revOf(parent)}`);
    if (!node.stored && (node.seq !== 0 || node.size !== 0)) throw new Error(`${revOf(node)} has no body but a size`);
  });
  for (const leaf of leavesOf(tree)) {
    if (!tree[leaf]?.stored) throw new Error(`leaf ${revOf(tree[leaf] as RevisionNode)} has no body`);
  }
}
