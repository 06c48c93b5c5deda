/** `/{db}/_partition/{partition}`: the documents of a partitioned database whose ids begin with one word and a colon. */
import { CouchError } from "../../../protocol/errors.js";
import { bytesOf } from "../../documents/counting.js";
import { checkPartition, idsOfPartition } from "../../documents/partitions.js";
import type { RevisionNode } from "../../documents/revisions/tree.js";
import { type DatabaseCall, json, type Reply } from "../call.js";

/** The partition that a path names. @throws CouchError bad_request, illegal_partition */
export function partitionOf({ database, params, query }: DatabaseCall): string {
  if (!database.partitioned) throw new CouchError("bad_request", "database is not partitioned");
  const partition = params["partition"] as string;
  checkPartition(partition);
  if ((query.get("partition") ?? partition) !== partition) {
    throw new CouchError("bad_request", "Conflicting value for `partition` in query string");
  }
  return partition;
}

export async function describePartition(call: DatabaseCall): Promise<Reply> {
  const { database } = call;
  const partition = partitionOf(call);
  const found = { documents: 0, deleted: 0, active: 0, external: 0 };
  for await (const documents of database.documents(idsOfPartition(partition))) {
    for (const { record } of documents) {
      const { live, external } = bytesOf(record.tree);
      found.active += live;
      found.external += external;
      if ((record.tree[record.winner] as RevisionNode).deleted) found.deleted++;
      else found.documents++;
    }
  }
  return json({
    db_name: database.name,
    sizes: { active: found.active, external: found.external },
    partition,
    doc_count: found.documents,
    doc_del_count: found.deleted,
  });
}

export function partitionWithoutName(_call: DatabaseCall): never {
  throw new CouchError("bad_request", "invalid_partition_req");
}

export function unknownOfPartition(_call: DatabaseCall): never {
  throw new CouchError("not_found", "missing");
}
