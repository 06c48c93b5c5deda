/** What administrators have a database do: `_ensure_full_commit`, `_compact`, and the clean-ups. */
import { requireJson } from "../body.js";
import { type DatabaseCall, json, type Reply } from "../call.js";

/** Every acknowledged write is on disk already. */
export function ensureFullCommit(call: DatabaseCall): Reply {
  requireJson(call);
  return json({ ok: true, instance_start_time: "0" }, 201);
}

export function startCompaction(call: DatabaseCall): Reply {
  requireJson(call);
  const { database, services } = call;
  database
    .compact()
    .catch((error: unknown) => services.log.error({ err: error, database: database.name }, "compaction failed"));
  return json({ ok: true }, 202);
}

/** Nothing is left over to be cleaned up: there is one copy of everything, and no full-text index. */
export function nothingToClean(_call: DatabaseCall): Reply {
  return json({ ok: true }, 202);
}
