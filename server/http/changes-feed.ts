/** The body of `_changes`, piece by piece as it is pulled. */
import { ByteWriter } from "../documents/bytes.js";
import { changesOfDesignDocuments, changesOfIds } from "../documents/changes/document-changes.js";
import { LiveChanges } from "../documents/changes/live-changes.js";
import { pendingAfter } from "../documents/changes/pending-changes.js";
import type { Database } from "../documents/database.js";
import { idOfRow, type SequenceEntry } from "../documents/sequence-entry.js";
import { type ChangesFilter, goesByIds, type Wanted, wantsId } from "../query/changes/changes-filter.js";
import { type Judge, judgedAtOnce } from "../query/changes/judged-changes.js";
import { findWanted } from "../query/changes/wanted-changes.js";
import type { DatabaseCall } from "./call.js";
import { writeChange } from "./change-rows.js";
import type { ChangesQuery } from "./changes-query.js";
import { mayStillRead, whenFeedEnds } from "./feed-end.js";
import { feedFormats } from "./feed-format.js";

export interface Feed {
  readonly database: Database;
  readonly query: ChangesQuery;
  readonly filter: ChangesFilter | undefined;
  /** Says what a filter function wants. */
  judge?: Judge;
}

/** How far a feed has come. */
interface Progress {
  rows: number;
  /** Changes looked at, sent or not. */
  read: number;
  /** Where its reader goes on: all changes up to here were sent or not wanted. */
  lastSeq: number;
}

/** Bytes gathered before they are handed to the socket. */
const chunkSize = 64 * 1024;
const longestStep = 500;
/** Milliseconds of looking into documents before others get their turn. */
const turn = 5;

/** The changes that there are. */
export async function* finishedFeed(feed: Feed, call: DatabaseCall): AsyncGenerator<Buffer> {
  const { database, query } = feed;
  const { updateSeq } = database;
  const since = query.descending ? 0 : query.since;
  const progress: Progress = { rows: 0, read: 0, lastSeq: query.since };
  yield Buffer.from(feedFormats[query.feed].begin);
  if (query.limit > 0) {
    for await (const entries of storedChanges(feed, since, updateSeq)) {
      yield* rows(feed, entries, progress);
      if (progress.rows >= query.limit) break;
      // Without rows nothing is sent that would tell.
      if (feed.filter && call.signal.aborted) return;
    }
  }
  if (progress.rows < query.limit && !query.descending) progress.lastSeq = Math.max(progress.lastSeq, updateSeq);
  yield await end(feed, progress, { since, updateSeq });
}

/** The changes that there are and those to come, until the client has enough, goes away, or hears nothing for too long. */
export async function* liveFeed(feed: Feed, call: DatabaseCall): AsyncGenerator<Buffer> {
  const { database, query, filter } = feed;
  const { since, heartbeat, timeout, limit } = query;
  const format = feedFormats[query.feed];
  const { updateSeq } = database;
  const progress: Progress = { rows: 0, read: 0, lastSeq: since };
  // Filters by ids find the changes before this moment in their own way.
  const byIds = goesByIds(filter);
  const live = new LiveChanges(database, byIds ? updateSeq : since, () => {
    if (!mayStillRead(call)) live.close();
  });
  let gone = false;
  const unwatch = call.whenClosed(() => {
    gone = true;
    live.close();
  });
  const forget = whenFeedEnds(call, () => live.close());
  const isAnswered = (): boolean => query.feed === "longpoll" && progress.rows > 0;
  try {
    if (format.begin) yield Buffer.from(format.begin);
    if (byIds && limit > 0) {
      for await (const entries of storedChanges(feed, since, updateSeq)) yield* rows(feed, entries, progress);
      if (progress.rows < limit) progress.lastSeq = updateSeq;
    }
    const patience = heartbeat ?? timeout;
    let deadline = performance.now() + patience;
    while (progress.rows < limit && !(isAnswered() && live.lastSeq >= updateSeq)) {
      const event = await live.next(isAnswered() ? 0 : Math.max(0, deadline - performance.now()));
      if (event === "ended") break;
      if (event !== "idle") {
        const before = progress.rows;
        yield* rows(feed, event, progress);
        if (progress.rows > before) deadline = performance.now() + patience;
        if (progress.rows < limit) progress.lastSeq = live.lastSeq;
      }
      if (event !== "idle" && performance.now() < deadline) continue;
      if (heartbeat === undefined || isAnswered()) break;
      yield format.heartbeat;
      deadline = performance.now() + patience;
    }
    if (gone) return;
    yield await end(feed, progress, { since, updateSeq });
  } finally {
    live.close();
    unwatch();
    forget();
  }
}

