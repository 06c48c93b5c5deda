import type { DatabaseName } from "../../../protocol/ids.js";
import type { DatabaseUpdate, DatabaseUpdates } from "../database-updates.js";
import { LiveUpdates } from "./live-updates.js";

/** "idle": nothing came in the time given. "woken": somebody called `wake`. "ended": nothing will come. */
export type Followed = readonly DatabaseUpdate[] | "idle" | "woken" | "ended";

/** Milliseconds between two looks whether anybody follows at all. */
const patience = 60_000;

/**
 * One reader of the updates of all databases for any number of followers who want to hear of a few each: an update is looked at once,
 * and costs those nothing whom it is not for.
 */
export class UpdateHub {
  readonly #updates: DatabaseUpdates;
  readonly #followers = new Set<UpdateFollower>();
  readonly #byName = new Map<DatabaseName, Set<UpdateFollower>>();
  #live: LiveUpdates | undefined;
  /** All updates up to here have been told. */
  #position = 0;

  constructor(updates: DatabaseUpdates) {
    this.#updates = updates;
  }

  /** Hears of all updates from now on that it says it wants; to be closed. */
  follow(): UpdateFollower {
    const follower = new UpdateFollower({
      position: () => this.#position,
      want: (name) => {
        const followers = this.#byName.get(name) ?? new Set();
        this.#byName.set(name, followers.add(follower));
      },
      unwant: (name) => {
        const followers = this.#byName.get(name);
        followers?.delete(follower);
        if (followers?.size === 0) this.#byName.delete(name);
      },
      closed: () => {
        this.#followers.delete(follower);
        if (this.#followers.size > 0) return;
        this.#live?.close();
        this.#live = undefined;
      },
    });
    this.#followers.add(follower);
    if (!this.#live) {
      this.#live = new LiveUpdates(this.#updates, this.#updates.updateSeq);
      void this.#run(this.#live);
    }
    return follower;
  }

  async #run(live: LiveUpdates): Promise<void> {
    for (;;) {
      const event = await live.next(patience).catch(() => "ended" as const);
      // The last one left, and perhaps others came who have another reader.
      if (live !== this.#live) return;
      if (event === "ended") break;
      if (event === "idle") {
        this.#position = Math.max(this.#position, live.lastSeq);
        continue;
      }
      for (const update of event) {
        for (const follower of this.#byName.get(update.name) ?? []) follower.tell(update);
        this.#position = Math.max(this.#position, update.seq);
      }
    }
    this.#live = undefined;
    for (const follower of [...this.#followers]) follower.close();
  }
}

interface HubSide {
  position(): number;
  want(name: DatabaseName): void;
  unwant(name: DatabaseName): void;
  closed(): void;
}

export class UpdateFollower {
  readonly #hub: HubSide;
  #wanted: ReadonlySet<DatabaseName> = new Set();
  /** The latest of each kind for each database: a follower that is slow hears of each once. */
  readonly #waiting = new Map<string, DatabaseUpdate>();
  #isWoken = false;
  #isEnded = false;
  #arrived: (() => void) | undefined;

  constructor(hub: HubSide) {
    this.#hub = hub;
  }

  /** All updates up to here that were wanted have been handed out; undefined while some wait. */
  get drained(): number | undefined {
    return this.#waiting.size > 0 ? undefined : this.#hub.position();
  }

  want(names: ReadonlySet<DatabaseName>): void {
    for (const name of this.#wanted) if (!names.has(name)) this.#hub.unwant(name);
    for (const name of names) if (!this.#wanted.has(name)) this.#hub.want(name);
    this.#wanted = names;
  }

  tell(update: DatabaseUpdate): void {
    const key = `${update.type} ${update.name}`;
    // Behind the others again: sequences are told in order.
    this.#waiting.delete(key);
    this.#waiting.set(key, update);
    this.#arrived?.();
  }

  /** Ends a wait. */
  wake(): void {
    this.#isWoken = true;
    this.#arrived?.();
  }

  /** One call at a time. */
  async next(waitMs: number): Promise<Followed> {
    for (;;) {
      if (this.#isEnded) return "ended";
      if (this.#isWoken) {
        this.#isWoken = false;
        return "woken";
      }
      if (this.#waiting.size > 0) {
        const updates = [...this.#waiting.values()];
        this.#waiting.clear();
        return updates;
      }
      if (waitMs <= 0 || !(await this.#arrival(waitMs))) return "idle";
    }
  }

  close(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.want(new Set());
    this.#hub.closed();
    this.#arrived?.();
  }

  /** False when the time ran out first. */
  #arrival(waitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#arrived = undefined;
        resolve(false);
      }, waitMs);
      this.#arrived = () => {
        clearTimeout(timer);
        this.#arrived = undefined;
        resolve(true);
      };
    });
  }
}
