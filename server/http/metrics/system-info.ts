/** `_system`: what a monitor wants to know of the process, in CouchDB's names as far as there is such a thing here. */
import { memoryUsage, resourceUsage, uptime } from "node:process";
import type { Metrics } from "./metrics.js";

/** Of a block, as the operating system counts input and output. */
const blockSize = 512;

export function systemInfo(metrics: Metrics): Record<string, unknown> {
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = memoryUsage();
  const { fsRead, fsWrite, voluntaryContextSwitches, involuntaryContextSwitches } = resourceUsage();
  const sandbox = metrics.sandbox();
  return {
    uptime: Math.floor(uptime()),
    // Bytes. `processes` is the heap of the JavaScript engine.
    memory: {
      other: Math.max(0, rss - heapTotal - external),
      processes: heapTotal,
      processes_used: heapUsed,
      binary: external,
      array_buffers: arrayBuffers,
      rss,
    },
    run_queue: metrics.requests.open,
    context_switches: voluntaryContextSwitches + involuntaryContextSwitches,
    io_input: fsRead * blockSize,
    io_output: fsWrite * blockSize,
    // Sandbox threads, where CouchDB has processes of the operating system.
    os_proc_count: sandbox.threads,
    message_queues: {
      group_commit: metrics.databases.commit.statistics().waiting,
      sandbox: sandbox.waiting,
      passwords: metrics.waitingPasswords(),
    },
    // Nodes of a cluster that are connected to this one: none.
    distribution: {},
  };
}
