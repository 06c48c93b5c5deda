/** How fast the machine itself is: a ratio means little without it. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { Level } from "level";

export interface MachineReport {
  readonly cpu: string;
  readonly cores: number;
  /** Bytes. */
  readonly memory: number;
  readonly node: string;
  /** Batches of one small key, each synced to disk before the next: the bound of any durable store. */
  readonly syncedWritesPerSecond: number;
  readonly md5MegabytesPerSecond: number;
}

export async function measureMachine(): Promise<MachineReport> {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memory: totalmem(),
    node: process.version,
    syncedWritesPerSecond: await syncedWrites(),
    md5MegabytesPerSecond: md5Speed(),
  };
}

async function syncedWrites(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), "settee-bench-"));
  const level = new Level(join(directory, "level"));
  try {
    await level.open();
    let written = 0;
    const started = performance.now();
    while (performance.now() - started < 1000) {
      await level.batch([{ type: "put", key: String(written), value: "value" }], { sync: true });
      written += 1;
    }
    return (written * 1000) / (performance.now() - started);
  } finally {
    await level.close();
    await rm(directory, { recursive: true, force: true });
  }
}

function md5Speed(): number {
  const megabyte = randomBytes(2 ** 20);
  const megabytes = 256;
  const started = performance.now();
  for (let index = 0; index < megabytes; index += 1) createHash("md5").update(megabyte).digest();
  return (megabytes * 1000) / (performance.now() - started);
}
