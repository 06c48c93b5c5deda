/** Whatever happens to documents, and to updates: then the index holds what the documents say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type DatabaseName, parseDatabaseName, parseDocId, parseRevId } from "../../../protocol/ids.js";
import { ActiveTasks } from "../../../server/documents/active-tasks.js";
import type { Database } from "../../../server/documents/database.js";
import { leavesOf, type RevisionNode, revOf } from "../../../server/documents/revisions/tree.js";
import type { DatabaseIndex } from "../../../server/query/indexes/database-index.js";
import { Indexes } from "../../../server/query/indexes/indexes.js";
import { rowsBetween, totalRows } from "../../../server/query/views/index-tree.js";
import { openHeldDatabase, reopenHeldDatabase } from "../../helpers/held-database.js";
import { edit, replicated } from "../../helpers/incoming-revisions.js";
import { assertIndexed, modelOf, nativeDefinition, type RowsBody } from "../../helpers/indexed-database.js";
import { keyText } from "../../helpers/random-rows.js";
import { type Cleanup, openTestStore } from "../../helpers/temp-store.js";

const nodeBytes = 250;

type Write =
  | { readonly kind: "edit" | "conflict"; readonly id: string; readonly body: RowsBody }
  | { readonly kind: "delete" | "purge" | "purge a leaf"; readonly id: string; readonly pick: number };

type Step =
  | Write
  /** Of which the log keeps only the last. */
  | { readonly kind: "purges"; readonly ids: readonly string[] }
  | { readonly kind: "update" | "update twice at once" | "restart" | "compact" }
  /** An update whose mapping fails, a few documents at a time. */
  | { readonly kind: "failing update"; readonly calls: number; readonly given: number }
  /** An update that ends with the process, after so many commits. */
  | { readonly kind: "crash in an update"; readonly commits: number }
  /** An update beside which documents are written. */
  | { readonly kind: "busy update"; readonly writes: readonly Write[]; readonly given: number };

const row = fc.tuple(keyText, fc.integer({ min: -99, max: 99 }).map(String));
const body: fc.Arbitrary<RowsBody> = fc.record({
  rows: fc.oneof(
    { weight: 6, arbitrary: fc.array(row, { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.array(row, { minLength: 30, maxLength: 60 }) },
  ),
});
const documentId = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 0, max: 7 }).map((n) => `doc-${n}`) },
  { weight: 1, arbitrary: fc.constantFrom("_design/a", "é", 'quo"te') },
);
const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("edit" as const), id: documentId, body }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("conflict" as const), id: documentId, body }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("delete" as const, "purge" as const, "purge a leaf" as const),
      id: documentId,
      pick: fc.nat({ max: 5 }),
    }),
  },
);
const given = fc.constantFrom(1, 3, 1000);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 14, arbitrary: write },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(...(["update", "update twice at once", "restart", "compact"] as const)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("purges" as const),
      ids: fc.array(documentId, { minLength: 3, maxLength: 8 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("failing update" as const), calls: fc.nat({ max: 4 }), given }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("crash in an update" as const), commits: fc.nat({ max: 4 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("busy update" as const),
      writes: fc.array(write, { maxLength: 5 }),
      given,
    }),
  },
);

/** Where a database lives. */
interface Ground {
  readonly database: Database;
  readonly services: ConstructorParameters<typeof Indexes>[0];
  restart(): Promise<void>;
  /** Ends work with the process after so many commits, if it needs them. */
  crash(work: () => Promise<unknown>, commits: number): Promise<void>;
}

async function onDisk(cleanup: Cleanup, name: DatabaseName, partitioned: boolean): Promise<Ground> {
  const store = await openTestStore(cleanup);
  let database = await store.databases.create(name, { partitioned });
  const restart = async (): Promise<void> => {
    await store.reopen();
    database = await store.databases.open(name);
  };
  return {
    get database() {
      return database;
    },
    get services() {
      return store.databases;
    },
    restart,
    // Of a process that goes on nothing can be taken away: `crash` is for the memory, and for test/faults.
    crash: async (work) => void (await work()),
  };
}

