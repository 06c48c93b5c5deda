/**
 * The record under a sequence: the latest change of one document, ready to be sent, and the database's counters after it.
 *
 *   flags            1 the winner is deleted   2 the tree has several leaves, so that `style=all_docs` must look at it
 *   byte             where the row begins
 *   varint × 5       counters
 *   the rest         row: `"id":"a","changes":[{"rev":"2-…"}]` and `,"deleted":true` where it is
 *
 * Counters ride in these records instead of one of their own: they are as atomic as the write, and cost no key.
 */
import type { RevId } from "../../protocol/ids.js";
import { ByteReader, ByteWriter } from "./bytes.js";
import { leavesOf, type RevisionNode, type RevisionTree, revOf } from "./revisions/tree.js";

/** What `GET /{db}` tells of a database. */
export interface Counters {
  readonly documents: number;
  readonly deletedDocuments: number;
  /** Bytes of the bodies and attachments of all leaves. */
  readonly liveBytes: number;
  /** Live bytes and those of older revisions, which compaction would give back. */
  readonly storedBytes: number;
  /** Bytes of the bodies and attachments of all leaves as readers get them: before compression. */
  readonly externalBytes: number;
}

export const noCounters: Counters = {
  documents: 0,
  deletedDocuments: 0,
  liveBytes: 0,
  storedBytes: 0,
  externalBytes: 0,
};

export interface ChangeRow {
  readonly id: string;
  /** The winner. */
  readonly rev: string;
  readonly deleted: boolean;
  readonly severalLeaves: boolean;
}

/** A change as it is read back; `row` is spliced into feeds as it is. */
export interface SequenceEntry {
  readonly seq: number;
  readonly deleted: boolean;
  readonly severalLeaves: boolean;
  /** JSON text of the row's members behind `seq`, without the closing brace. */
  readonly row: Buffer;
}

/** What a feed tells of a document. */
export function changeRow(id: string, tree: RevisionTree, winner: number): ChangeRow {
  const node = tree[winner] as RevisionNode;
  return { id, rev: revOf(node), deleted: node.deleted, severalLeaves: leavesOf(tree).length > 1 };
}

const deletedRow = 1;
const severalLeavesRow = 2;
const writer = new ByteWriter(4096);

export function encodeSequenceEntry(row: ChangeRow, counters: Counters): Buffer {
  writer
    .reset()
    .byte((row.deleted ? deletedRow : 0) | (row.severalLeaves ? severalLeavesRow : 0))
    .byte(0)
    .varint(counters.documents)
    .varint(counters.deletedDocuments)
    .varint(counters.liveBytes)
    .varint(counters.storedBytes)
    .varint(counters.externalBytes);
  const begins = writer.length;
  const bytes = writer.utf8(rowText(row)).copy();
  bytes[1] = begins;
  return bytes;
}

/** The row as it is sent, without `seq` and braces. */
export function rowText({ id, rev, deleted }: Omit<ChangeRow, "severalLeaves">): string {
  return `"id":${JSON.stringify(id)},"changes":[{"rev":${JSON.stringify(rev)}}]${deleted ? ',"deleted":true' : ""}`;
}

export function decodeSequenceEntry(seq: number, bytes: Buffer): SequenceEntry {
  const flags = bytes[0] as number;
  return {
    seq,
    deleted: (flags & deletedRow) !== 0,
    severalLeaves: (flags & severalLeavesRow) !== 0,
    row: bytes.subarray(bytes[1]),
  };
}

export function countersOfEntry(bytes: Buffer): Counters {
  const reader = new ByteReader(bytes, 2);
  return {
    documents: reader.varint(),
    deletedDocuments: reader.varint(),
    liveBytes: reader.varint(),
    storedBytes: reader.varint(),
    externalBytes: reader.varint(),
  };
}

const idBegins = '"id":"'.length;

/** The document that a row is about. Its quotes are found without parsing: feeds with documents ask this for every row. */
export function idOfRow(row: Buffer): string {
  const id = row.toString("utf8", idBegins, row.indexOf(0x22, idBegins));
  return id.includes("\\") ? rowMembers(row).id : id;
}

/** The winner when the row was written. */
export function revOfRow(row: Buffer): RevId {
  return rowMembers(row).changes[0].rev;
}

function rowMembers(row: Buffer): { readonly id: string; readonly changes: readonly [{ readonly rev: RevId }] } {
  return JSON.parse(`{${row.toString()}}`);
}
