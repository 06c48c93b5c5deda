/** Partitioned databases: every id but those of design documents is `PARTITION:ID`, so that a partition is a range of ids. */
import { CouchError } from "../../protocol/errors.js";
import { isDesignDocId } from "../../protocol/ids.js";
import type { IdRange } from "./id-range.js";

/** What every write to a partitioned database asks of an id. @throws CouchError illegal_docid, illegal_partition */
export function checkPartitionedId(id: string): void {
  if (isDesignDocId(id)) return;
  const colon = id.indexOf(":");
  if (colon < 0) throw new CouchError("illegal_docid", "Doc id must be of form partition:id");
  checkPartition(id.slice(0, colon));
  if (colon === id.length - 1) throw new CouchError("illegal_docid", "Document id must not be empty");
}

/** @throws CouchError illegal_partition */
export function checkPartition(name: string): void {
  if (name === "") throw new CouchError("illegal_partition", "Partition must not be empty");
  if (name.startsWith("_")) throw new CouchError("illegal_partition", "Partition must not start with an underscore");
}

/** The ids of a partition: `;` comes right behind `:`. */
export function idsOfPartition(name: string): IdRange & { readonly from: string; readonly to: string } {
  return { from: `${name}:`, to: `${name};` };
}

/** Of a document in a partitioned database; a design document stands for itself. */
export function partitionOf(id: string): string {
  const colon = id.indexOf(":");
  return colon < 0 ? id : id.slice(0, colon);
}
