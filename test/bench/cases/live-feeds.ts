import { within } from "../../helpers/wait-for.js";
import type { BenchCase, CaseContext } from "../bench-case.js";
import { documentId, documentOf } from "../load/documents.js";
import { Feed } from "../load/feed.js";
import { quantile } from "../load/quantile.js";

/** So many writes are under way at any time: users do not all write in the same instant. */
const writers = 16;
/** Milliseconds until a peer that loses rows, or never sends them, has failed. */
const patience = 60_000;

/** From sending the write to the arrival of its row on the feed. */
export const liveFeeds: BenchCase = {
  id: "live-feeds",
  rows: [
    { id: "feed-p50", label: "500 databases with a live feed, a write to each: p50", unit: "ms", lessIsBetter: true },
    { id: "feed-p99", label: "the same: p99", unit: "ms", goal: 50, lessIsBetter: true },
  ],
  async run(context) {
    const databases = await context.createDatabases(context.quick ? 100 : 500);
    const p50s: number[] = [];
    const p99 = await context.median(async (round) => {
      const latencies = await latenciesOf(context, databases, round);
      // The first round only warms up.
      if (round > 0) p50s.push(quantile(latencies, 0.5));
      return quantile(latencies, 0.99);
    });
    return { "feed-p50": quantile(p50s, 0.5), "feed-p99": p99 };
  },
};

async function latenciesOf(
  { load }: CaseContext,
  databases: readonly string[],
  round: number,
): Promise<readonly number[]> {
  const opening = databases.map((path) => Feed.open(load.target, path, documentId(round)));
  const feeds = await within("all feeds to listen", Promise.all(opening), patience);
  const { _id, ...body } = documentOf(round);
  const requests = databases.map((path) => load.prepare("PUT", `${path}/${_id}`, body));
  const sent: number[] = [];
  await load.run(requests, writers, patience, (index) => {
    sent[index] = performance.now();
  });
  const arrivals = await within("every row", Promise.all(feeds.map((feed) => feed.row())), patience);
  for (const feed of feeds) feed.close();
  return arrivals.map((arrival, index) => arrival - (sent[index] as number));
}
