/** Edits of a few documents here and there, as fast-check draws them. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Database } from "../../server/documents/database.js";
import type { IncomingAttachment } from "../../server/documents/incoming-revision.js";
import { leavesOf, type RevisionNode, revOf } from "../../server/documents/revisions/tree.js";
import { winnerOf } from "../../server/documents/revisions/winner.js";
import { edit } from "./incoming-revisions.js";

const ids = ["a", "b", "日本", "_design/d"] as const;

/** Somebody edits a document somewhere. */
export interface Edit {
  readonly kind: "edit" | "delete" | "attach";
  /** Of the replica. */
  readonly at: number;
  readonly id: (typeof ids)[number];
  /** Which of the leaves is edited. */
  readonly pick: number;
  readonly text: string;
}

export function editsOf(replicas: number): fc.Arbitrary<Edit> {
  return fc.record({
    kind: fc.constantFrom("edit", "edit", "edit", "delete", "attach"),
    at: fc.nat({ max: replicas - 1 }),
    id: fc.constantFrom(...ids),
    pick: fc.nat({ max: 100 }),
    // Few texts, so that two devices sometimes make the very same edit.
    text: fc.constantFrom("x", "y", "é", "long ".repeat(1200), "large ".repeat(4000)),
  });
}

export async function change(database: Database, event: Edit): Promise<void> {
  const { kind, id, pick, text } = event;
  const tree = database.find(id)?.record.tree ?? [];
  // A document whose winner is deleted begins a new life; a leaf is edited otherwise, whoever wins.
  const leaves = tree[winnerOf(tree)]?.deleted === false ? leavesOf(tree) : [];
  const on = leaves.length === 0 ? undefined : revOf(tree[leaves[pick % leaves.length] as number] as RevisionNode);
  const bytes = Buffer.from(text);
  const attachments: IncomingAttachment[] = [];
  if (kind === "attach") {
    // Some are compressed on their way in.
    const contentType = text.startsWith("l") ? "text/plain" : "image/png";
    attachments.push({
      kind: "new",
      name: "file",
      contentType,
      content: await database.takeAttachment(bytes, { contentType, limit: 1e6 }),
    });
  }
  const [outcome] = await database.write(
    [edit(id, { on, deleted: kind === "delete", body: { text }, attachments })],
    "trusted",
  );
  // What is deleted cannot be deleted once more; everything else must go through.
  const deletedTwice = kind === "delete" && leaves.length === 0 && tree.length > 0;
  assert.equal(outcome?.error?.error, deletedTwice ? "conflict" : undefined);
}
