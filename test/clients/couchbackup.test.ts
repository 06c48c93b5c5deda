import { deepEqual, equal, ok } from "node:assert/strict";
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { after, before, test } from "node:test";
import { HttpClient } from "../helpers/http-client.js";
import { adminAuthorization, type SetteeProcess, startSettee } from "../helpers/settee-process.js";

interface Options {
  readonly mode?: "full" | "shallow";
  readonly bufferSize?: number;
  readonly log?: string;
  readonly attachments?: boolean;
}

type Done = (error: Error | null, summary: { readonly total: number }) => void;

interface CouchBackup {
  backup(url: string, target: Writable, options: Options, done: Done): void;
  restore(source: Readable, url: string, options: Options, done: Done): void;
}

/** The package has no types. */
const { backup, restore } = createRequire(import.meta.url)("@cloudant/couchbackup") as CouchBackup;

const folder = mkdtempSync(join(tmpdir(), "settee-couchbackup-"));
let settee: SetteeProcess;
let client: HttpClient;
before(async () => {
  settee = await startSettee();
  client = new HttpClient(settee.url, adminAuthorization);
});
after(async () => {
  client.close();
  await settee.close();
  rmSync(folder, { recursive: true });
});

const plain = 3000;
const deletedDocuments = 200;
const conflicted = 150;
const hash = (letter: string, n: number): string => `${letter}${String(n).padStart(31, "0")}`;

function edits(): readonly object[] {
  const documents = Array.from({ length: plain }, (_, n) => ({ _id: `doc-${n}`, n, text: `Zeile ${n} – ✓`.repeat(5) }));
  const attachments = {
    "notes.txt": { content_type: "text/plain", data: Buffer.from("the same again ".repeat(50)).toString("base64") },
    "dir/größe.bin": { content_type: "image/png", data: Buffer.alloc(20_000, 7).toString("base64") },
  };
  const attached = Array.from({ length: 20 }, (_, n) => ({ _id: `attached-${n}`, _attachments: attachments }));
  const design = { _id: "_design/app", views: { all: { map: "function (doc) { emit(doc.n); }" } } };
  return [...documents, ...attached, design, { _id: "Umlaut ä/?#%+" }];
}

/** Two or three leaves each, of which the last one is deleted. */
function conflicts(): readonly object[] {
  return Array.from({ length: conflicted }, (_, n) => n).flatMap((n) => {
    const leaf = (letter: string, deleted: boolean) => ({
      _id: `conflicted-${n}`,
      letter,
      _deleted: deleted,
      _rev: `3-${hash(letter, n)}`,
      _revisions: { start: 3, ids: [hash(letter, n), hash(`${letter}b`.slice(-1), n), hash("0", n)] },
    });
    return [leaf("a", false), leaf("c", false), ...(n % 3 === 0 ? [leaf("f", true)] : [])];
  });
}

async function fill(database: string): Promise<void> {
  await client.expect(201, "PUT", `/${database}`);
  const written = await client.expect(201, "POST", `/${database}/_bulk_docs`, { body: { docs: edits() } });
  const rows = written.json() as { readonly id: string; readonly rev: string }[];
  const replicated = { new_edits: false, docs: conflicts() };
  deepEqual((await client.expect(201, "POST", `/${database}/_bulk_docs`, { body: replicated })).json(), []);
  const gone = rows.slice(0, deletedDocuments).map(({ id, rev }, n) => ({
    ...{ _id: id, _rev: rev, _deleted: true },
    // A tombstone may say why.
    ...(n % 2 === 0 ? { reason: "out of date" } : {}),
  }));
  await client.expect(201, "POST", `/${database}/_bulk_docs`, { body: { docs: gone } });
}

/** Every leaf of every document with its history and its attachments' bytes, by id. */
async function leavesOf(database: string): Promise<ReadonlyMap<string, readonly unknown[]>> {
  const changes = (await client.expect(200, "GET", `/${database}/_changes`)).json();
  const ids = changes.results.map(({ id }: { readonly id: string }) => id);
  const body = { docs: ids.map((id: string) => ({ id })) };
  const reply = await client.expect(200, "POST", `/${database}/_bulk_get?revs=true&attachments=true`, { body });
  type Result = { readonly id: string; readonly docs: readonly { readonly ok: { readonly _rev: string } }[] };
  const leaves = (reply.json().results as Result[]).map(({ id, docs }) => {
    const inOrder = docs.map(({ ok }) => ok).toSorted((one, other) => (one._rev < other._rev ? -1 : 1));
    return [id, inOrder] as const;
  });
  return new Map(leaves.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function finished(run: (done: Done) => void): Promise<{ readonly total: number }> {
  return new Promise((resolve, reject) => run((error, summary) => (error ? reject(error) : resolve(summary))));
}

test("couchbackup takes a database away and brings it back leaf by leaf", async () => {
  await fill("source");
  await client.expect(201, "PUT", "/target");
  const file = join(folder, "backup.txt");
  const options = { attachments: true, log: join(folder, "backup.log") };
  const saved = await finished((done) => backup(`${settee.adminUrl}/source`, createWriteStream(file), options, done));
  const leaves = await leavesOf("source");
  const count = [...leaves.values()].reduce((sum, revisions) => sum + revisions.length, 0);
  equal(leaves.size, plain + 20 + 2 + conflicted);
  equal(count, leaves.size + conflicted + conflicted / 3);
  equal(saved.total, count, "revisions that couchbackup says it has saved");

  await finished((done) => restore(createReadStream(file), `${settee.adminUrl}/target`, { attachments: true }, done));
  const restored = await leavesOf("target");
  deepEqual([...restored.keys()], [...leaves.keys()]);
  for (const [id, revisions] of leaves) deepEqual(restored.get(id), revisions, id);
  const [{ doc_count, doc_del_count }, source] = [await infoOf("target"), await infoOf("source")];
  deepEqual([doc_count, doc_del_count], [source.doc_count, source.doc_del_count]);
  deepEqual([source.doc_count, source.doc_del_count], [leaves.size - deletedDocuments, deletedDocuments]);
});

test("couchbackup's shallow backup has the winners", async () => {
  await client.expect(201, "PUT", "/winners");
  const docs = [{ _id: "a" }, { _id: "b", text: "é" }];
  await client.expect(201, "POST", "/winners/_bulk_docs", { body: { docs } });
  const file = join(folder, "shallow.txt");
  const url = `${settee.adminUrl}/winners`;
  const saved = await finished((done) => backup(url, createWriteStream(file), { mode: "shallow" }, done));
  equal(saved.total, 2);
  await client.expect(201, "PUT", "/winners-again");
  await finished((done) => restore(createReadStream(file), `${url}-again`, {}, done));
  deepEqual(await leavesOf("winners-again"), await leavesOf("winners"));
});

test("couchbackup does not restore into a database that is in use, nor into one that is not there", async () => {
  const file = join(folder, "shallow.txt");
  const into = (name: string) => () =>
    finished((done) => restore(createReadStream(file), `${settee.adminUrl}/${name}`, {}, done));
  for (const [name, words] of [
    ["winners", /not empty/i],
    ["nowhere", /does not exist/i],
  ] as const) {
    const message = await into(name)().then(
      () => "restored",
      ({ message }: Error) => message,
    );
    ok(words.test(message), `${name}: ${message}`);
  }
});

async function infoOf(database: string): Promise<{ readonly doc_count: number; readonly doc_del_count: number }> {
  return (await client.expect(200, "GET", `/${database}`)).json();
}
