/** What the operating system knows of a process; undefined where it has no `/proc`. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export function residentBytes(pid: number): number | undefined {
  const status = attempt(() => readFileSync(`/proc/${pid}/status`, "utf8"));
  const kilobytes = status && /VmRSS:\s+(\d+) kB/.exec(status)?.[1];
  return kilobytes ? Number(kilobytes) * 1024 : undefined;
}

export function openSockets(pid: number): number | undefined {
  const descriptors = attempt(() => readdirSync(`/proc/${pid}/fd`));
  // One that was closed meanwhile has no name any more.
  const name = (descriptor: string) => attempt(() => readlinkSync(`/proc/${pid}/fd/${descriptor}`)) ?? "";
  return descriptors?.filter((descriptor) => name(descriptor).startsWith("socket:")).length;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
