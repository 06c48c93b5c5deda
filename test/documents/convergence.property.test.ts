import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { type DocId, parseDatabaseName, type RevId } from "../../protocol/ids.js";
import type { Database } from "../../server/documents/database.js";
import type { Databases } from "../../server/documents/databases.js";
import type { IncomingAttachment, IncomingRevision } from "../../server/documents/incoming-revision.js";
import { leavesOf, pathOf, type RevisionNode, revOf } from "../../server/documents/revisions/tree.js";
import { idOfRow } from "../../server/documents/sequence-entry.js";
import { contentsOf, recount } from "../helpers/database-facts.js";
import { mustFind } from "../helpers/incoming-revisions.js";
import { change, type Edit, editsOf } from "../helpers/random-edits.js";
import { type Cleanup, openTestStore } from "../helpers/temp-store.js";

const replicas = 3;

/** What happens next: somebody edits somewhere, or one replica hears of another's changes. */
type Event =
  | Edit
  | {
      readonly kind: "replicate";
      readonly from: number;
      readonly to: number;
      readonly batch: number;
      readonly twice: boolean;
    };

const replica = fc.nat({ max: replicas - 1 });
const editing: fc.Arbitrary<Event> = editsOf(replicas);
const replication: fc.Arbitrary<Event> = fc.record({
  kind: fc.constant("replicate"),
  from: replica,
  to: replica,
  batch: fc.integer({ min: 1, max: 5 }),
  twice: fc.boolean(),
});
const histories = fc.array(fc.oneof({ weight: 3, arbitrary: editing }, { weight: 1, arbitrary: replication }), {
  minLength: 5,
  maxLength: 40,
});

/** Changes, what is missing there, and those revisions with new edits false: replication in its shortest form. */
async function replicate(from: Database, to: Database, batch: number, twice: boolean): Promise<void> {
  for await (const entries of from.changes({ since: 0, step: batch })) {
    const revisions: IncomingRevision[] = [];
    for (const { row } of entries) {
      const id = idOfRow(row) as DocId;
      const { tree } = mustFind(from, id).record;
      const leafRevs = leavesOf(tree).map((leaf) => revOf(tree[leaf] as RevisionNode));
      const { missing } = to.missing(id, leafRevs) ?? { missing: [] };
      for (const rev of missing) revisions.push(await revisionOf(from, to, id, rev));
    }
    for (let i = 0; i < (twice ? 2 : 1); i++) {
      const outcomes = await to.write(i === 0 ? revisions : [...revisions].reverse(), "trusted");
      for (const { error } of outcomes) assert.equal(error, undefined);
    }
  }
}

/** A revision of one database as it goes to another, its attachments' bytes taken in there. */
async function revisionOf(from: Database, to: Database, id: DocId, rev: RevId): Promise<IncomingRevision> {
  const document = mustFind(from, id);
  const { tree } = document.record;
  const index = tree.findIndex((node) => revOf(node) === rev);
  const value = from.value(document, index);
  assert.ok(value, `the body of ${id} ${rev}`);
  const attachments: IncomingAttachment[] = [];
  for (const info of value.attachments) {
    const { name, contentType, revpos, encoding } = info;
    const content = await to.takeAttachment(from.attachment(info), { contentType, encoding, limit: 1e6 });
    attachments.push({ kind: "new", name, contentType, revpos, content });
  }
  const origin = { kind: "replicated", path: pathOf(tree, index) } as const;
  return { id, origin, deleted: (tree[index] as RevisionNode).deleted, body: value.body, attachments };
}

describe("three replicas", () => {
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

  it("hold the same trees, winners and contents, whatever was edited where and heard in which order", async () => {
    // Every replica hears of every other in the end, in any order of pairs.
    const pairs = [0, 1, 2].flatMap((from) => [0, 1, 2].filter((to) => to !== from).map((to) => [from, to] as const));
    const lastRounds = fc.shuffledSubarray([...pairs, ...pairs], { minLength: pairs.length * 2 });
    await fc.assert(
      fc.asyncProperty(histories, lastRounds, async (events, rounds) => {
        const run = made++;
        const all = await Promise.all([0, 1, 2].map((n) => databases.create(parseDatabaseName(`run-${run}-${n}`))));
        const [first, second, third] = all as [Database, Database, Database];
        for (const event of events) {
          if (event.kind !== "replicate") await change(all[event.at] as Database, event);
          else if (event.from !== event.to)
            await replicate(all[event.from] as Database, all[event.to] as Database, event.batch, event.twice);
        }
        for (const [from, to] of rounds) await replicate(all[from] as Database, all[to] as Database, 3, false);
        // The random order may leave one replica behind; this one brings everything everywhere.
        for (const [from, to] of pairs) await replicate(all[from] as Database, all[to] as Database, 100, true);

        const contents = await contentsOf(first);
        assert.deepEqual(await contentsOf(second), contents);
        assert.deepEqual(await contentsOf(third), contents);
        for (const database of all) {
          assert.deepEqual(database.log.committed.counters, await recount(database));
          const { seq } = database.log.committed;
          for (const other of all) if (other !== database) await replicate(other, database, 100, true);
          assert.equal(database.updateSeq, seq, "nothing is left to tell");
        }
      }),
      { numRuns: 40 },
    );
  });
});
