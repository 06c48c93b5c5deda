/**
 * The body of `GET /_settee/me/changes`: which of one user's databases changed, and which came or went. A sequence of this feed is two:
 * how far it has come in the updates of all databases, and in the changes of the user's set of databases.
 */
import { CouchError } from "../../protocol/errors.js";
import type { UserName } from "../../protocol/ids.js";
import type { DatabaseUpdate, DatabaseUpdates } from "../documents/database-updates.js";
import type { DatabaseSet } from "../gateway/sharing/my-databases.js";
import type { Call } from "./call.js";
import { type FeedQuery, parseFeedQuery } from "./db-updates-query.js";
import { whenFeedEnds } from "./feed-end.js";
import { feedFormats } from "./feed-format.js";

export interface MyChangesQuery extends FeedQuery {
  /** In the updates of all databases. */
  readonly since: number;
  /** Number of the last change of the set that was told; undefined: now. */
  readonly setSince: number | undefined;
  /** How far one may read; see `DatabaseUpdates.observe`. */
  readonly upTo: number;
}

const sequence = /^"?(\d{1,15}-[0-9a-z]{1,32})~(\d{1,15})"?$/;

/** @throws CouchError bad_request */
export async function parseMyChangesQuery(call: Call): Promise<MyChangesQuery> {
  const { query, headers, services } = call;
  const { updates } = services.databases;
  const upTo = await updates.observe();
  const text = headers["last-event-id"] ?? query.get("since") ?? "0";
  const feedQuery = parseFeedQuery(call);
  if (text === "0") return { ...feedQuery, upTo, since: 0, setSince: 0 };
  if (text === "now") return { ...feedQuery, upTo, since: upTo, setSince: undefined };
  const [, seq, n] = (typeof text === "string" && sequence.exec(text)) || [];
  if (seq === undefined) throw new CouchError("bad_request", "Malformed sequence supplied in 'since' parameter.");
  return { ...feedQuery, upTo, since: updates.resolveSeq(seq), setSince: Number(n) };
}

/** How far a feed has come. */
interface Progress {
  rows: number;
  seq: number;
  n: number;
}

const step = 500;

export async function* myChanges(call: Call, query: MyChangesQuery): AsyncGenerator<Buffer> {
  const { services, identity, signal } = call;
  const { updates, updateHub } = services.databases;
  const { mine } = services.gateway.sharing;
  const user = identity.name as UserName;
  const follower = query.feed === "normal" ? undefined : updateHub.follow();
  let isChanged = false;
  const unwatch = mine.watch(user, () => {
    isChanged = true;
    follower?.wake();
  });
  const stop = (): void => follower?.close();
  signal.addEventListener("abort", stop);
  const forget = whenFeedEnds(call, stop);
  try {
    let set = await mine.set(user);
    follower?.want(set.names);
    // What is committed from now on, the follower hears of.
    const upTo = follower ? await updates.observe() : query.upTo;
    const progress: Progress = { rows: 0, seq: query.since, n: query.setSince ?? set.n };
    const write = new Rows(updates, query, progress);
    yield Buffer.from(feedFormats[query.feed].begin);
    yield* write.setChanges(set);
    for await (const found of updates.changes({ since: query.since, upTo, step })) yield* write.updates(found, set);
    progress.seq = Math.max(progress.seq, upTo);
    const patience = query.heartbeat ?? query.timeout;
    let deadline = performance.now() + patience;
    while (follower) {
      const isAnswered = query.feed === "longpoll" && progress.rows > 0;
      const event = await follower.next(isAnswered ? 0 : Math.max(0, deadline - performance.now()));
      if (event === "ended") break;
      if (isChanged) {
        isChanged = false;
        const now = await mine.set(user).catch(goneAsUndefined);
        if (!now) break;
        set = now;
        follower.want(set.names);
        yield* write.setChanges(set);
      }
      if (event === "idle") {
        progress.seq = Math.max(progress.seq, follower.drained ?? 0);
        if (query.heartbeat === undefined || isAnswered) break;
        yield feedFormats[query.feed].heartbeat;
      } else if (event !== "woken") yield* write.updates(event, set);
      if (event !== "woken") deadline = performance.now() + patience;
    }
    if (!signal.aborted) yield write.end();
  } finally {
    stop();
    unwatch();
    signal.removeEventListener("abort", stop);
    forget();
  }
}

class Rows {
  readonly #updates: DatabaseUpdates;
  readonly #query: MyChangesQuery;
  readonly #progress: Progress;

  constructor(updates: DatabaseUpdates, query: MyChangesQuery, progress: Progress) {
    this.#updates = updates;
    this.#query = query;
    this.#progress = progress;
  }

  *setChanges(set: DatabaseSet): Generator<Buffer> {
    const progress = this.#progress;
    const changes = set.since(progress.n);
    if (!changes) {
      progress.n = set.n;
      yield Buffer.from(this.#row({ type: "reset", db_names: [...set.names] }));
      return;
    }
    let text = "";
    for (const { name, type, n } of changes) {
      progress.n = n;
      text += this.#row({ db_name: name, type });
    }
    if (text !== "") yield Buffer.from(text);
  }

  /** Those of databases of the set alone. */
  *updates(found: readonly DatabaseUpdate[], { names }: DatabaseSet): Generator<Buffer> {
    let text = "";
    for (const { name, type, seq } of found) {
      if (seq <= this.#progress.seq) continue;
      this.#progress.seq = seq;
      if (names.has(name)) text += this.#row({ db_name: name, type });
    }
    if (text !== "") yield Buffer.from(text);
  }

  end(): Buffer {
    return Buffer.from(feedFormats[this.#query.feed].end(this.#seq()));
  }

  #row(members: Readonly<Record<string, unknown>>): string {
    const format = feedFormats[this.#query.feed];
    const seq = this.#seq();
    const before = this.#progress.rows++ === 0 ? format.firstRow : format.nextRow;
    return before + JSON.stringify({ ...members, seq }) + format.afterRow(seq);
  }

  #seq(): string {
    return `${this.#updates.seqText(this.#progress.seq)}~${this.#progress.n}`;
  }
}

/** The account was deleted meanwhile: its feed ends. */
function goneAsUndefined(error: unknown): undefined {
  if (error instanceof CouchError && error.error === "unauthorized") return undefined;
  throw error;
}