/** Many times as fast as the disk. */
async function inMemory(cleanup: Cleanup): Promise<Ground> {
  let held = openHeldDatabase(cleanup);
  held.store.holding = false;
  const reopen = async (contents: ReadonlyMap<string, Buffer>): Promise<void> => {
    held = await reopenHeldDatabase(cleanup, contents);
    held.store.holding = false;
  };
  return {
    get database() {
      return held.database;
    },
    get services() {
      return { ...held, tasks: new ActiveTasks() };
    },
    restart: () => reopen(held.store.contents),
    async crash(work, commits) {
      const { store } = held;
      store.holding = true;
      let isDone = false;
      const working = work().finally(() => {
        isDone = true;
      });
      working.catch(() => undefined);
      for (let passed = 0; !isDone && (passed < commits || store.held.length === 0); ) {
        const [next] = store.held;
        if (next) {
          next.succeed();
          passed++;
        }
        await new Promise(setImmediate);
      }
      await reopen(store.contents);
    },
  };
}

class World {
  readonly #ground: Ground;
  readonly #includesDesign: boolean;
  #indexes: Indexes;
  #conflicts = 0;
  /** What an update meets, if anything, each time that documents are mapped. */
  #mapping: () => number | undefined | Promise<number | undefined> = () => undefined;

  constructor(ground: Ground, includesDesign: boolean) {
    this.#ground = ground;
    this.#includesDesign = includesDesign;
    this.#indexes = this.#openIndexes();
  }

  get #database(): Database {
    return this.#ground.database;
  }

  async run(drawn: Step): Promise<void> {
    switch (drawn.kind) {
      case "purges":
        for (const id of drawn.ids) await this.#write({ kind: "purge", id, pick: 0 });
        await this.#database.setPurgedInfosLimit(1);
        return await this.#database.compact();
      case "compact":
        await this.#database.setPurgedInfosLimit(1000);
        return await this.#database.compact();
      case "restart":
        await this.#indexes.close();
        await this.#ground.restart();
        this.#indexes = this.#openIndexes();
        return;
      case "crash in an update": {
        const index = await this.#index();
        await this.#ground.crash(() => index.bringUpToDate(), drawn.commits);
        this.#indexes = this.#openIndexes();
        return;
      }
      case "update":
        return await this.check();
      case "update twice at once": {
        const index = await this.#index();
        await Promise.all([index.bringUpToDate(), index.bringUpToDate()]);
        return await this.check();
      }
      case "failing update":
        return await this.#failingUpdate(drawn.calls, drawn.given);
      case "busy update":
        return await this.#busyUpdate(drawn.writes, drawn.given);
      default:
        return await this.#write(drawn);
    }
  }

  /** After an update the index holds what the documents say. */
  async check(): Promise<void> {
    const index = await this.#index();
    await index.bringUpToDate();
    await assertIndexed(index, nodeBytes);
  }

  async close(): Promise<void> {
    await this.#indexes.close();
  }

  async #failingUpdate(calls: number, given: number): Promise<void> {
    let left = calls;
    this.#mapping = () => {
      if (left-- === 0) throw new Error("the mapping failed");
      return given;
    };
    try {
      await (await this.#index()).bringUpToDate();
    } catch (error) {
      assert.match(String(error), /the mapping failed/);
    } finally {
      this.#mapping = () => undefined;
    }
  }

  /** Of each document there may be any state since the update began, and none from before. */
  async #busyUpdate(writes: readonly Write[], given: number): Promise<void> {
    const index = await this.#index();
    const states = new Map([...(await this.#stateOf())].map(([id, state]) => [id, new Set([state])]));
    const all = [...writes];
    const running: Promise<void>[] = [];
    this.#mapping = async () => {
      const next = all.shift();
      if (!next) return given;
      const id = this.#idOf(next);
      const written = this.#write(next).then(async () => {
        states.set(id, (states.get(id) ?? new Set([""])).add((await this.#stateOf()).get(id) ?? ""));
      });
      running.push(written);
      // Some are on disk before their document is mapped again, some are not.
      if (all.length % 2 === 0) await written;
      return given;
    };
    try {
      await index.bringUpToDate();
    } finally {
      this.#mapping = () => undefined;
    }
    const found = await rowsByDocument(index);
    await Promise.all(running);
    for (const id of new Set([...states.keys(), ...found.keys()])) {
      const allowed = states.get(id) ?? new Set([""]);
      const state = found.get(id) ?? "";
      assert.ok(allowed.has(state), `${id}: ${state} is none of ${[...allowed].join(" | ")}`);
    }
  }

  async #stateOf(): Promise<ReadonlyMap<string, string>> {
    const [model] = await modelOf(this.#database, nativeDefinition({ includesDesign: this.#includesDesign }));
    return byDocument(model?.rows ?? []);
  }

  #openIndexes(): Indexes {
    return new Indexes(this.#ground.services, { nodeBytes, rowsOfCommit: 25 });
  }

  #index(): Promise<DatabaseIndex> {
    const { partitioned } = this.#database;
    return this.#indexes.open(
      this.#database,
      nativeDefinition({
        includesDesign: this.#includesDesign,
        byPartition: partitioned,
        mapping: () => this.#mapping(),
      }),
    );
  }

  #idOf({ id }: Write): string {
    return this.#database.partitioned && !id.startsWith("_") ? `p${id.length % 3}:${id}` : id;
  }

  async #write(drawn: Write): Promise<void> {
    const database = this.#database;
    const id = this.#idOf(drawn);
    const document = database.find(id);
    const { tree = [], winner = 0 } = document?.record ?? {};
    const on = document ? revOf(tree[winner] as RevisionNode) : undefined;
    const isDeleted = (tree[winner] as RevisionNode | undefined)?.deleted ?? true;
    switch (drawn.kind) {
      case "edit":
        await database.write([edit(id, { on, body: drawn.body })], "trusted");
        return;
      case "conflict":
        await database.write([replicated(id, `1-a 2-${this.#conflicts++}`, { body: drawn.body })], "trusted");
        return;
      case "delete":
        if (!isDeleted) await database.write([edit(id, { on, deleted: true })], "trusted");
        return;
      default: {
        const leaves = leavesOf(tree).map((leaf) => revOf(tree[leaf] as RevisionNode));
        const chosen =
          drawn.kind === "purge" ? leaves : leaves.slice(drawn.pick % Math.max(1, leaves.length)).slice(0, 1);
        await database.purge([{ id: parseDocId(id), revs: chosen.map(parseRevId) }]);
      }
    }
  }
}

