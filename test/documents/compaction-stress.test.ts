import assert from "node:assert/strict";
import { createHash, randomInt } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { RevId } from "../../protocol/ids.js";
import type { TakenContent } from "../../server/documents/attachments/intake.js";
import { readAttachment } from "../../server/documents/attachments/read-attachment.js";
import type { Database } from "../../server/documents/database.js";
import type { IncomingAttachment } from "../../server/documents/incoming-revision.js";
import { recount } from "../helpers/database-facts.js";
import { edit, mustFind, writeOne } from "../helpers/incoming-revisions.js";
import { keysOnDisk } from "../helpers/raw-store.js";
import { openTestStore, type TestStore } from "../helpers/temp-store.js";

const writers = 6;
const writesEach = 60;
const documentsEach = 4;

/** What a writer was told is on disk, by document. */
interface Acknowledged {
  readonly rev: RevId;
  readonly digests: ReadonlyMap<string, string>;
}

const md5 = (bytes: Buffer): string => createHash("md5").update(bytes).digest("base64");

/** Few different contents, so that documents share them, drop them and bring them again; below and above what is a file. */
function content(): Buffer {
  return Buffer.alloc(randomInt(2) === 0 ? 500 : 30_000, `content ${randomInt(12)} `);
}

class Writer {
  readonly acknowledged = new Map<string, Acknowledged>();
  readonly #database: Database;
  readonly #name: number;

  constructor(database: Database, name: number) {
    this.#database = database;
    this.#name = name;
  }

  async run(): Promise<void> {
    for (let n = 0; n < writesEach; n++) await this.#write(`w${this.#name}-${randomInt(documentsEach)}`, n);
  }

  /** Keeps some attachments, drops some, brings some; between the bytes and the write there may be several sweeps. */
  async #write(id: string, n: number): Promise<void> {
    const before = this.acknowledged.get(id);
    const digests = new Map<string, string>();
    const attachments: IncomingAttachment[] = [];
    for (const [name, digest] of before?.digests ?? []) {
      if (randomInt(2) === 0) continue;
      digests.set(name, digest);
      attachments.push({ kind: "stub", name });
    }
    for (let i = randomInt(3); i > 0; i--) {
      const bytes = content();
      const name = `${n}-${i}`;
      digests.set(name, md5(bytes));
      attachments.push({ kind: "new", name, contentType: "image/png", content: await this.#taken(bytes) });
      for (let turns = randomInt(20); turns > 0; turns--) await new Promise(setImmediate);
    }
    const rev = await writeOne(this.#database, edit(id, { on: before?.rev, body: { n }, attachments }));
    this.acknowledged.set(id, { rev, digests });
    if (randomInt(4) === 0) await this.verify(id);
  }

  #taken(bytes: Buffer): Promise<TakenContent> {
    return this.#database.takeAttachment(bytes, { contentType: "image/png", limit: 1e6 });
  }

  /** Every acknowledged attachment is there, byte by byte. */
  async verify(id: string): Promise<void> {
    const { rev, digests } = this.acknowledged.get(id) as Acknowledged;
    const document = mustFind(this.#database, id);
    const value = this.#database.value(document, document.record.winner);
    assert.ok(value, `${id} ${rev} has its body`);
    assert.deepEqual(value.attachments.map(({ name }) => name).sort(), [...digests.keys()].sort());
    for (const info of value.attachments) {
      assert.equal(md5(await readAttachment(this.#database, info, true)), digests.get(info.name), `${id}/${info.name}`);
    }
  }
}

describe("compaction beside writers and readers", () => {
  it("loses no acknowledged attachment, and keeps what nobody names no longer than until it has the time", async (t) => {
    const store = await openTestStore(t);
    const { database } = store;
    const all = Array.from({ length: writers }, (_, name) => new Writer(database, name));
    let isWriting = true;
    let compactions = 0;
    const compacting = (async () => {
      for (; isWriting; compactions++) await database.compact();
    })();
    await Promise.all(all.map((writer) => writer.run())).finally(() => {
      isWriting = false;
    });
    await compacting;
    t.diagnostic(`${compactions} compactions during ${writers * writesEach} writes`);
    assert.ok(compactions > 5, `${compactions} compactions`);
    const verifyAll = async (): Promise<void> => {
      for (const writer of all) for (const id of writer.acknowledged.keys()) await writer.verify(id);
    };
    await verifyAll();
    assert.deepEqual(database.log.committed.counters, await recount(database));

    await database.compact();
    await verifyAll();
    const named = new Set<string>();
    for (const { acknowledged } of all) {
      for (const { digests } of acknowledged.values()) for (const digest of digests.values()) named.add(digest);
    }
    assert.equal(await contentsOnDisk(store), named.size, "what is on disk is what is named");
  });
});

/** How many contents there are, files and small ones; closes the store. */
async function contentsOnDisk(store: TestStore): Promise<number> {
  const { dataDir, database } = store;
  await store.close();
  const files = readdirSync(join(dataDir, "blobs", String(database.number)));
  return files.length + (await keysOnDisk(dataDir, database.keys.attachments)).length;
}
