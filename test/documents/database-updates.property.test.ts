/**
 * Nobody misses an update: however writes, flushes, failures and readers interleave, a reader who looks into each database that it is
 * told of, and goes on where it stopped, knows in the end what is on disk.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type DatabaseName, parseDatabaseName } from "../../protocol/ids.js";
import { type LiveUpdate, LiveUpdates } from "../../server/documents/changes/live-updates.js";
import { DatabaseUpdates, type WrittenDatabase } from "../../server/documents/database-updates.js";
import { GroupCommit } from "../../server/storage/group-commit.js";
import { HeldStore } from "../helpers/held-store.js";

const databases: readonly WrittenDatabase[] = ["a", "b"].map((name) => ({
  name: parseDatabaseName(name),
  deleted: false,
}));

/** "check" lets everything come to rest and the reader catch up: it must then know what is there. */
const step = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ kind: "check" as const }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("write" as const), database: fc.nat(databases.length - 1) }) },
  { weight: 4, arbitrary: fc.constant({ kind: "succeed" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "fail" as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: "read" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "listen" as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: "hear" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "leave" as const }) },
  { weight: 6, arbitrary: fc.constant({ kind: "turn" as const }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class World {
  readonly store = new HeldStore();
  readonly #commit = new GroupCommit(this.store);
  readonly #updates = new DatabaseUpdates(this.store, this.#commit, "epoch", 0);
  /** What the reader saw last in each database. */
  readonly #known = new Map<DatabaseName, string | undefined>();
  #since = 0;
  #live: LiveUpdates | undefined;
  #reading: Promise<void> = Promise.resolve();
  #count = 0;

  run(one: Step): Promise<void> | void {
    if (one.kind === "write") return this.#write(databases[one.database] as WrittenDatabase);
    if (one.kind === "succeed") return this.store.held[0]?.succeed();
    if (one.kind === "fail") return this.store.held[0]?.fail(new Error("the disk is full"));
    if (one.kind === "check") return this.check();
    if (one.kind === "turn") return new Promise((resolve) => setImmediate(resolve));
    const reading = one.kind;
    this.#reading = this.#reading.then(() => this.#readBy(reading));
  }

  async check(): Promise<void> {
    this.store.holding = false;
    this.store.held[0]?.succeed();
    await this.#commit.idle();
    this.store.holding = true;
    await this.#reading;
    if (this.#live) while ((await this.#hear(this.#live)) !== "idle");
    else await this.#read();
    for (const { name } of databases) assert.equal(this.#known.get(name), this.#content(name), name);
  }

  close(): void {
    this.#live?.close();
  }

  #write(database: WrittenDatabase): void {
    const content = Buffer.from(String(++this.#count));
    const written = this.#commit.write((batch) => {
      batch.put(`content of ${database.name}`, content);
      this.#updates.touch(database);
    });
    written.catch(() => undefined);
  }

  async #readBy(kind: "read" | "listen" | "hear" | "leave"): Promise<void> {
    if (kind === "read") await this.#read();
    if (kind === "listen") this.#live ??= new LiveUpdates(this.#updates, this.#since);
    if (kind === "hear" && this.#live) await this.#hear(this.#live);
    if (kind === "leave") {
      this.#live?.close();
      this.#live = undefined;
    }
  }

  async #hear(live: LiveUpdates): Promise<LiveUpdate> {
    const event = await live.next(0);
    if (typeof event !== "string") for (const { name } of event) this.#look(name);
    this.#since = live.lastSeq;
    return event;
  }

  /** As `_db_updates` without a feed reads. */
  async #read(): Promise<void> {
    const upTo = await this.#updates.observe();
    for await (const found of this.#updates.changes({ since: this.#since, upTo }))
      for (const { name } of found) this.#look(name);
    this.#since = Math.max(this.#since, upTo);
  }

  #look(name: DatabaseName): void {
    this.#known.set(name, this.#content(name));
  }

  #content(name: DatabaseName): string | undefined {
    return this.store.get(`content of ${name}`)?.toString();
  }
}

test("no reader misses an update", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
      const world = new World();
      for (const one of steps) await world.run(one);
      await world.check();
      world.close();
    }),
    { numRuns: 600 },
  );
});
