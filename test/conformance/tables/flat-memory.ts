import assert from "node:assert/strict";
import { residentBytes } from "../../helpers/process-facts.js";
import type { World } from "./world.js";

/** Milliseconds between two looks. */
const interval = 10;

/**
 * Runs something that must not take more than `allowed` bytes of memory of the server, beyond what it has after a fresh start. Where
 * the process is not ours, or not to be looked into, it is only run.
 */
export async function withFlatMemory<T>(world: World, allowed: number, run: () => Promise<T>): Promise<T> {
  if (!world.ownsProcess) return await run();
  // A process that has been large before would hide that it becomes large again.
  await world.process.restart();
  await world.client.expect(200, "GET", "/_all_dbs");
  const before = residentBytes(world.process.pid) ?? 0;
  let most = 0;
  const look = (): void => {
    most = Math.max(most, (residentBytes(world.process.pid) ?? 0) - before);
  };
  const timer = setInterval(look, interval);
  try {
    const result = await run();
    look();
    const megabytes = (bytes: number) => Math.round(bytes / 2 ** 20);
    assert.ok(most < allowed, `the server took ${megabytes(most)} MB more, ${megabytes(allowed)} MB are allowed`);
    return result;
  } finally {
    clearInterval(timer);
  }
}
