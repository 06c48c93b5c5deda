/** `POST /_replicate`: replicates now and answers when it is done; or begins, or ends, one without end. */
import { CouchError } from "../../../protocol/errors.js";
import { readJsonObject } from "../body.js";
import { type Call, json, type Reply } from "../call.js";

export async function replicate(call: Call): Promise<Reply> {
  if (call.identity.name === null && !call.identity.roles.includes("_admin")) {
    throw new CouchError("unauthorized", "You are not an authenticated user");
  }
  const outcome = await call.services.replicator.replicate(await readJsonObject(call), call.identity);
  if (outcome.kind === "finished") return json(outcome.result);
  return json({ ok: true, _local_id: outcome.id }, outcome.kind === "continuous" ? 202 : 200);
}

/** As CouchDB: it looks for the body before it looks at the method. */
export function replicateWithoutBody(): Reply {
  throw new CouchError("bad_request", "Missing request body");
}
