/** What a database says of itself, counted and read naively: to be compared with its counters, or with another database. */
import type { Database } from "../../server/documents/database.js";
import { leavesOf, type RevisionNode, revOf } from "../../server/documents/revisions/tree.js";
import { winnerOf } from "../../server/documents/revisions/winner.js";
import type { Counters } from "../../server/documents/sequence-entry.js";
import { linesOf } from "./revision-trees.js";

/** Counts all documents, as nobody could afford to for each request. */
export async function recount(database: Database): Promise<Counters> {
  let [documents, deletedDocuments, liveBytes, storedBytes, externalBytes] = [0, 0, 0, 0, 0];
  for await (const step of database.documents({})) {
    for (const document of step) {
      const { tree } = document.record;
      if ((tree[winnerOf(tree)] as RevisionNode).deleted) deletedDocuments++;
      else documents++;
      const leaves = new Set(leavesOf(tree));
      tree.forEach((node, index) => {
        if (!node.stored) return;
        const value = database.value(document, index);
        if (!value) throw new Error(`the body of ${document.id} ${revOf(node)} is not there`);
        const bytes = value.attachments.reduce((sum, { storedLength }) => sum + storedLength, value.body.length);
        storedBytes += bytes - (node.attached?.inherited ?? 0);
        if (!leaves.has(index)) return;
        liveBytes += bytes;
        externalBytes += value.attachments.reduce((sum, { length }) => sum + length, value.body.length);
      });
    }
  }
  return { documents, deletedDocuments, liveBytes, storedBytes, externalBytes };
}

/** Of each document the tree, the winner, and the content of every leaf: what replicas have in common, and nothing else. */
export async function contentsOf(database: Database): Promise<Readonly<Record<string, unknown>>> {
  const contents: Record<string, unknown> = {};
  for await (const step of database.documents({})) {
    for (const document of step) {
      const { tree, winner } = document.record;
      const leaves = leavesOf(tree).map((leaf) => {
        const value = database.value(document, leaf);
        const attachments = value?.attachments.map(({ name, digest, revpos }) => `${name} ${digest} ${revpos}`) ?? [];
        return [revOf(tree[leaf] as RevisionNode), value?.body.toString(), ...attachments];
      });
      // Of inner revisions only the names travel: whether they have a body, or deleted, is for who was there to know.
      const lines = linesOf(tree).map((line) => line.replace(/[!?]+(?= )/g, ""));
      contents[document.id] = { lines, winner: revOf(tree[winner] as RevisionNode), leaves };
    }
  }
  return contents;
}

/** Everything that a restart must not change. */
export async function stateOf(database: Database): Promise<unknown> {
  const changes: unknown[] = [];
  for await (const step of database.changes({ since: 0 })) {
    for (const { seq, row, deleted, severalLeaves } of step)
      changes.push([seq, row.toString(), deleted, severalLeaves]);
  }
  const records: unknown[] = [];
  for await (const step of database.documents({}))
    for (const { id, record } of step) records.push([id, record.tree, record.winner, record.seq]);
  const locals: unknown[] = [];
  for await (const step of database.locals())
    for (const { id, rev, body } of step) locals.push([id, rev, body.toString()]);
  return {
    ...{
      seq: database.seqText(database.updateSeq),
      counters: database.log.committed.counters,
      changes,
      records,
      locals,
    },
    ...{ security: database.security(), revsLimit: database.revsLimit(), contents: await contentsOf(database) },
  };
}
