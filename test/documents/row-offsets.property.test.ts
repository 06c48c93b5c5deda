import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Database } from "../../server/documents/database.js";
import type { RevisionNode } from "../../server/documents/revisions/tree.js";
import { documentsBefore, markOffset } from "../../server/documents/row-offsets.js";
import { edit, writeOne } from "../helpers/incoming-revisions.js";
import { openTestStore } from "../helpers/temp-store.js";

/** Ids whose order by bytes is not that of JavaScript's strings. */
const ids = ["!", "a", "aa", "b", "é", "\u{ffee}", "😀"];

type Step =
  | { readonly kind: "toggle"; readonly id: string }
  | { readonly kind: "ask"; readonly id: string }
  | { readonly kind: "page"; readonly id: string };

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("toggle" as const, "ask" as const, "ask" as const, "page" as const),
  id: fc.constantFrom(...ids),
});

async function undeletedIds(database: Database): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const documents of database.documents({})) {
    for (const { id, record } of documents) {
      if (!(record.tree[record.winner] as RevisionNode).deleted) found.push(id);
    }
  }
  return found;
}

const comesBefore = (one: string, other: string): boolean => Buffer.compare(Buffer.from(one), Buffer.from(other)) < 0;

async function run(database: Database, { kind, id }: Step, revs: Map<string, string>): Promise<void> {
  if (kind === "toggle") {
    const deleted = revs.has(id);
    const rev = await writeOne(database, edit(id, { on: revs.get(id), deleted }));
    if (deleted) revs.delete(id);
    else revs.set(id, rev);
    return;
  }
  const alive = await undeletedIds(database);
  const before = alive.filter((each) => comesBefore(each, id)).length;
  // What a listing notes that came to this document.
  if (kind === "page" && alive.includes(id)) markOffset(database, database.updateSeq, id, before);
  assert.equal(await documentsBefore(database, id), before, `before ${id} of ${alive}`);
}

test("what is remembered of offsets is what counting gives", async (t) => {
  const { databases } = await openTestStore(t);
  let made = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const database = await databases.create(`run${made++}` as Database["name"]);
      const revs = new Map<string, string>();
      for (const each of steps) await run(database, each, revs);
    }),
    { numRuns: 40 },
  );
});
