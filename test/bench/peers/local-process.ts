import { readdirSync, readFileSync } from "node:fs";
import type { ServerProcess } from "../../helpers/server-process.js";
import type { RunningPeer } from "./peer.js";

/** A peer that is a process of ours, looked at through `/proc` where there is one. */
export function localPeer(
  server: ServerProcess,
  access: Pick<RunningPeer, "auth"> & { authorization?: string },
): RunningPeer {
  return {
    target: { url: server.url, authorization: access.authorization },
    ...(access.auth ? { auth: access.auth } : {}),
    dataDir: server.dataDir,
    residentBytes() {
      const status = proc(() => readFileSync(`/proc/${server.pid}/status`, "utf8"));
      const kilobytes = status && /VmRSS:\s+(\d+) kB/.exec(status)?.[1];
      return kilobytes ? Number(kilobytes) * 1024 : undefined;
    },
    openFiles: () => proc(() => readdirSync(`/proc/${server.pid}/fd`).length),
    restart: () => server.restart(),
    close: () => server.close(),
  };
}

function proc<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
