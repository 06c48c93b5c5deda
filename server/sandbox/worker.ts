/** Entry of a sandbox thread: takes one piece of work at a time, answers, and waits for the next. */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { map } from "./commands/map.js";
import { validate } from "./commands/validate.js";
import { loadQuickJs } from "./quickjs.js";
import { Realms } from "./realms.js";
import {
  type LogEntry,
  type Outcome,
  progress,
  type RowsGiven,
  type RowsWanted,
  type Work,
  type WorkerSettings,
  type WorkReply,
} from "./worker-protocol.js";

if (!parentPort) throw new Error("This file is the entry of a worker thread.");
const port = parentPort;
const settings = workerData as WorkerSettings;

/** After this long a reply goes out with what is done; the rest queues again behind the work of other databases. */
const sliceMs = 200;
/** WebAssembly memory never shrinks: after this much the thread asks to be replaced. */
const wornBytes = 256 * 1024 * 1024;

let logs: LogEntry[] = [];
const quickjs = await loadQuickJs();
const cells = new Int32Array(settings.progress);
const realms = new Realms(quickjs, settings, {
  log: (entry) => logs.push(entry),
  began: () => Atomics.add(cells, progress.ticks, 1),
  pull: pullRows,
});

/** Stops this thread until the rows are there. Nothing else could be done with it: a function is in the middle of its call. */
function pullRows(head: string, sent: string): string | null {
  const running = Atomics.exchange(cells, progress.running, -1);
  Atomics.store(cells, progress.given, 0);
  port.postMessage({ wanted: [head, sent] } satisfies RowsWanted);
  Atomics.wait(cells, progress.given, 0);
  const given = receiveMessageOnPort(port);
  if (!given) throw new Error("The rows that were given did not arrive.");
  Atomics.add(cells, progress.ticks, 1);
  Atomics.store(cells, progress.running, running);
  return (given.message as RowsGiven).rows;
}

function perform(work: Work, index: number): Outcome {
  switch (work.command) {
    case "validate":
      return validate(realms, work, work.calls[index] as (typeof work.calls)[number]);
    case "compile":
      return realms.compile(work, work.functions[work.calls[index] as number] as (typeof work.functions)[number]);
    case "map":
      return map(realms, work, work.calls[index] as (typeof work.calls)[number]);
    case "reduce":
      return realms.ask("reduce", work, work.functions[0], [work.calls[index] as string]);
    case "filter":
      return realms.ask("filter", work, work.functions[0], [
        work.calls[index] as string,
        work.req,
        work.byView ? "view" : "",
      ]);
    default:
      return realms.ask(work.command, work, work.functions[0], work.calls[index] as readonly string[]) as Outcome;
  }
}

function serve(work: Work): WorkReply {
  const until = performance.now() + sliceMs;
  const outcomes: Outcome[] = [];
  logs = [];
  for (let index = 0; index < work.calls.length && performance.now() < until; index++) {
    Atomics.store(cells, progress.running, index);
    outcomes.push(perform(work, index));
    Atomics.store(cells, progress.running, -1);
  }
  const worn = realms.doubtful || quickjs.getWasmMemory().buffer.byteLength > wornBytes;
  return { outcomes, logs, worn };
}

// Anything thrown here is the thread's end: the pool sees which call was running, and starts another thread.
port.on("message", (work: Work) => port.postMessage(serve(work)));
setInterval(() => realms.dropIdle(), Math.max(settings.idleMs / 2, 10)).unref();
