import { type Call, json, type Reply } from "../call.js";

/** `GET /_up`, for load balancers: 404 as soon as no new work should come here, in CouchDB's words. */
export function up({ services: { stopping } }: Call): Reply {
  return stopping.aborted ? json({ status: "maintenance_mode" }, 404) : json({ status: "ok", seeds: {} });
}
