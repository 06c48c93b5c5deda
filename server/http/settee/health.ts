import { z } from "zod";
import { type Call, json, type Reply } from "../call.js";
import { described } from "./endpoint.js";

/** `GET /_settee/health`: 200 while it serves, 503 from the moment it begins to stop. */
export const health = described(
  {
    summary: "Whether the server serves.",
    need: "public",
    reply: z.strictObject({ status: z.enum(["ok", "stopping"]), version: z.string(), uptime_seconds: z.int() }),
    errors: ["service_unavailable"],
  },
  ({ services: { stopping, version } }: Call): Reply => {
    const status = stopping.aborted ? "stopping" : "ok";
    return json({ status, version, uptime_seconds: Math.floor(process.uptime()) }, stopping.aborted ? 503 : 200);
  },
);
