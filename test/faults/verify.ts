/** What must hold after every restart. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import type { HttpClient } from "../helpers/http-client.js";
import { type Content, type Ledger, type LedgerEntry, sequenceNumber } from "./ledger.js";
import { textOf } from "./writers.js";

interface StoredDocument {
  readonly _id: string;
  readonly _rev: string;
  readonly _deleted?: boolean;
  readonly _revisions: { readonly start: number; readonly ids: readonly string[] };
  readonly _attachments?: Readonly<Record<string, { readonly length: number }>>;
  readonly number?: number;
  readonly text?: string;
}

interface ChangeRow {
  readonly id: string;
  readonly seq: string | number;
  readonly deleted?: boolean;
  readonly changes: readonly { readonly rev: string }[];
}

/** How many documents are asked for in one request. */
const page = 500;
const attachmentReaders = 8;

/** The listings agree with each other and with the counters. */
export async function verifyListings(client: HttpClient, database: string, ledger: Ledger): Promise<void> {
  const information = (await client.expect(200, "GET", database)).json();
  const allDocs = (await client.expect(200, "GET", `${database}/_all_docs?include_docs=true`)).json();
  const changes = (await client.expect(200, "GET", `${database}/_changes`)).json();
  const rows: readonly { id: string; value: { rev: string }; doc: StoredDocument }[] = allDocs.rows;
  const results: readonly ChangeRow[] = changes.results;

  equal(information.doc_count, rows.length, "doc_count is the number of documents in _all_docs");
  equal(allDocs.total_rows, rows.length, "so is total_rows");
  const sequence = sequenceNumber(information.update_seq);
  ok(sequence >= ledger.highestSequence, `update_seq went back from ${ledger.highestSequence} to ${sequence}`);
  ledger.sawSequence(information.update_seq);

  equal(new Set(results.map(({ id }) => id)).size, results.length, "_changes holds each document once");
  const sequences = results.map(({ seq }) => sequenceNumber(seq));
  ok(
    sequences.every((value, index) => index === 0 || value > (sequences[index - 1] as number)),
    "sequences strictly increase",
  );
  const deletedCount = results.filter(({ deleted }) => deleted).length;
  // PouchDB's own servers do not count deletions.
  equal(
    information.doc_del_count ?? deletedCount,
    deletedCount,
    "doc_del_count is the number of deletions in _changes",
  );
  const living = results.filter(({ deleted }) => !deleted);
  deepEqual(
    new Map(living.map((row) => [row.id, row.changes[0]?.rev])),
    new Map(rows.map((row) => [row.id, row.value.rev])),
    "_changes and _all_docs know the same revisions",
  );
  for (const { doc } of rows) equal(doc.text, textOf(doc.number ?? -1), `${doc._id} is a whole document`);
}

/** Every promise of the ledger was kept. What was in doubt is settled by what is there. */
export async function verifyLedger(
  client: HttpClient,
  database: string,
  ledger: Ledger,
  ids: readonly string[],
): Promise<void> {
  const attachments: (() => Promise<void>)[] = [];
  for (let from = 0; from < ids.length; from += page) {
    const asked = ids.slice(from, from + page);
    const body = { docs: asked.map((id) => ({ id })) };
    const reply = await client.expect(200, "POST", `${database}/_bulk_get?revs=true`, { body });
    const { results } = reply.json();
    equal(results.length, asked.length, "_bulk_get answers for each document");
    for (const { id, docs } of results) {
      const leaves = found(docs);
      // PouchDB's own servers leave deleted documents out of _bulk_get.
      const content = settle(ledger, id, leaves.length > 0 ? leaves : await openRevisions(client, `${database}/${id}`));
      for (const [name, digest] of Object.entries(content?.attachments ?? {})) {
        attachments.push(() => verifyAttachment(client, `${database}/${id}/${name}`, digest));
      }
    }
  }
  const reader = async (): Promise<void> => {
    for (let next = attachments.pop(); next; next = attachments.pop()) await next();
  };
  await Promise.all(Array.from({ length: attachmentReaders }, reader));
}

function found(answers: readonly { readonly ok?: StoredDocument }[]): readonly StoredDocument[] {
  return answers.flatMap((answer) => answer.ok ?? []);
}

async function openRevisions(client: HttpClient, path: string): Promise<readonly StoredDocument[]> {
  const reply = await client.get(`${path}?open_revs=all&revs=true`);
  return reply.status === 404 ? [] : found(reply.json());
}

/** Compares one document with its entry, and says what it must hold now. */
function settle(ledger: Ledger, id: string, leaves: readonly StoredDocument[]): Content | undefined {
  const entry = ledger.entry(id);
  const newest = entry.acknowledged.at(-1);
  if (leaves.length === 0) {
    equal(newest, undefined, `${id} ${newest} was acknowledged and is gone`);
    ledger.settle(id, { happened: false });
    return undefined;
  }
  const leaf = unanswered(entry, leaves) ?? leaves.find(({ _rev }) => _rev === newest);
  ok(leaf, `${id} ${newest} was acknowledged; there is ${leaves.map(({ _rev }) => _rev).join(", ")}`);
  const happened = leaf._rev !== newest;
  const expected = happened ? entry.inDoubt : entry.content;
  ok(expected, `${id} ${leaf._rev} was never sent`);
  ledger.settle(id, happened ? { happened, rev: leaf._rev } : { happened });
  verifyContent(leaf, expected);
  verifyHistory(leaves, entry);
  return expected.deleted ? undefined : expected;
}

/** The leaf that an unanswered request made, if it made one: its content says so. */
function unanswered({ inDoubt }: LedgerEntry, leaves: readonly StoredDocument[]): StoredDocument | undefined {
  if (!inDoubt) return undefined;
  return leaves.find(
    (leaf) =>
      leaf.number === inDoubt.number &&
      Object.keys(leaf._attachments ?? {}).length === Object.keys(inDoubt.attachments ?? {}).length,
  );
}

function verifyContent(leaf: StoredDocument, expected: Content): void {
  const what = `${leaf._id} ${leaf._rev}`;
  equal(leaf._deleted ?? false, expected.deleted ?? false, `${what} is as deleted as it was sent`);
  equal(leaf.number, expected.number, `${what} has its own body`);
  equal(leaf.text, textOf(expected.number), `${what} has its whole body`);
  deepEqual(
    Object.keys(leaf._attachments ?? {}).sort(),
    Object.keys(expected.attachments ?? {}).sort(),
    `${what} names its attachments`,
  );
}

/** Every acknowledged revision is a leaf or an ancestor of one. */
function verifyHistory(leaves: readonly StoredDocument[], { acknowledged }: LedgerEntry): void {
  const there = new Set(
    leaves.flatMap(({ _revisions: { start, ids } }) => ids.map((hash, index) => `${start - index}-${hash}`)),
  );
  const lost = acknowledged.filter((rev) => !there.has(rev));
  deepEqual(lost, [], `${leaves[0]?._id}: acknowledged revisions that are in no history`);
}

async function verifyAttachment(client: HttpClient, path: string, digest: string): Promise<void> {
  const { bytes } = await client.expect(200, "GET", path);
  equal(createHash("md5").update(bytes).digest("base64"), digest, `the bytes of ${path}`);
}
