import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { parseDatabaseName } from "../../protocol/ids.js";
import type { Database } from "../../server/documents/database.js";
import type { Databases } from "../../server/documents/databases.js";
import type { IncomingRevision } from "../../server/documents/incoming-revision.js";
import { leavesOf, type RevisionNode, revOf } from "../../server/documents/revisions/tree.js";
import { recount } from "../helpers/database-facts.js";
import { changesSince, edit, mustFind, replicated } from "../helpers/incoming-revisions.js";
import { checkInvariants } from "../helpers/revision-trees.js";
import { type Cleanup, openTestStore } from "../helpers/temp-store.js";

const ids = ["a", "b", "é", "_design/d"] as const;

/** What one writer does to one document; which revision it means is decided when it writes, by what it can see then. */
interface Step {
  readonly id: (typeof ids)[number];
  readonly kind: "edit" | "delete" | "replicate" | "replicate deletion" | "repeat";
  readonly pick: number;
  /** Bytes of text in the body: below and above what stands beside the tree. */
  readonly size: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  id: fc.constantFrom(...ids),
  kind: fc.constantFrom("edit", "edit", "delete", "replicate", "replicate deletion", "repeat"),
  pick: fc.nat({ max: 1000 }),
  size: fc.constantFrom(0, 10, 300, 5000),
});
/** Rounds of requests that are under way at the same time, each with revisions of its own. */
const rounds = fc.array(fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 }), {
  minLength: 1,
  maxLength: 5,
});

function revisionFor(database: Database, { id, kind, pick, size }: Step): IncomingRevision {
  const body = { pick, text: "x".repeat(size) };
  const tree = database.find(id)?.record.tree ?? [];
  const leaves = leavesOf(tree);
  const leaf = leaves.length === 0 ? undefined : revOf(tree[leaves[pick % leaves.length] as number] as RevisionNode);
  if (kind === "edit") return edit(id, { on: leaf, body });
  if (kind === "delete") return edit(id, { on: leaf, body: {}, deleted: true });
  const deleted = kind === "replicate deletion";
  // A repeated revision has the same content each time, as every revision has.
  const hash = kind === "repeat" ? `same${id.length}` : `${"abc"[pick % 3]}${pick}${kind.length}${size}`;
  if (kind === "repeat") return replicated(id, `1-x 2-${hash}`, { body: { repeated: true } });
  // A child of any revision, not only of leaves; now and then its parent comes by name only.
  const at = tree.length === 0 ? { generation: 1, hash: "x" } : (tree[pick % tree.length] as RevisionNode);
  const between = pick % 3 === 0 ? [`${at.generation + 1}-between`] : [];
  const line = [`${at.generation}-${at.hash}`, ...between, `${at.generation + between.length + 1}-${hash}`].join(" ");
  return replicated(id, line, { body, deleted });
}

describe("a database under random writers", () => {
  let databases: Databases;
  let made = 0;
  const cleanups: (() => void | Promise<void>)[] = [];
  const cleanup: Cleanup = { after: (release) => void cleanups.unshift(release) };

  before(async () => {
    ({ databases } = await openTestStore(cleanup));
  });
  after(async () => {
    for (const release of cleanups) await release();
  });

  it("counts what a naive recount finds, gives sequences out once and in order, and lists each document once", async () => {
    await fc.assert(
      fc.asyncProperty(rounds, fc.constantFrom(1000, 3), async (drawn, revsLimit) => {
        const database = await databases.create(parseDatabaseName(`run-${made++}`));
        if (revsLimit !== 1000) await database.setRevsLimit(revsLimit);
        const heard: number[] = [];
        const stop = database.subscribe({ changed: (changes) => heard.push(...changes.map(({ seq }) => seq)) });
        for (const requests of drawn) {
          const writes = requests.map((steps) =>
            database.write(
              steps.map((one) => revisionFor(database, one)),
              "trusted",
            ),
          );
          const outcomes = (await Promise.all(writes)).flat();
          for (const { error } of outcomes)
            assert.ok(error === undefined || error.error === "conflict", String(error?.cause));
          assert.deepEqual(database.log.committed, database.log.pending, "nothing is on its way any more");
          assert.deepEqual(database.log.committed.counters, await recount(database));
        }
        assert.deepEqual(
          heard,
          Array.from({ length: database.updateSeq }, (_, i) => i + 1),
        );
        const changes = await changesSince(database);
        const changed = changes.map(([, id]) => id);
        assert.equal(new Set(changed).size, changed.length, "each document once");
        for (const [seq, id, winner] of changes) {
          const { record } = mustFind(database, id);
          checkInvariants(record.tree);
          assert.equal(record.seq, seq);
          assert.equal(revOf(record.tree[record.winner] as RevisionNode), winner);
        }
        const { documents, deletedDocuments } = database.log.committed.counters;
        assert.equal(documents + deletedDocuments, changed.length);
        stop();
      }),
      { numRuns: 60 },
    );
  });

  it("still counts right after a compaction in the middle of it, and after a restart", async (t) => {
    const store = await openTestStore(t);
    const drawn = fc.sample(rounds, { numRuns: 8, seed: 20_251_121 });
    for (const requests of drawn.flat()) {
      const writes = requests.map((steps) =>
        store.database.write(
          steps.map((one) => revisionFor(store.database, one)),
          "trusted",
        ),
      );
      await Promise.all([...writes, store.database.compact()]);
      assert.deepEqual(store.database.log.committed.counters, await recount(store.database));
    }
    const { counters } = store.database.log.committed;
    assert.ok(counters.documents > 0);
    await store.database.compact();
    const { liveBytes, storedBytes } = store.database.log.committed.counters;
    assert.equal(storedBytes, liveBytes, "nothing but leaves has a body");
    const compacted = store.database.log.committed;
    await store.reopen();
    assert.deepEqual(store.database.log.committed, compacted);
    assert.deepEqual(store.database.log.committed.counters, await recount(store.database));
  });
});
