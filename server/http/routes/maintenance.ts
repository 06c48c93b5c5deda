/** `/{db}/_ensure_full_commit` and `_compact`. */
import { type DatabaseCall, json, type Reply } from "../call.js";
import { requireJson } from "../body.js";

/** Every acknowledged write is on disk already. */
export function ensureFullCommit(call: DatabaseCall): Reply {
  requireJson(call);
  return json({ ok: true, instance_start_time: "0" }, 201);
}

export function startCompaction(call: DatabaseCall): Reply {
  requireJson(call);
  const { database, services } = call;
  database.compact().catch((error: unknown) => services.log.error({ err: error, database: database.name }, "compaction failed"));
  return json({ ok: true }, 202);
}
