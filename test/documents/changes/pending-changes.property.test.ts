import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { pendingAfter } from "../../../server/documents/changes/pending-changes.js";
import type { Database } from "../../../server/documents/database.js";
import { changesSince, edit, writeOne } from "../../helpers/incoming-revisions.js";
import { openTestStore } from "../../helpers/temp-store.js";

interface Page {
  readonly size: number;
  /** A document that is written before the page is asked for, if any. */
  readonly write: string | undefined;
  /** Begin again from the start of the feed. */
  readonly restart: boolean;
}

const page: fc.Arbitrary<Page> = fc.record({
  size: fc.integer({ min: 0, max: 4 }),
  write: fc.option(fc.constantFrom("a", "b", "c", "d", "e", "f"), { nil: undefined, freq: 2 }),
  restart: fc.boolean(),
});

test("pending counts what is left, page after page, whatever is written between them", async (t) => {
  const { databases } = await openTestStore(t);
  let made = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(page, { maxLength: 25 }), async (pages) => {
      const database = await databases.create(`run${made++}` as Database["name"]);
      await database.write(
        ["a", "b", "c", "d"].map((id) => edit(id)),
        "trusted",
      );
      const revs = new Map<string, string>();
      let since = 0;
      for (const { size, write, restart } of pages) {
        if (write) {
          const on = revs.get(write) ?? (await winner(database, write));
          revs.set(write, await writeOne(database, edit(write, { on })));
        }
        if (restart) since = 0;
        const { updateSeq } = database;
        const left = await changesSince(database, since);
        const read = left.slice(0, size);
        const last = read.at(-1)?.[0] ?? since;
        const pending = await pendingAfter(database, last, { since, updateSeq, changes: read.length });
        assert.equal(pending, left.length - read.length);
        since = last;
      }
    }),
    { numRuns: 40 },
  );
});

async function winner(database: Database, id: string): Promise<string | undefined> {
  return (await changesSince(database)).find((change) => change[1] === id)?.[2];
}
