/**
 * The record of one document, as it is stored:
 *
 *   flags            1: every hash is 32 hexadecimal digits   2: the winner's revision value follows the tree
 *   varint           sequence of the document's latest change
 *   varint, varint   number of nodes, index of the winner
 *   for each node    flags (1 deleted, 2 stored, 4 root, 8 parent is the node before, 16 has attachments); varint generation
 *                    for roots; varint distance to the parent where it is not the node before; varint sequence and size
 *                    where stored; varint inherited and external bytes where stored with attachments
 *   hashes           16 bytes each, or texts behind their lengths
 *   the rest         revision value of the winner
 *
 * A revision value is what stands in a body record, or here: the attachment list behind its length, then the body's JSON text.
 */

import { type AttachmentInfo, decodeAttachments, encodeAttachments } from "./attachments/attachment-info.js";
import { ByteReader, ByteWriter } from "./bytes.js";
import type { RevisionNode, RevisionTree } from "./revisions/tree.js";

export interface DocumentRecord {
  readonly tree: RevisionTree;
  /** Index of the winner in the tree. */
  readonly winner: number;
  /** Update sequence of the latest change. */
  readonly seq: number;
  /** Revision value of the winner, when it stands here. */
  readonly inline: Buffer | undefined;
}

/** One revision's content: canonical JSON text without special members, and what is attached. */
export interface RevisionValue {
  readonly body: Buffer;
  readonly attachments: readonly AttachmentInfo[];
}

const hexHashes = 1;
const inlineValue = 2;
const deletedNode = 1;
const storedNode = 2;
const rootNode = 4;
const parentBefore = 8;
const withAttachments = 16;

const hexHash = /^[0-9a-f]{32}$/;
const writer = new ByteWriter(64 * 1024);

export function encodeDocumentRecord(record: DocumentRecord): Buffer {
  const { tree } = record;
  const allHex = tree.every((node) => hexHash.test(node.hash));
  writer
    .reset()
    .byte((allHex ? hexHashes : 0) | (record.inline ? inlineValue : 0))
    .varint(record.seq)
    .varint(tree.length)
    .varint(record.winner);
  for (let i = 0; i < tree.length; i++) {
    const node = tree[i] as RevisionNode;
    const root = node.parent < 0;
    const before = !root && node.parent === i - 1;
    writer.byte(
      (node.deleted ? deletedNode : 0) |
        (node.stored ? storedNode : 0) |
        (root ? rootNode : 0) |
        (before ? parentBefore : 0) |
        (node.attached ? withAttachments : 0),
    );
    if (root) writer.varint(node.generation);
    else if (!before) writer.varint(i - node.parent);
    if (node.stored) writer.varint(node.seq).varint(node.size);
    if (node.attached) writer.varint(node.attached.inherited).varint(node.attached.external);
  }
  for (const node of tree) {
    if (allHex) writer.hex(node.hash);
    else writer.text(node.hash);
  }
  if (record.inline) writer.raw(record.inline);
  return writer.copy();
}

export function decodeDocumentRecord(bytes: Buffer): DocumentRecord {
  const reader = new ByteReader(bytes);
  const flags = reader.byte();
  const seq = reader.varint();
  const count = reader.varint();
  const winner = reader.varint();
  const tree: { -readonly [K in keyof RevisionNode]: RevisionNode[K] }[] = [];
  for (let i = 0; i < count; i++) {
    const nodeFlags = reader.byte();
    let parent = -1;
    let generation: number;
    if (nodeFlags & rootNode) {
      generation = reader.varint();
    } else {
      parent = nodeFlags & parentBefore ? i - 1 : i - reader.varint();
      generation = (tree[parent] as RevisionNode).generation + 1;
    }
    const stored = (nodeFlags & storedNode) !== 0;
    const nodeSeq = stored ? reader.varint() : 0;
    const size = stored ? reader.varint() : 0;
    const node = { generation, hash: "", parent, deleted: (nodeFlags & deletedNode) !== 0, stored, seq: nodeSeq, size };
    if (nodeFlags & withAttachments)
      tree.push({ ...node, attached: { inherited: reader.varint(), external: reader.varint() } });
    else tree.push(node);
  }
  if (flags & hexHashes) {
    // One call for all hashes: the slices share its text.
    const all = bytes.toString("hex", reader.at, reader.at + count * 16);
    for (let i = 0; i < count; i++) (tree[i] as { hash: string }).hash = all.slice(i * 32, i * 32 + 32);
    reader.at += count * 16;
  } else {
    for (let i = 0; i < count; i++) (tree[i] as { hash: string }).hash = reader.text();
  }
  return { tree, winner, seq, inline: flags & inlineValue ? bytes.subarray(reader.at) : undefined };
}

export function encodeRevisionValue({ body, attachments }: RevisionValue): Buffer {
  return writer.reset().text(encodeAttachments(attachments)).raw(body).copy();
}

export function decodeRevisionValue(bytes: Buffer): RevisionValue {
  if (bytes[0] === 0) return { body: bytes.subarray(1), attachments: [] };
  const reader = new ByteReader(bytes);
  const attachments = decodeAttachments(reader.text());
  return { body: bytes.subarray(reader.at), attachments };
}
