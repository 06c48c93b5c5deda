import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseDocId, parseRevId } from "../../protocol/ids.js";
import type { Database } from "../../server/documents/database.js";
import { decodeDocumentRecord } from "../../server/documents/document-record.js";
import type { IncomingAttachment, IncomingRevision } from "../../server/documents/incoming-revision.js";
import type { PurgedRevisions } from "../../server/documents/purge.js";
import { leavesOf, type RevisionNode, revOf } from "../../server/documents/revisions/tree.js";
import type { Key } from "../../server/storage/store.js";
import { recount } from "../helpers/database-facts.js";
import { type HeldDatabase, openHeldDatabase, reopenHeldDatabase } from "../helpers/held-database.js";
import { changesSince, edit, mustFind, replicated } from "../helpers/incoming-revisions.js";
import { checkInvariants } from "../helpers/revision-trees.js";
import type { Cleanup } from "../helpers/temp-store.js";

const ids = ["a", "b", "_design/d"] as const;

interface Step {
  readonly id: (typeof ids)[number];
  readonly kind: "edit" | "conflict" | "delete" | "purge" | "purge all" | "purge inner" | "compact";
  readonly pick: number;
  /** Bytes of text in the body, and of the attachment: below and above what stands elsewhere. */
  readonly size: number;
  readonly attachment: "none" | "new" | "kept";
}

const step: fc.Arbitrary<Step> = fc.record({
  id: fc.constantFrom(...ids),
  kind: fc.constantFrom<Step["kind"]>(
    ...(["edit", "edit", "conflict", "delete", "purge", "purge all", "purge inner", "compact"] as const),
  ),
  pick: fc.nat({ max: 1000 }),
  size: fc.constantFrom(0, 300, 5000, 20_000),
  attachment: fc.constantFrom<Step["attachment"]>("none", "new", "kept"),
});
/** Requests of one round are under way at the same time. */
const rounds = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 });

function revisionsOf(
  database: Database,
  id: string,
): { readonly leaves: readonly string[]; readonly inner: readonly string[] } {
  const tree = database.find(id)?.record.tree ?? [];
  const leaves = leavesOf(tree).map((leaf) => revOf(tree[leaf] as RevisionNode));
  return { leaves, inner: tree.map(revOf).filter((rev) => !leaves.includes(rev)) };
}

async function attachmentsFor(
  database: Database,
  { attachment, size, pick }: Step,
): Promise<readonly IncomingAttachment[]> {
  if (attachment === "none") return [];
  if (attachment === "kept") return [{ kind: "stub", name: "file" }];
  // Compressed: what readers get is not what is stored.
  const contentType = pick % 2 === 0 ? "text/plain" : "image/png";
  const bytes = Buffer.alloc(size, `${pick % 3} `);
  const content = await database.takeAttachment(bytes, { contentType, limit: 1e6 });
  return [{ kind: "new", name: "file", contentType, content }];
}

async function run(database: Database, drawn: Step): Promise<void> {
  const { id, kind, pick, size } = drawn;
  const { leaves, inner } = revisionsOf(database, id);
  const of = (revs: readonly (string | undefined)[]): PurgedRevisions => ({
    id: parseDocId(id),
    revs: revs.filter((rev) => rev !== undefined).map(parseRevId),
  });
  if (kind === "compact") return await database.compact();
  const leaf = leaves[pick % Math.max(1, leaves.length)];
  if (kind === "purge") return void (await database.purge([of([leaf]), of([leaf, "7-nothing"])]));
  if (kind === "purge all") return void (await database.purge([of(leaves)]));
  if (kind === "purge inner") return void (await database.purge([of([inner[pick % Math.max(1, inner.length)], leaf])]));
  const body = { pick, text: "x".repeat(size) };
  const attachments = await attachmentsFor(database, drawn);
  const revision: IncomingRevision =
    kind === "conflict"
      ? replicated(id, `1-root 2-${pick}-${size}`, { body, attachments })
      : edit(id, { on: leaf, body, attachments, deleted: kind === "delete" });
  // Stubs of what is not there, parents that were purged meanwhile: refusals are fine, being counted would not be.
  await database.write([revision], "trusted").catch((error: { readonly error?: string }) => {
    assert.equal(error.error, "missing_stub");
  });
}

