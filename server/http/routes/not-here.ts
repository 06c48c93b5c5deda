/** Endpoints of CouchDB that are there to say that what they are for is not. */
import { CouchError } from "../../../protocol/errors.js";
import { requireJson } from "../body.js";
import { type Call, json, type Reply } from "../call.js";

/** `_search_analyze`, `_nouveau_analyze`. @throws CouchError always */
export function noSearch(): never {
  throw new CouchError("not_implemented", "Settee has no full-text search. Views and _find are there.");
}

/** `/{db}/_temp_view`. @throws CouchError always */
export function noTemporaryViews(): never {
  throw new CouchError("gone");
}

/** `POST /_reload_query_servers`: functions of design documents run in realms that know no older version of them. */
export function reloadQueryServers(call: Call): Reply {
  requireJson(call);
  return json({ ok: true }, 201);
}