function byDocument(
  rows: Iterable<{ readonly id: string; readonly key: string; readonly value: string }>,
): Map<string, string> {
  const lists = new Map<string, string[]>();
  for (const { id, key, value } of rows) lists.set(id, [...(lists.get(id) ?? []), `${key}=${value}`]);
  return new Map([...lists].map(([id, list]) => [id, list.sort().join(" ")]));
}

async function rowsByDocument(index: DatabaseIndex): Promise<ReadonlyMap<string, string>> {
  const version = index.hold();
  try {
    const [tree] = version.trees;
    assert.ok(tree);
    return byDocument([...rowsBetween(tree, 0, totalRows(tree))].flat());
  } finally {
    await version.release();
  }
}

interface Case {
  readonly name: string;
  readonly runs: number;
  /** Design documents have no partition, so that they can have rows only where there are none. */
  readonly mayIncludeDesign: boolean;
  readonly open: (cleanup: Cleanup) => Promise<Ground>;
}

const cases: readonly Case[] = [
  { name: "in memory", runs: 200, mayIncludeDesign: true, open: inMemory },
  {
    name: "on disk",
    runs: 10,
    mayIncludeDesign: true,
    open: (cleanup) => onDisk(cleanup, parseDatabaseName("whole"), false),
  },
  {
    name: "on disk, by partition",
    runs: 10,
    mayIncludeDesign: false,
    open: (cleanup) => onDisk(cleanup, parseDatabaseName("parts"), true),
  },
];

for (const { name, runs, mayIncludeDesign, open } of cases) {
  test(`after any writes, purges, failures, crashes and restarts, ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 60, size: "max" }),
        fc.boolean(),
        async (steps, drawn) => {
          const cleanups: (() => void | Promise<void>)[] = [];
          const cleanup: Cleanup = { after: (release) => void cleanups.unshift(release) };
          try {
            const world = new World(await open(cleanup), drawn && mayIncludeDesign);
            try {
              for (const each of steps) await world.run(each);
              await world.check();
            } finally {
              await world.close();
            }
          } finally {
            for (const release of cleanups) await release();
          }
        },
      ),
      { numRuns: runs },
    );
  });
}