/** Lets every commit through, one by one; the contents after each are what a crash at that moment would leave. */
async function finish(held: HeldDatabase, work: Promise<unknown>, moments: ReadonlyMap<Key, Buffer>[]): Promise<void> {
  let isDone = false;
  const watched = work.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    const [commit] = held.store.held;
    if (commit) {
      commit.succeed();
      moments.push(new Map(held.store.contents));
    }
    await new Promise(setImmediate);
  }
  await watched;
}

async function checkDatabase({ store, database }: HeldDatabase): Promise<void> {
  assert.deepEqual(database.log.committed.counters, await recount(database));
  const changes = await changesSince(database);
  const { documents, deletedDocuments } = database.log.committed.counters;
  assert.equal(new Set(changes.map(([, id]) => id)).size, changes.length, "each document once");
  assert.equal(documents + deletedDocuments, changes.length);
  const expected = new Set<Key>();
  for (const [seq, id, winner] of changes) {
    const { record } = mustFind(database, id);
    checkInvariants(record.tree);
    assert.equal(record.seq, seq);
    assert.ok(seq <= database.updateSeq);
    assert.equal(revOf(record.tree[record.winner] as RevisionNode), winner);
    record.tree.forEach((node, index) => {
      const isBeside = index === record.winner && record.inline !== undefined;
      if (node.stored && !isBeside) expected.add(database.keys.body(parseDocId(id), revOf(node)));
    });
  }
  const keysFrom = ({ from, to }: { readonly from: Key; readonly to: Key }): Key[] =>
    [...store.contents.keys()].filter((key) => key >= from && key < to);
  assert.deepEqual(keysFrom(database.keys.bodies).sort(), [...expected].sort(), "no body is missing, none left over");
  assert.equal(keysFrom(database.keys.documents).length, changes.length);
  for (const key of keysFrom(database.keys.documents)) {
    decodeDocumentRecord(store.contents.get(key) as Buffer);
  }
  assert.equal(keysFrom(database.keys.purges).length, database.purgeSeq, "every purge is in the log");
}

describe("a database under writers, purges and compactions", () => {
  it("counts what a naive recount finds, now and after a crash at any moment", async (t) => {
    await fc.assert(
      fc.asyncProperty(rounds, async (drawn) => {
        const cleanups: (() => void | Promise<void>)[] = [];
        const cleanup: Cleanup = { after: (release) => void cleanups.unshift(release) };
        try {
          const held = openHeldDatabase(cleanup);
          await held.blobs.open();
          const moments: ReadonlyMap<Key, Buffer>[] = [];
          let seq = 0;
          for (const requests of drawn) {
            await finish(held, Promise.all(requests.map((one) => run(held.database, one))), moments);
            await checkDatabase(held);
            assert.ok(held.database.updateSeq >= seq, "sequences go one way");
            seq = held.database.updateSeq;
          }
          await finish(held, held.database.compact(), moments);
          const { liveBytes, storedBytes } = held.database.log.committed.counters;
          assert.equal(storedBytes, liveBytes, "what leaves inherited is theirs, and nobody else has a body");
          for (const contents of moments) await checkDatabase(await reopenHeldDatabase(cleanup, contents));
          const last = moments.at(-1);
          if (!last) return;
          const reopened = (await reopenHeldDatabase(cleanup, last)).database;
          assert.deepEqual(reopened.log.committed, held.database.log.committed);
        } finally {
          for (const release of cleanups) await release();
        }
      }),
      { numRuns: 60 },
    );
    t.diagnostic("every commit was a crash once");
  });
});
