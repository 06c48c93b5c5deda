import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDatabaseName } from "../../../protocol/ids.js";
import { ActiveTasks } from "../../../server/documents/active-tasks.js";
import type { Database } from "../../../server/documents/database.js";
import { dropIndex } from "../../../server/query/indexes/index-catalogue.js";
import type { IndexDefinition } from "../../../server/query/indexes/index-definition.js";
import { Indexes } from "../../../server/query/indexes/indexes.js";
import { rowsBetween, totalRows } from "../../../server/query/views/index-tree.js";
import type { Store } from "../../../server/storage/store.js";
import { openHeldDatabase } from "../../helpers/held-database.js";
import { edit } from "../../helpers/incoming-revisions.js";
import { assertIndexed, nativeDefinition } from "../../helpers/indexed-database.js";
import { keysIn } from "../../helpers/raw-store.js";
import { openTestStore, type TestStore } from "../../helpers/temp-store.js";
import { waitFor, within } from "../../helpers/wait-for.js";

const nodeBytes = 300;

interface World {
  readonly store: TestStore;
  readonly database: Database;
  readonly indexes: Indexes;
}

async function openWorld(t: Parameters<typeof openTestStore>[0], documents = 30): Promise<World> {
  const store = await openTestStore(t);
  const revisions = Array.from({ length: documents }, (_, n) => edit(`d${n}`, { body: { rows: [[String(n), "1"]] } }));
  await store.database.write(revisions, "trusted");
  return { store, database: store.database, indexes: new Indexes(store.databases, { nodeBytes }) };
}

const wanting =
  (...definitions: readonly IndexDefinition[]) =>
  async () =>
    new Set(definitions.map(({ signature }) => signature));

/** Every record of indexes that a database has. */
async function records(store: Store, { keys }: Database): Promise<readonly string[]> {
  const prefix = keys.all.from;
  const found = await keysIn(store, keys.all);
  return found.filter((key) => "ijv".includes(key[prefix.length] as string));
}

async function built({ indexes, database }: World, definition: IndexDefinition) {
  const index = await indexes.open(database, definition);
  await index.bringUpToDate();
  return index;
}

describe("indexes of a database", () => {
  it("are one for equal definitions, whoever asks first", async (t) => {
    const { indexes, database, store } = await openWorld(t);
    const [a, b] = await Promise.all([
      indexes.open(database, nativeDefinition()),
      indexes.open(database, nativeDefinition()),
    ]);
    assert.equal(a, b);
    const other = await indexes.open(database, nativeDefinition({ name: "other" }));
    assert.notEqual(other, a);
    assert.notDeepEqual(other.span, a.span);
    const second = await store.databases.create(parseDatabaseName("second"));
    assert.notEqual(await indexes.open(second, nativeDefinition()), a, "another database has its own");
  });

  it("are found again after a restart, with what they had", async (t) => {
    const world = await openWorld(t);
    const { span } = await built(world, nativeDefinition());
    await world.indexes.close();
    await world.store.reopen();
    const mapping = (): never => {
      throw new Error("there is nothing to map");
    };
    const again = await new Indexes(world.store.databases).open(world.store.database, nativeDefinition({ mapping }));
    assert.deepEqual(again.span, span);
    await again.bringUpToDate();
    await assertIndexed(again, nodeBytes);
  });

  it("are not begun by those who only look", async (t) => {
    const { indexes, database, store } = await openWorld(t);
    assert.equal(await indexes.find(database, nativeDefinition()), undefined);
    assert.deepEqual(await records(store.databases.store, database), []);
    const index = await indexes.open(database, nativeDefinition());
    assert.equal(await indexes.find(database, nativeDefinition()), index);
  });

  it("take room on disk, which is told and given back", async (t) => {
    const world = await openWorld(t, 3000);
    const index = await built(world, nativeDefinition());
    await world.indexes.compact(index);
    assert.ok((await world.indexes.sizeOf(index)) > 10_000);
    await world.indexes.cleanUp(world.database, wanting());
    await world.indexes.compact(index);
    assert.ok((await world.indexes.sizeOf(index)) < 1000);
    assert.deepEqual(await records(world.store.databases.store, world.database), [], "looking begins no index");
  });

  it("tell how far they are behind, as long as their database is there", async (t) => {
    const world = await openWorld(t);
    await built(world, nativeDefinition());
    await world.indexes.open(world.database, nativeDefinition({ name: "behind" }));
    assert.deepEqual(world.indexes.statistics(), { updating: 0, waiting: 0, lag: 30 });
    await world.store.databases.delete(world.database.name);
    assert.equal(world.indexes.statistics().lag, 0);
  });

  it("end with the server: what waits is refused, and nothing begins", async (t) => {
    const { indexes, database } = await openWorld(t);
    let isHanging = false;
    const mapping = (): Promise<undefined> => {
      isHanging = true;
      return new Promise(() => undefined);
    };
    const index = await indexes.open(database, nativeDefinition({ mapping }));
    const refused = assert.rejects(index.bringUpToDate(), { error: "service_unavailable" });
    await waitFor("the mapping", () => isHanging);
    await within("the indexes to close", indexes.close());
    await refused;
    await assert.rejects(indexes.open(database, nativeDefinition({ name: "new" })), { error: "service_unavailable" });
  });
});

