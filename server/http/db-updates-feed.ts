/** The body of `_db_updates`, piece by piece as it is pulled. */
import { LiveUpdates } from "../documents/changes/live-updates.js";
import type { DatabaseUpdate, DatabaseUpdates } from "../documents/database-updates.js";
import type { Call } from "./call.js";
import type { DbUpdatesQuery } from "./db-updates-query.js";
import { whenFeedEnds } from "./feed-end.js";
import { feedFormats } from "./feed-format.js";

/** How far a feed has come. */
interface Progress {
  rows: number;
  lastSeq: number;
}

const longestStep = 500;

/** The updates that there are, up to a sequence. */
export async function* finishedUpdates(
  updates: DatabaseUpdates,
  query: DbUpdatesQuery,
  upTo: number,
): AsyncGenerator<Buffer> {
  const { limit, descending } = query;
  const format = feedFormats[query.feed];
  const progress: Progress = { rows: 0, lastSeq: query.since };
  yield Buffer.from(format.begin);
  if (limit > 0) {
    // As in `_changes`: newest first begins at the end, whatever `since` says.
    const since = descending ? 0 : query.since;
    for await (const found of updates.changes({ since, upTo, descending, step: Math.min(limit, longestStep) })) {
      yield rows(updates, query, found, progress);
      if (progress.rows >= limit) break;
    }
  }
  if (progress.rows < limit && !descending) progress.lastSeq = Math.max(progress.lastSeq, upTo);
  yield end(updates, query, progress);
}

/** The updates that there are and those to come, until the client has enough, goes away, or hears nothing for too long. */
export async function* liveUpdates(
  updates: DatabaseUpdates,
  query: DbUpdatesQuery,
  call: Call,
): AsyncGenerator<Buffer> {
  const { signal } = call;
  const { since, heartbeat, timeout, limit } = query;
  const format = feedFormats[query.feed];
  const live = new LiveUpdates(updates, since);
  const stop = (): void => live.close();
  signal.addEventListener("abort", stop);
  const forget = whenFeedEnds(call, stop);
  const progress: Progress = { rows: 0, lastSeq: since };
  const isAnswered = (): boolean => query.feed === "longpoll" && progress.rows > 0;
  try {
    yield Buffer.from(format.begin);
    const patience = heartbeat ?? timeout;
    let deadline = performance.now() + patience;
    while (progress.rows < limit) {
      const event = await live.next(isAnswered() ? 0 : Math.max(0, deadline - performance.now()));
      if (event === "ended") break;
      if (event !== "idle") {
        yield rows(updates, query, event, progress);
        deadline = performance.now() + patience;
        continue;
      }
      progress.lastSeq = Math.max(progress.lastSeq, live.lastSeq);
      if (heartbeat === undefined || isAnswered()) break;
      yield format.heartbeat;
      deadline = performance.now() + patience;
    }
    if (!signal.aborted) yield end(updates, query, progress);
  } finally {
    stop();
    signal.removeEventListener("abort", stop);
    forget();
  }
}

/** Up to the limit. */
function rows(
  updates: DatabaseUpdates,
  { feed, limit }: DbUpdatesQuery,
  found: readonly DatabaseUpdate[],
  progress: Progress,
): Buffer {
  const format = feedFormats[feed];
  let text = "";
  for (const { name, type, seq: number } of found.slice(0, limit - progress.rows)) {
    const seq = updates.seqText(number);
    text += progress.rows === 0 ? format.firstRow : format.nextRow;
    text += JSON.stringify({ db_name: name, type, seq }) + format.afterRow(seq);
    progress.rows++;
    progress.lastSeq = number;
  }
  return Buffer.from(text);
}

function end(updates: DatabaseUpdates, { feed }: DbUpdatesQuery, { lastSeq }: Progress): Buffer {
  return Buffer.from(feedFormats[feed].end(updates.seqText(lastSeq)));
}
