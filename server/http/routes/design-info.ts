/** `/{db}/_design/{ddoc}/_info`, and what administrators do with indexes: `_compact/{ddoc}`, `_view_cleanup`. */
import { collationVersion } from "../../query/collation.js";
import { requireJson } from "../body.js";
import { type DatabaseCall, json, type Reply } from "../call.js";

export async function describeIndex({ database, params, services }: DatabaseCall): Promise<Reply> {
  const name = params["ddoc"] as string;
  const { language, definition } = services.designViews.groupOf(database, `_design/${name}`);
  const index = await services.indexes.find(database, definition);
  const bytes = index ? await services.indexes.sizeOf(index) : 0;
  const { updateSeq, purgeSeq } = index?.progress ?? { updateSeq: 0, purgeSeq: 0 };
  return json({
    name,
    view_index: {
      updates_pending: { minimum: 0, preferred: 0, total: Math.max(0, database.updateSeq - updateSeq) },
      waiting_commit: false,
      waiting_clients: index?.waiting ?? 0,
      updater_running: index?.isUpdating ?? false,
      update_seq: updateSeq,
      sizes: { file: bytes, external: bytes, active: bytes },
      signature: definition.signature,
      purge_seq: purgeSeq,
      language,
      compact_running: false,
      collator_versions: [collationVersion],
    },
  });
}

/** @throws CouchError not_found */
export async function compactIndex(call: DatabaseCall): Promise<Reply> {
  requireJson(call);
  const { database, params, services } = call;
  const { definition } = services.designViews.groupOf(database, `_design/${params["ddoc"]}`);
  const index = await services.indexes.find(database, definition);
  if (index) {
    services.indexes
      .compact(index)
      .catch((error: unknown) =>
        services.log.error({ err: error, database: database.name }, "compacting an index failed"),
      );
  }
  return json({ ok: true }, 202);
}

/** Drops the indexes that no design document of the database defines. */
export function cleanUpIndexes({ database, services }: DatabaseCall): Reply {
  services.indexes
    .cleanUp(database, () => services.designViews.signaturesOf(database))
    .catch((error: unknown) => services.log.error({ err: error, database: database.name }, "dropping indexes failed"));
  return json({ ok: true }, 202);
}