/** From the store, in steps: without what a filter by ids does not want. */
async function* storedChanges(
  { database, query: { descending, limit }, filter }: Feed,
  since: number,
  upTo: number,
): AsyncIterable<readonly SequenceEntry[]> {
  if (filter?.kind === "ids") yield await changesOfIds(database, filter.ids, { since, upTo, descending });
  else if (filter?.kind === "design") yield await changesOfDesignDocuments(database, { since, upTo, descending });
  else yield* database.changes({ since, descending, step: filter ? longestStep : Math.min(limit, longestStep) });
}

/** The rows of some changes, up to the limit. */
async function* rows(feed: Feed, entries: readonly SequenceEntry[], progress: Progress): AsyncGenerator<Buffer> {
  const { database, query, filter } = feed;
  const format = feedFormats[query.feed];
  const options = { database, query, fields: filter?.kind === "selector" ? filter.fields : undefined };
  const out = new ByteWriter(Math.min(entries.length * 160, chunkSize) + 1024);
  let turnEnds = performance.now() + turn;
  let judged: readonly (Wanted | undefined)[] = [];
  for (const [index, entry] of entries.entries()) {
    if (progress.rows >= query.limit) break;
    progress.read++;
    let wanted: Wanted | undefined;
    if (feed.judge) {
      const place = index % judgedAtOnce;
      if (place === 0) judged = await feed.judge(entries.slice(index, index + judgedAtOnce));
      wanted = judged[place];
      if (!wanted) continue;
    } else if (filter?.kind === "selector") {
      if (performance.now() > turnEnds) {
        await new Promise(setImmediate);
        turnEnds = performance.now() + turn;
      }
      wanted = findWanted(database, filter, entry, query.allLeaves);
      if (!wanted) continue;
    } else if (goesByIds(filter) && !wantsId(filter, idOfRow(entry.row))) continue;
    out.latin1(progress.rows === 0 ? format.firstRow : format.nextRow);
    const writing = writeChange(out, options, entry, progress.rows, wanted);
    if (writing) await writing;
    out.latin1(format.afterRow(database.seqText(entry.seq)));
    progress.rows++;
    progress.lastSeq = entry.seq;
    if (out.length >= chunkSize) yield out.take();
  }
  if (out.length > 0) yield out.view();
}

interface Began {
  readonly since: number;
  /** The database's last sequence at that moment. */
  readonly updateSeq: number;
}

async function end(feed: Feed, progress: Progress, began: Began): Promise<Buffer> {
  const { database, query } = feed;
  const pending = database.deleted ? 0 : await pendingOf(feed, progress, began);
  return Buffer.from(feedFormats[query.feed].end(database.seqText(progress.lastSeq), pending));
}

/** As in CouchDB, what a filter by ids passed over counts as pending, and what a filter looked into does not. */
async function pendingOf(
  { database, query, filter }: Feed,
  { rows, read, lastSeq }: Progress,
  { since, updateSeq }: Began,
): Promise<number> {
  const counted = goesByIds(filter) ? rows : read;
  if (goesByIds(filter) || query.descending) return Math.max(0, (await pendingAfter(database, since)) - counted);
  return await pendingAfter(database, lastSeq, { since, updateSeq, changes: read });
}
