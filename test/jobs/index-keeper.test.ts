import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { type DatabaseName, parseDatabaseName } from "../../protocol/ids.js";
import type { Database } from "../../server/documents/database.js";
import { IndexKeeper } from "../../server/jobs/index-keeper.js";
import type { IndexDefinition } from "../../server/query/indexes/index-definition.js";
import { Indexes } from "../../server/query/indexes/indexes.js";
import type { ViewGroup } from "../../server/query/views/view-group.js";
import { edit, writeOne } from "../helpers/incoming-revisions.js";
import { nativeDefinition } from "../helpers/indexed-database.js";
import { openTestStore } from "../helpers/temp-store.js";
import { waitFor, within } from "../helpers/wait-for.js";

/** What design documents would define. */
interface Wanted {
  readonly definition: IndexDefinition;
  readonly autoupdate?: boolean;
}

async function openWorld(t: TestContext, patience?: number) {
  const store = await openTestStore(t);
  const { databases, database } = store;
  const indexes = new Indexes(databases);
  const wanted = new Map<Database, readonly Wanted[]>();
  const groupsOf = async (of: Database): Promise<readonly ViewGroup[]> =>
    (wanted.get(of) ?? []).map(({ definition, autoupdate = true }) => ({
      ...{ definition, autoupdate, language: "javascript", partitioned: false },
      views: new Map([["v", { tree: 0, reduce: undefined }]]),
    }));
  const designViews = {
    groupsOf,
    signaturesOf: async (of: Database) => new Set((await groupsOf(of)).map(({ definition }) => definition.signature)),
  };
  const failed: (readonly [error: unknown, database: DatabaseName])[] = [];
  const onError = (error: unknown, name: DatabaseName): void => void failed.push([error, name]);
  const keeper = new IndexKeeper({
    ...{ databases, indexes, designViews, onError },
    ...(patience === undefined ? {} : { patience }),
  });
  /** Has a design document written, which is what the keeper hears of. */
  const define = async (of: Database, ...definitions: readonly Wanted[]): Promise<void> => {
    wanted.set(of, definitions);
    const found = of.find("_design/app")?.record.tree.at(-1);
    await writeOne(of, edit("_design/app", { on: found && `${found.generation}-${found.hash}` }));
  };
  const lagOf = async (of: Database, definition: IndexDefinition): Promise<number | undefined> =>
    (await indexes.find(of, definition))?.lag;
  return { databases, database, indexes, keeper, define, failed, lagOf };
}

async function fill(database: Database, count: number, prefix = "d"): Promise<void> {
  const revisions = Array.from({ length: count }, (_, n) => edit(`${prefix}${n}`, { body: { rows: [["1", "1"]] } }));
  await database.write(revisions, "trusted");
}

const many = 1200;

describe("the keeper of indexes", () => {
  it("builds what a new design document defines, and then drops what the old one did", async (t) => {
    const { database, keeper, define, lagOf } = await openWorld(t);
    await fill(database, many);
    const [before, after] = [nativeDefinition({ name: "before" }), nativeDefinition({ name: "after" })];
    await define(database, { definition: before });
    assert.equal(await lagOf(database, before), undefined);
    await keeper.run();
    assert.equal(await lagOf(database, before), 0);
    await define(database, { definition: after });
    await keeper.run();
    assert.equal(await lagOf(database, after), 0);
    assert.equal(await lagOf(database, before), undefined);
  });

  it("begins no index for a database that has little in it", async (t) => {
    const { database, indexes, keeper, define, lagOf } = await openWorld(t);
    await fill(database, 20);
    const definition = nativeDefinition();
    await define(database, { definition });
    await keeper.run();
    assert.equal(await lagOf(database, definition), undefined);
    await indexes.open(database, definition);
    await define(database);
    await keeper.run();
    assert.equal(await lagOf(database, definition), undefined, "it drops what such a database no longer defines");
  });

  it("leaves short updates to queries, and makes long ones before somebody waits", async (t) => {
    const { database, keeper, define, lagOf } = await openWorld(t);
    await fill(database, many);
    const definition = nativeDefinition();
    await define(database, { definition });
    await keeper.run();
    await fill(database, 500, "few");
    await keeper.run();
    assert.equal(await lagOf(database, definition), 500);
    await fill(database, 600, "more");
    await keeper.run();
    assert.equal(await lagOf(database, definition), 0);
  });

  it("leaves alone what design documents want to be left alone", async (t) => {
    const { database, indexes, keeper, define, lagOf } = await openWorld(t);
    await fill(database, many);
    const definition = nativeDefinition();
    await indexes.open(database, definition);
    await define(database, { definition, autoupdate: false });
    await keeper.run();
    assert.equal(await lagOf(database, definition), database.updateSeq);
  });

  it("tells of an index that fails, and keeps the others", async (t) => {
    const { database, keeper, define, failed, lagOf } = await openWorld(t);
    await fill(database, many);
    const error = new Error("it does not compile");
    const mapping = (): never => {
      throw error;
    };
    const [broken, fine] = [nativeDefinition({ name: "broken", mapping }), nativeDefinition({ name: "fine" })];
    await define(database, { definition: broken }, { definition: fine });
    await keeper.run();
    assert.deepEqual(failed, [[error, "notes"]]);
    assert.equal(await lagOf(database, fine), 0);
  });

  it("keeps other databases while one takes long, and comes back to it", async (t) => {
    const { databases, database, keeper, define, lagOf } = await openWorld(t, 20);
    const other = await databases.create(parseDatabaseName("other"));
    let release!: () => void;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = nativeDefinition({ mapping: () => released.then(() => undefined) });
    const [old, fine] = [nativeDefinition({ name: "old" }), nativeDefinition({ name: "fine" })];
    for (const each of [database, other]) await fill(each, many);
    await define(database, { definition: old });
    await keeper.run();
    await waitFor("the first index", async () => (await lagOf(database, old)) === 0);
    await define(database, { definition: slow });
    await define(other, { definition: fine });
    await within("the keeper to go on", keeper.run());
    await waitFor("the other database's index", async () => (await lagOf(other, fine)) === 0);
    assert.equal(await lagOf(database, slow), database.updateSeq);
    release();
    await waitFor("the update", async () => (await lagOf(database, slow)) === 0);
  });

  it("does not hold up the end of the server", async (t) => {
    const { database, indexes, keeper, define, failed } = await openWorld(t);
    await fill(database, many);
    let isHanging = false;
    const mapping = (): Promise<undefined> => {
      isHanging = true;
      return new Promise(() => undefined);
    };
    await define(database, { definition: nativeDefinition({ mapping }) });
    const running = keeper.run();
    await waitFor("the mapping", () => isHanging);
    await within("the keeper to stop", keeper.stop());
    await running;
    await within("the indexes to close", indexes.close());
    assert.deepEqual(failed, []);
  });

  it("looks again at what queries waited for, and not at what was deleted", async (t) => {
    const { databases, database, indexes, keeper, define, failed, lagOf } = await openWorld(t);
    await fill(database, 20);
    let release!: () => void;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const definition = nativeDefinition({ mapping: () => released.then(() => undefined) });
    const index = await indexes.open(database, definition);
    const updated = index.bringUpToDate();
    await define(database);
    await keeper.run();
    assert.equal(await lagOf(database, definition), 21, "somebody waits for it");
    release();
    await updated;
    await keeper.run();
    assert.equal(await lagOf(database, definition), undefined);
    await define(database, { definition });
    await databases.delete(database.name);
    await keeper.run();
    assert.deepEqual(failed, []);
  });
});