describe("dropping indexes", () => {
  it("clears the records of those that nothing defines, and of no others", async (t) => {
    const world = await openWorld(t);
    const { indexes, database, store } = world;
    const [kept, dropped] = [nativeDefinition({ name: "kept" }), nativeDefinition({ name: "dropped" })];
    const index = await built(world, kept);
    const before = await records(store.databases.store, database);
    await built(world, dropped);
    assert.ok((await records(store.databases.store, database)).length > before.length);
    assert.equal(await indexes.cleanUp(database, wanting(kept)), 0);
    assert.deepEqual(await records(store.databases.store, database), before);
    await assertIndexed(index, nodeBytes);
    assert.equal(await indexes.find(database, dropped), undefined);
  });

  it("and beginning them again builds them anew, under another number", async (t) => {
    const world = await openWorld(t);
    const { indexes, database } = world;
    const old = await built(world, nativeDefinition());
    await indexes.cleanUp(database, wanting());
    await database.write([edit("more", { body: { rows: [["100", "1"]] } })], "trusted");
    const index = await built(world, nativeDefinition());
    assert.notEqual(index, old);
    assert.notDeepEqual(index.span, old.span);
    await assertIndexed(index, nodeBytes);
    await assert.rejects(old.bringUpToDate(), { error: "service_unavailable" });
  });

  it("lets those who ask meanwhile wait, and begin anew", async (t) => {
    const world = await openWorld(t);
    const { indexes, database } = world;
    await built(world, nativeDefinition());
    const cleaning = indexes.cleanUp(database, wanting());
    const opened: Promise<unknown>[] = [];
    // At every moment of it.
    for (let turns = 0; turns < 50; turns++) {
      opened.push(indexes.open(database, nativeDefinition()).then((index) => index.bringUpToDate()));
      await new Promise(setImmediate);
    }
    await cleaning;
    // Who had the old one in hand at the very moment that it went is told so; nobody is answered from it.
    for (const outcome of await Promise.allSettled(opened)) {
      if (outcome.status === "rejected") assert.equal(outcome.reason.error, "service_unavailable");
    }
    await assertIndexed(await built(world, nativeDefinition()), nodeBytes);
  });

  it("has them wait although the old one's number is still on disk", async (t) => {
    const { store, commit, database } = openHeldDatabase(t);
    store.holding = false;
    await database.write([edit("a", { body: { rows: [["1", "1"]] } })], "trusted");
    const indexes = new Indexes({ store, commit, tasks: new ActiveTasks() }, { nodeBytes });
    const old = await indexes.open(database, nativeDefinition());
    await old.bringUpToDate();
    store.holding = true;
    const cleaning = indexes.cleanUp(database, wanting());
    const dropping = await store.nextCommit();
    const opening = indexes.open(database, nativeDefinition());
    for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate);
    store.holding = false;
    dropping.succeed();
    const index = await opening;
    await index.bringUpToDate();
    await cleaning;
    assert.notDeepEqual(index.span, old.span);
    await assertIndexed(index, nodeBytes);
  });

  it("leaves alone what queries wait for, and says so", async (t) => {
    const world = await openWorld(t);
    const { indexes, database } = world;
    let release!: () => void;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const index = await indexes.open(database, nativeDefinition({ mapping: () => released.then(() => undefined) }));
    const updated = index.bringUpToDate();
    assert.equal(await indexes.cleanUp(database, wanting()), 1);
    release();
    await updated;
    await assertIndexed(index, nodeBytes);
    assert.equal(await indexes.cleanUp(database, wanting()), 0);
    assert.equal(await indexes.find(database, nativeDefinition()), undefined);
  });

  it("lets readers finish", async (t) => {
    const world = await openWorld(t, 300);
    const index = await built(world, nativeDefinition());
    const version = index.hold();
    const [tree] = version.trees;
    assert.ok(tree);
    const rows = rowsBetween(tree, 0, totalRows(tree))[Symbol.iterator]();
    let seen = (rows.next().value ?? []).length;
    await world.indexes.cleanUp(world.database, wanting());
    for (let next = rows.next(); !next.done; next = rows.next()) seen += next.value.length;
    await version.release();
    assert.equal(seen, 300);
  });

  it("asks what is wanted before each: one that was defined again meanwhile stays", async (t) => {
    const world = await openWorld(t);
    const { indexes, database } = world;
    const definitions = ["a", "b", "c"].map((name) => nativeDefinition({ name }));
    for (const definition of definitions) await built(world, definition);
    let asked = 0;
    await indexes.cleanUp(database, async () => {
      asked++;
      // After the first was dropped a design document defines all of them.
      return asked === 1 ? new Set<string>() : await wanting(...definitions)();
    });
    const left = await Promise.all(definitions.map((definition) => indexes.find(database, definition)));
    assert.equal(left.filter((index) => index !== undefined).length, 2);
  });

  it("twice at once is as good as once", async (t) => {
    const world = await openWorld(t);
    const { indexes, database, store } = world;
    for (const name of ["a", "b", "c"]) await built(world, nativeDefinition({ name }));
    const both = await Promise.all([indexes.cleanUp(database, wanting()), indexes.cleanUp(database, wanting())]);
    assert.deepEqual(both, [0, 0]);
    assert.deepEqual(await records(store.databases.store, database), []);
  });

  it("is finished after a crash in the middle", async (t) => {
    const world = await openWorld(t);
    const { store } = world;
    await built(world, nativeDefinition());
    const { commit, store: keyValues } = store.databases;
    await dropIndex({ store: keyValues, commit, keys: world.database.keys }, nativeDefinition().signature);
    await store.reopen();
    assert.ok((await records(store.databases.store, store.database)).length > 1);
    await new Indexes(store.databases).cleanUp(store.database, wanting());
    assert.deepEqual(await records(store.databases.store, store.database), []);
  });

  it("of a database that goes meanwhile leaves nothing behind", async (t) => {
    const world = await openWorld(t);
    const { indexes, database, store } = world;
    for (const name of ["a", "b", "c"]) await built(world, nativeDefinition({ name }));
    const cleaning = indexes.cleanUp(database, wanting());
    await store.databases.delete(database.name);
    await cleaning;
    const raw = store.databases.store;
    await waitFor("the records to go", async () => (await keysIn(raw, database.keys.all)).length === 0);
  });
});
