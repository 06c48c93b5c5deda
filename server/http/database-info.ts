/** What `GET /{db}` and `_dbs_info` tell. */
import type { Database } from "../documents/database.js";
import { formatVersion } from "../storage/format.js";

export async function databaseInfo(database: Database): Promise<Record<string, unknown>> {
  const { counters } = database.log.committed;
  return {
    // CouchDB keeps the member for old replicators and always says 0.
    instance_start_time: "0",
    db_name: database.name,
    purge_seq: database.seqText(database.purgeSeq),
    update_seq: database.seqText(database.updateSeq),
    sizes: {
      file: await database.fileBytes(),
      external: counters.externalBytes,
      active: counters.liveBytes,
    },
    props: database.partitioned ? { partitioned: true } : {},
    doc_del_count: counters.deletedDocuments,
    doc_count: counters.documents,
    disk_format_version: formatVersion,
    compact_running: database.compacting,
    cluster: { q: 1, n: 1, w: 1, r: 1 },
  };
}
