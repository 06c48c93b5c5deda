/**
 * The head of an index: how far it came and where its trees begin. It changes in the same batch as what it tells of.
 *
 *   text             version of the collation that the rows are ordered by
 *   varints          update sequence and purge sequence that were reached, number of the next node, number of trees
 *   for each tree    varint: height; unless that is 0, varint: reductions of a node; then the root (a child, `tree-node.ts`)
 */
import { ByteReader, ByteWriter } from "../../documents/bytes.js";
import { type Child, decodeChild, encodeChild } from "./tree-node.js";

/** How far an index has come. Sequences are those of its database. */
export interface IndexProgress {
  readonly updateSeq: number;
  readonly purgeSeq: number;
}

export interface TreeHead {
  readonly root: Child | undefined;
  readonly height: number;
}

export interface IndexHead {
  readonly progress: IndexProgress;
  readonly collationVersion: string;
  readonly nextNode: number;
  readonly trees: readonly TreeHead[];
}

const writer = new ByteWriter(4096);

export function encodeIndexHead({ progress, collationVersion, nextNode, trees }: IndexHead): Buffer {
  writer
    .reset()
    .text(collationVersion)
    .varint(progress.updateSeq)
    .varint(progress.purgeSeq)
    .varint(nextNode)
    .varint(trees.length);
  for (const { root, height } of trees) {
    writer.varint(height);
    if (!root) continue;
    writer.varint(root.reductions?.length ?? 0);
    encodeChild(writer, root);
  }
  return writer.copy();
}

export function decodeIndexHead(bytes: Buffer): IndexHead {
  const reader = new ByteReader(bytes);
  const collationVersion = reader.text();
  const progress = { updateSeq: reader.varint(), purgeSeq: reader.varint() };
  const [nextNode, count] = [reader.varint(), reader.varint()];
  const trees: TreeHead[] = [];
  for (let i = 0; i < count; i++) {
    const height = reader.varint();
    trees.push({ height, root: height === 0 ? undefined : decodeChild(reader, reader.varint()) });
  }
  return { progress, collationVersion, nextNode, trees };
}
