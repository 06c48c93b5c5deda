import { readFileSync } from "node:fs";
import { waitFor, within } from "../../helpers/wait-for.js";
import type { BenchCase, CaseContext } from "../bench-case.js";
import { Connection } from "../load/connection.js";
import { documentId, documentOf } from "../load/documents.js";
import { Feed } from "../load/feed.js";
import { quantile } from "../load/quantile.js";

/** Connections being opened at any time: more would only wait in the system's queue. */
const openers = 64;
const writes = 500;
const warmUps = 50;
/** Milliseconds. */
const heartbeat = 60_000;
const patience = 60_000;
/** Files that either process has open besides the connections. */
const otherFiles = 500;
/** Prime, so that walking in steps of it visits every database before any comes again. */
const stride = 7919;

/** What a user costs who is connected and does nothing; `--only idle-feeds`. */
export const idleFeeds: BenchCase = {
  id: "idle-feeds",
  onRequest: true,
  rows: [
    { id: "idle-socket", label: "a connection that waits: resident memory", unit: "KB", lessIsBetter: true },
    { id: "idle-feed", label: "what a feed adds to it, 10,000 of them", unit: "KB", goal: 10, lessIsBetter: true },
    { id: "idle-p50", label: "10,000 idle feeds, a write to one of them: p50", unit: "ms", lessIsBetter: true },
    { id: "idle-p99", label: "the same: p99", unit: "ms", goal: 50, lessIsBetter: true },
  ],
  async run(context) {
    const { peer, load, quick } = context;
    const count = quick ? 2000 : 10_000;
    needFiles(count + otherFiles);
    const databases = await context.createDatabases(count);

    // Each from a fresh start: memory that was used before would hide what is used again.
    const up = load.prepare("GET", "/_up");
    const sockets = await memoryOf(
      context,
      async () => {
        const connection = await Connection.open(peer.target.url);
        await connection.send(up);
        return connection;
      },
      databases,
    );
    for (const connection of sockets.opened) connection.close();

    const feeds = await memoryOf(context, (path) => Feed.open(peer.target, path, documentId(0), heartbeat), databases);
    const latencies: number[] = [];
    for (let index = 0; index < warmUps + writes; index += 1) {
      const chosen = (index * stride) % count;
      latencies.push(await latencyOf(context, databases[chosen] as string, feeds.opened[chosen] as Feed));
    }
    for (const feed of feeds.opened) feed.close();
    const measured = latencies.slice(warmUps);
    return {
      "idle-socket": sockets.bytes / count / 1024,
      "idle-feed": (feeds.bytes - sockets.bytes) / count / 1024,
      "idle-p50": quantile(measured, 0.5),
      "idle-p99": quantile(measured, 0.99),
    };
  },
};

interface Opened<T> {
  readonly opened: readonly T[];
  /** Resident memory that they added. */
  readonly bytes: number;
}

async function memoryOf<T>(
  { peer, load }: CaseContext,
  open: (path: string) => Promise<T>,
  paths: readonly string[],
): Promise<Opened<T>> {
  load.close();
  await peer.restart();
  await load.ask("GET", "/_up");
  const before = await settledMemory(peer);
  const opened: T[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < paths.length) {
      const index = next++;
      opened[index] = await open(paths[index] as string);
    }
  };
  await within("all connections", Promise.all(Array.from({ length: openers }, work)), patience);
  return { opened, bytes: (await settledMemory(peer)) - before };
}

/** Resident bytes once they stand still: what was only needed for opening goes soon after. */
async function settledMemory(peer: CaseContext["peer"]): Promise<number> {
  const looks = 10;
  const seen: number[] = [];
  await waitFor(
    "memory to stand still",
    () => {
      seen.push(peer.residentBytes() ?? Number.NaN);
      const last = seen.slice(-looks);
      return last.length === looks && !(Math.max(...last) - Math.min(...last) > 2 ** 20);
    },
    { timeout: patience, interval: 200 },
  );
  return seen.at(-1) as number;
}

/** From sending the write to the arrival of its row on the feed. */
async function latencyOf({ load }: CaseContext, database: string, feed: Feed): Promise<number> {
  const { _id, ...body } = documentOf(0);
  const request = load.prepare("PUT", `${database}/${_id}`, body);
  let sent = 0;
  await load.run([request], 1, patience, () => {
    sent = performance.now();
  });
  return (await within("the row", feed.row(), patience)) - sent;
}

/** The server is a child of this process and may open as many. @throws Error when that is too few */
function needFiles(count: number): void {
  const limits = readFileSync("/proc/self/limits", "utf8");
  const limit = Number(/Max open files\s+(\d+)/.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  if (limit < count) throw new Error(`needs ${count} open files in each process and there may be ${limit} (ulimit -n)`);
}
