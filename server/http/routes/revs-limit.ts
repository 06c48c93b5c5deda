/** `/{db}/_revs_limit`: how many generations of history are kept. */
import { CouchError } from "../../../protocol/errors.js";
import { readJson } from "../body.js";
import { type DatabaseCall, json, type Reply } from "../call.js";

export function readRevsLimit({ database }: DatabaseCall): Reply {
  return json(database.revsLimit());
}

export async function writeRevsLimit(call: DatabaseCall): Promise<Reply> {
  const limit = await readJson(call);
  if (!Number.isSafeInteger(limit) || (limit as number) < 1) {
    throw new CouchError("bad_request", "The revision limit must be a positive integer.");
  }
  await call.database.setRevsLimit(limit as number);
  return json({ ok: true });
}
