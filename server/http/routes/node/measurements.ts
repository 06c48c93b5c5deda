/** `_stats`, `_prometheus` and `_system` of `/_node/_local`. */
import { type Call, json, type Reply } from "../../call.js";
import { statsAt, statsOf } from "../../metrics/stats.js";
import { systemInfo } from "../../metrics/system-info.js";

/** With or without a path below; `?flush=true` is understood, and nothing is ever behind. */
export function stats({ params, services }: Call): Reply {
  const path = (params["*"] ?? "").split("/").filter((part) => part !== "");
  return json(statsAt(statsOf(services.metrics), path));
}

export async function prometheus({ services: { metrics } }: Call): Promise<Reply> {
  const { prometheus } = metrics;
  return { status: 200, headers: { "Content-Type": prometheus.contentType }, body: await prometheus.text() };
}

export function system({ services }: Call): Reply {
  return json(systemInfo(services.metrics));
}
