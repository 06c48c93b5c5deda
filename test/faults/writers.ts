/** The load: several writers, each with documents of its own, that write until the connection breaks. */
import { createHash, randomBytes } from "node:crypto";
import type { HttpClient, HttpReply } from "../helpers/http-client.js";
import type { Content, Ledger } from "./ledger.js";
import type { Random } from "./random.js";

/** Large enough to become a file of its own beside the database. */
const attachmentBytes = 100_000;
const batch = 50;

export interface WriterWorld {
  readonly client: HttpClient;
  /** E.g. `/soak`. */
  readonly database: string;
  readonly ledger: Ledger;
  readonly random: Random;
  /** Whether the writers should stop. */
  readonly stopped: () => boolean;
  /** Hears of every acknowledgement, and of attachments: +1 when one leaves, -1 when it was answered. */
  readonly progress: (attachments: 1 | -1 | 0) => void;
}

type Writer = (world: WriterWorld, prefix: string) => Promise<void>;

/**
 * Runs all of them; each ends when the server is gone or `stopped` says so. Other failures are thrown. `generation`
 * tells the documents of one life of the server from those of the next; single writers go on with their own.
 */
export async function runWriters(world: WriterWorld, generation: number): Promise<void> {
  const writers: readonly (readonly [Writer, number])[] = [
    [writeSingly, 6],
    [writeInBulk, 2],
    [writeAttachments, 4],
  ];
  const runs = writers.flatMap(([writer, count]) =>
    Array.from({ length: count }, (_, index) => writer(world, `${writer.name}-${index}-${generation}`)),
  );
  await Promise.all(runs.map((run) => run.catch(onlyConnectionErrors)));
}

/** New documents, edits and deletions, one request each. */
async function writeSingly(world: WriterWorld, prefix: string): Promise<void> {
  const { client, database, ledger, random } = world;
  for (let round = 0; !world.stopped(); round += 1) {
    const id = `${prefix.replace(/-\d+$/, "")}-${random.below(100)}`;
    const { acknowledged, content } = ledger.entry(id);
    const deletes = content !== undefined && !content.deleted && random.below(8) === 0;
    const next: Content = { number: nextNumber(), ...(deletes ? { deleted: true } : {}) };
    const rev = content === undefined || content.deleted ? undefined : acknowledged.at(-1);
    ledger.sending(id, next);
    const reply = await client.put(`${database}/${id}`, bodyOf(next, rev));
    acknowledgeOne(world, id, reply);
    if (round % 20 === 0) ledger.sawSequence((await client.get(database)).json().update_seq);
  }
}

async function writeInBulk(world: WriterWorld, prefix: string): Promise<void> {
  const { client, database, ledger } = world;
  for (let round = 0; !world.stopped(); round += 1) {
    const docs = Array.from({ length: batch }, (_, index) => {
      // Every other request edits the documents of the one before.
      const id = `${prefix}-${round >> 1}-${index}`;
      const content = { number: nextNumber() };
      const rev = ledger.entry(id).acknowledged.at(-1);
      ledger.sending(id, content);
      return { _id: id, ...bodyOf(content, rev) };
    });
    const reply = await client.post(`${database}/_bulk_docs`, { docs });
    if (reply.status !== 201) throw new Error(`_bulk_docs was answered ${reply.status}: ${reply.text}`);
    for (const { id, rev, error, reason } of reply.json()) {
      if (!rev) throw new Error(`${id} was refused: ${error}: ${reason}`);
      ledger.acknowledge(id, rev);
    }
    world.progress(0);
  }
}

/** A document and its file in one request, then a second file beside it. */
async function writeAttachments(world: WriterWorld, prefix: string): Promise<void> {
  const { client, database, ledger, random } = world;
  for (let round = 0; !world.stopped(); round += 1) {
    const id = `${prefix}-${round}`;
    const first = fileOf(random);
    await inFlight(world, async () => {
      const content = { number: nextNumber(), attachments: { a: first.digest } };
      const data = first.bytes.toString("base64");
      const _attachments = { a: { content_type: "application/octet-stream", data } };
      ledger.sending(id, content);
      acknowledgeOne(world, id, await client.put(`${database}/${id}`, { ...bodyOf(content), _attachments }));
    });
    const { content, acknowledged } = ledger.entry(id);
    const second = fileOf(random);
    await inFlight(world, async () => {
      const grown = { ...content, attachments: { a: first.digest, b: second.digest } } as Content;
      ledger.sending(id, grown);
      const headers = { "content-type": "application/octet-stream" };
      const path = `${database}/${id}/b?rev=${acknowledged.at(-1)}`;
      acknowledgeOne(world, id, await client.put(path, second.bytes, { headers }));
    });
  }
}

async function inFlight(world: WriterWorld, send: () => Promise<void>): Promise<void> {
  world.progress(1);
  try {
    await send();
  } finally {
    world.progress(-1);
  }
}

function acknowledgeOne(world: WriterWorld, id: string, reply: HttpReply): void {
  if (reply.status >= 300) throw new Error(`${id} was answered ${reply.status}: ${reply.text}`);
  world.ledger.acknowledge(id, reply.json().rev);
  world.progress(0);
}

let numbers = 0;
function nextNumber(): number {
  numbers += 1;
  return numbers;
}

/** The text follows from the number, so that a body of one write with the text of another would show. */
export function textOf(number: number): string {
  return createHash("md5").update(String(number)).digest("hex").repeat(8);
}

function bodyOf({ number, deleted }: Content, rev?: string): Record<string, unknown> {
  return {
    ...(rev ? { _rev: rev } : {}),
    ...(deleted ? { _deleted: true } : {}),
    type: "note",
    number,
    text: textOf(number),
  };
}

function fileOf(random: Random): { readonly bytes: Buffer; readonly digest: string } {
  const bytes = randomBytes(attachmentBytes + random.below(attachmentBytes));
  return { bytes, digest: createHash("md5").update(bytes).digest("base64") };
}

const broken = new Set(["ECONNRESET", "ECONNREFUSED", "EPIPE"]);

function onlyConnectionErrors(error: NodeJS.ErrnoException): void {
  if (!broken.has(error.code ?? "") && error.message !== "socket hang up") throw error;
}
