import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { parseDatabaseName } from "../../protocol/ids.js";
import type { Database } from "../../server/documents/database.js";
import type { Databases } from "../../server/documents/databases.js";
import { leavesOf, type RevisionNode, revOf } from "../../server/documents/revisions/tree.js";
import { Session } from "../../server/replicator/session.js";
import { contentsOf, recount } from "../helpers/database-facts.js";
import { replicateOnce, sessionParts } from "../helpers/local-ends.js";
import { change, type Edit, editsOf } from "../helpers/random-edits.js";
import { type Cleanup, openTestStore } from "../helpers/temp-store.js";
import { type Fate, unreliableSource, unreliableTarget } from "../helpers/unreliable-peers.js";

const replicas = 3;

type Event =
  | Edit
  | {
      readonly kind: "replicate";
      readonly from: number;
      readonly to: number;
      /** What happens at each call to either end, in turn; `well` when the list is over. */
      readonly fates: readonly Fate[];
    };

const replica = fc.nat({ max: replicas - 1 });
/** One or two calls go wrong: a session that fails at once is a session that did nothing. */
const fates: fc.Arbitrary<Fate[]> = fc
  .array(fc.tuple(fc.nat({ max: 16 }), fc.constantFrom<Fate>("before", "after", "killed")), { maxLength: 2 })
  .map((wrong) => {
    const list: Fate[] = [];
    for (const [call, fate] of wrong) list[call] = fate;
    return Array.from(list, (fate) => fate ?? "well");
  });
const replication: fc.Arbitrary<Event> = fc.record({
  kind: fc.constant("replicate"),
  from: replica,
  to: replica,
  fates,
});
const histories = fc.array(
  fc.oneof({ weight: 2, arbitrary: editsOf(replicas) }, { weight: 1, arbitrary: replication }),
  {
    minLength: 5,
    maxLength: 30,
  },
);

/** One session whose ends fail as fate has it; whether it succeeds is nobody's business here. */
async function tryToReplicate(databases: Databases, from: string, to: string, list: readonly Fate[]): Promise<void> {
  const parts = sessionParts(databases, from, to, { checkpoint_interval: 1, retries_per_request: 1 });
  const life = new AbortController();
  let call = 0;
  const fate = (): Fate => list[call++] ?? "well";
  const kill = (): void => life.abort();
  try {
    const session = await Session.open(
      {
        ...parts,
        source: unreliableSource(parts.source, fate, kill),
        target: unreliableTarget(parts.target, fate, kill),
      },
      life.signal,
    );
    await session.catchUp(life.signal);
    await session.checkpoint(life.signal);
  } catch (error) {
    assert.ok(
      list.some((each) => each !== "well"),
      `nothing was to go wrong: ${error}`,
    );
  }
}

async function holdsAllOf(target: Database, source: Database): Promise<void> {
  for await (const step of source.documents({})) {
    for (const { id, record } of step) {
      const leaves = leavesOf(record.tree).map((leaf) => revOf(record.tree[leaf] as RevisionNode));
      assert.equal(target.missing(id, leaves), undefined, `${id} is not there`);
    }
  }
}

describe("replication between three databases", () => {
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

  it("ends with the same trees on all sides, whatever failed on the way and was sent twice", async () => {
    const pairs = [0, 1, 2].flatMap((from) => [0, 1, 2].filter((to) => to !== from).map((to) => [from, to] as const));
    await fc.assert(
      fc.asyncProperty(histories, async (events) => {
        const run = made++;
        const nameOf = (n: number): string => `run-${run}-${n}`;
        const all: Database[] = [];
        for (let n = 0; n < replicas; n++) all.push(await databases.create(parseDatabaseName(nameOf(n))));
        for (const event of events) {
          if (event.kind !== "replicate") await change(all[event.at] as Database, event);
          else if (event.from !== event.to)
            await tryToReplicate(databases, nameOf(event.from), nameOf(event.to), event.fates);
        }
        // Twice over all pairs: what the first of them brings in the end has still to reach the others.
        for (const [from, to] of [...pairs, ...pairs]) {
          await replicateOnce(sessionParts(databases, nameOf(from), nameOf(to)));
          // At once, and not by way of the third: what a failed session left out must not hide behind its checkpoint.
          await holdsAllOf(all[to] as Database, all[from] as Database);
        }
        const contents = await contentsOf(all[0] as Database);
        for (const database of all) {
          assert.deepEqual(await contentsOf(database), contents);
          assert.deepEqual(database.log.committed.counters, await recount(database));
        }
        // The checkpoints tell that nothing is left: nobody reads a document for it.
        for (const [from, to] of pairs) {
          const parts = sessionParts(databases, nameOf(from), nameOf(to));
          await replicateOnce(parts);
          const { updateSeq } = all[to] as Database;
          const again = await replicateOnce(sessionParts(databases, nameOf(from), nameOf(to)));
          assert.equal((all[to] as Database).updateSeq, updateSeq, "nothing is left to tell");
          assert.equal(again["no_changes"], true);
        }
      }),
      { numRuns: 60 },
    );
  });
});
