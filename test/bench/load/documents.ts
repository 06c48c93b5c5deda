/** The documents of the benchmark: 300 bytes of JSON each, the same for every peer. */
import { createHash } from "node:crypto";

export interface BenchDocument {
  readonly _id: string;
  readonly [member: string]: unknown;
}

const documentBytes = 300;
const words = "the quick brown fox jumps over the lazy dog and carries notes from one device to another ";

export function documentId(index: number): string {
  return `note-${String(index).padStart(8, "0")}`;
}

export function documentOf(index: number): BenchDocument {
  const bare = { _id: documentId(index), type: "note", number: index, done: index % 3 === 0, text: "" };
  const missing = documentBytes - JSON.stringify(bare).length;
  return { ...bare, text: words.repeat(4).slice(index % 40, (index % 40) + missing) };
}

export function documentsOf(from: number, count: number): readonly BenchDocument[] {
  return Array.from({ length: count }, (_, offset) => documentOf(from + offset));
}

/** A first revision as replication brings it: its id is ours, so that later requests can be prepared ahead. */
export function firstRevisionOf(index: number): string {
  return `1-${createHash("md5").update(documentId(index)).digest("hex")}`;
}

export function replicatedDocumentsOf(from: number, count: number): readonly BenchDocument[] {
  return documentsOf(from, count).map((document, offset) => {
    const rev = firstRevisionOf(from + offset);
    return { ...document, _rev: rev, _revisions: { start: 1, ids: [rev.slice(2)] } };
  });
}
