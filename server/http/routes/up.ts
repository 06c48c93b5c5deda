import { type Call, json, type Reply } from "../call.js";

/** `GET /_up`, for load balancers: 404 as soon as no new work should come here, in CouchDB's words. */
export function up({ services: { stopping, config } }: Call): Reply {
  const { maintenanceMode } = config;
  if (stopping.aborted || maintenanceMode === "true") return json({ status: "maintenance_mode" }, 404);
  if (maintenanceMode === "nolb") return json({ status: "nolb" }, 404);
  return json({ status: "ok", seeds: {} });
}
