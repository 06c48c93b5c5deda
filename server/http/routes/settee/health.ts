import { type Call, json, type Reply } from "../../call.js";

/** `GET /_settee/health`: 200 while it serves, 503 from the moment it begins to stop. */
export function health({ services: { stopping, version } }: Call): Reply {
  const status = stopping.aborted ? "stopping" : "ok";
  return json({ status, version, uptime_seconds: Math.floor(process.uptime()) }, stopping.aborted ? 503 : 200);
}
